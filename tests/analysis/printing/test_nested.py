"""Nested code: how loops are turned, tests inlined, and branches joined."""

from analysis.machine.vm import run
from analysis.printing import nested
from analysis.printing.layout import code_lines
from analysis.printing.lowering import nested_code
from analysis.printing.nested import Choice, Continue, Step, Stop, items, run_nested
from analysis.program.block import Block, Constant, Guard, Operation
from analysis.program.expressions import Variable
from analysis.program.program import Edge
from nram_env.machine import Gate
from tests.analysis.programs import program_with

LOAD = Block((Constant(0), Operation(Gate.READ, (2,))), ((0, 3),))
"""r0 = mem[0]"""
DOWN = Block((Operation(Gate.DEC, (0,)),), ((0, 2),))
STORE = Block((Operation(Gate.WRITE, (0, 1)),))
UP = Block((Operation(Gate.INC, (1,)),), ((1, 2),))
ZERO, OTHER = Guard(((1, 1),)), Guard(((1, 0),))
"""Whether r0 is 0."""


def text_of(*edges, states):
    """The lines of a program, which does what its nested code does."""
    program = program_with(*edges, registers=2, states=states)
    body = nested_code(program)
    for size in (5, 8):
        for first in range(size):
            memory = [first, *range(1, size)]
            result = run(program, memory, 40)
            assert run_nested(body, 2, memory, 40) == (result.memory, result.steps)
    return list(code_lines(body, ["a", "b"]))


def test_a_loop_behind_the_block_that_it_repeats_tests_at_its_end():
    work = Block((*DOWN.instructions, Operation(Gate.WRITE, (2, 1))), DOWN.assignments)
    edges = (
        Edge(0, Guard(), work, 1),
        Edge(1, ZERO, Block(), None),
        Edge(1, OTHER, work, 1),
    )
    lines = text_of(*edges, states=2)
    assert lines[0] == "repeat:"
    assert lines[-2:] == ["    if a == 0:", "        stop"]


def test_a_comparison_is_tested_as_it_stands_with_a_counter_that_went_up_before():
    compared = Block(
        (
            Operation(Gate.INC, (1,)),
            Constant(0),
            Operation(Gate.READ, (3,)),
            Operation(Gate.EQUALITY_TEST, (1, 4)),
        ),
        ((0, 5), (1, 2)),
    )
    store = Block((Operation(Gate.WRITE, (1, 1)),))
    edges = (Edge(0, Guard(), compared, 1), Edge(1, OTHER, Block(), None), Edge(1, ZERO, store, 0))
    assert text_of(*edges, states=2)[:3] == ["repeat:", "    b = b + 1", "    if b - 1 == mem[0]:"]


def test_branches_join_before_what_both_come_to():
    edges = (
        Edge(0, Guard(), LOAD, 1),
        Edge(1, ZERO, UP, 2),
        Edge(1, OTHER, DOWN, 2),
        Edge(2, Guard(), STORE, None),
    )
    lines = text_of(*edges, states=3)
    assert lines[-2:] == ["mem[a] = b", "stop"]
    assert sum("mem[a] = b" in line for line in lines) == 1


def test_loops_within_loops_nest():
    b_zero, b_other = Guard(((2, 2),)), Guard(((2, 0),))
    both = Block((Constant(2), Operation(Gate.DEC, (0,))), ((0, 3), (1, 2)))
    less = Block((Operation(Gate.WRITE, (1, 0)), Operation(Gate.DEC, (1,))), ((1, 3),))
    edges = (
        Edge(0, Guard(), LOAD, 1),
        Edge(1, ZERO, Block(), None),
        Edge(1, OTHER, both, 2),
        Edge(2, b_zero, Block(), 1),
        Edge(2, b_other, less, 2),
    )
    lines = text_of(*edges, states=3)
    assert [line for line in lines if "while" in line] == ["while a != 0:", "    while b != 0:"]


def test_what_begins_a_loop_anew_in_the_middle_continues():
    edges = (
        Edge(0, Guard(), LOAD, 1),
        Edge(1, ZERO, Block(), 0),
        Edge(1, OTHER, STORE, 2),
        Edge(2, ZERO, UP, None),
        Edge(2, OTHER, UP, 0),
    )
    program = program_with(*edges, registers=2, states=3)
    assert any(isinstance(item, Continue) for item in items(nested_code(program)))


def test_a_branch_that_leaves_behind_one_that_does_not_stays_in_its_chain():
    """A test behind it must not be made where the first branch was taken."""
    tests = [((nested.Test(Variable(register), True),),) for register in (0, 1)]
    body = (Choice(((tests[0], (Step(()),)), (tests[1], (Stop(),)), (tests[0], (Stop(),)))),)
    words = [line.split()[0] for line in code_lines(body, ["a", "b"]) if "=" in line]
    assert words == ["if", "elif", "elif"]


def test_states_that_do_not_nest_have_no_code():
    edges = (
        Edge(0, ZERO, UP, 1),
        Edge(0, OTHER, UP, 2),
        Edge(1, ZERO, UP, 2),
        Edge(1, OTHER, DOWN, None),
        Edge(2, ZERO, DOWN, 1),
        Edge(2, OTHER, UP, None),
    )
    assert nested_code(program_with(*edges, registers=2, states=3)) is None
