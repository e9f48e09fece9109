"""The simplifier: equal meaning for every M that it allows, in as little code as its rules find."""

import numpy as np
import pytest

from analysis.block import Block, Constant, Guard, Operation
from analysis.circuits import circuit_block
from analysis.dataflow import facts_under
from analysis.meaning import Facts
from analysis.reduce import simplify_program
from analysis.simplify import simplify_block
from analysis.text import block_lines
from analysis.verify import compare
from analysis.vm import execute, run
from nram_env.machine import PAPER_GATES, Gate, MachineConfig
from tests.analysis.planted import PlantedNetwork
from tests.analysis.programs import CASES, program_of, random_choices, random_program
from tests.analysis.recovery import random_inputs


def test_10_000_random_blocks_keep_their_live_registers_and_stores():
    rng = np.random.default_rng(0)
    for _ in range(10_000):
        machine = MachineConfig(int(rng.integers(1, 5)), PAPER_GATES * int(rng.integers(1, 3)))
        count = machine.num_registers
        block = circuit_block(machine, random_choices(machine, rng))
        zero = rng.random(count) < 0.4
        live = frozenset(np.flatnonzero(rng.random(count) < 0.7).tolist())
        guard = Guard(((2**count - 1, int(zero @ (1 << np.arange(count)))),))
        facts = facts_under(guard, tuple(("copy", r) for r in range(count)))
        new = simplify_block(block, count, live, facts)
        size = max(2, new.min_size + int(rng.integers(4)))
        registers = np.where(zero, 0, rng.integers(1, size, size=count)).tolist()
        memory = rng.integers(size, size=size).tolist()
        twin = list(memory)
        before, after = execute(block, registers, memory), execute(new.block, registers, twin)
        assert memory == twin
        assert all(before[register] == after[register] for register in live)
        assert len(new.block.instructions) <= len(block.instructions) + 8


def test_random_programs_keep_every_run():
    rng = np.random.default_rng(1)
    for _ in range(150):
        machine = MachineConfig(int(rng.integers(1, 5)), PAPER_GATES * int(rng.integers(1, 3)))
        program = random_program(machine, int(rng.integers(1, 6)), rng)
        simple = simplify_program(program)
        for _ in range(6):
            size = max(2, simple.min_size + int(rng.integers(8)))
            memory, limit = rng.integers(size, size=size).tolist(), int(rng.integers(20))
            before, after = run(program, memory, limit), run(simple, memory, limit)
            assert (before.memory, before.steps, before.outcome) == (after.memory, after.steps, after.outcome)


def test_random_programs_keep_every_register_that_they_still_need():
    rng = np.random.default_rng(1)
    for _ in range(150):
        program = random_program(MachineConfig(int(rng.integers(2, 5))), int(rng.integers(1, 6)), rng)
        simple = simplify_program(program)
        inputs = [batch for batch in random_inputs(4, runs=3) if batch.memory.shape[1] >= simple.min_size]
        assert compare(simple, PlantedNetwork(program), inputs[::3]).first is None


X, Y, ZERO, ONE, TWO = range(5)
"""Value numbers in the rule table: two registers, then three constants."""


@pytest.mark.parametrize(
    ("gate", "arguments", "text", "min_size"),
    [
        (Gate.ADD, (X, ZERO), "x", 1),
        (Gate.ADD, (X, ONE), "x + 1", 1),
        (Gate.SUB, (X, ZERO), "x", 1),
        (Gate.SUB, (X, X), "0", 1),
        (Gate.SUB, (X, ONE), "x - 1", 1),
        (Gate.MIN, (X, X), "x", 1),
        (Gate.MIN, (X, ZERO), "0", 1),
        (Gate.MAX, (ZERO, X), "x", 1),
        (Gate.LESS_THAN, (X, X), "0", 1),
        (Gate.LESS_THAN, (X, ZERO), "0", 1),
        (Gate.LESS_THAN, (X, ONE), "[x == 0]", 2),
        (Gate.LESS_THAN, (ONE, TWO), "1", 3),
        (Gate.LESS_OR_EQUAL_THAN, (ZERO, X), "1", 1),
        (Gate.LESS_OR_EQUAL_THAN, (X, X), "1", 1),
        (Gate.EQUALITY_TEST, (X, X), "1", 1),
        (Gate.EQUALITY_TEST, (ONE, TWO), "0", 2),
        (Gate.LESS_THAN, (X, Y), "[x < y]", 1),
    ],
)
def test_a_rule_holds_from_its_smallest_memory_on(gate, arguments, text, min_size):
    code = (Constant(0), Constant(1), Constant(2), Operation(gate, arguments))
    block = Block(code, ((1, 5),))
    new = simplify_block(block, 2)
    assert new.min_size == min_size
    lines = block_lines(new.block, ["x", "y"])
    assert lines == ([f"y = {text}"] if text != "y" else ["pass"])
    for size in range(new.min_size, 7):
        for x in range(size):
            for y in range(size):
                assert execute(block, (x, y), [0] * size) == execute(new.block, (x, y), [0] * size)


def test_x_less_than_x_plus_1_is_left_alone_because_it_is_false_at_the_top():
    block = Block((Operation(Gate.INC, (0,)), Operation(Gate.LESS_THAN, (0, 1))), ((0, 2),))
    assert block_lines(simplify_block(block, 1).block, ["x"]) == ["x = [x < x + 1]"]


def test_a_read_after_a_write_is_not_the_read_before_it():
    read, write = Operation(Gate.READ, (0,)), Operation(Gate.WRITE, (1, 1))
    block = Block((read, write, read), ((0, 2), (1, 4)))
    assert simplify_block(block, 2).block.num_accesses == 3


def test_a_read_of_what_was_just_written_is_the_written_value():
    block = Block((Operation(Gate.WRITE, (0, 1)), Operation(Gate.READ, (0,))), ((0, 3),))
    assert block_lines(simplify_block(block, 2).block, ["p", "x"]) == ["mem[p] = x", "p = x"]


def test_a_store_of_what_the_cell_holds_is_dropped_and_the_reason_is_kept():
    block = Block((Operation(Gate.READ, (0,)), Operation(Gate.WRITE, (0, 1))), ((0, 1),))
    new = simplify_block(block, 1)
    assert block_lines(new.block, ["p"]) == ["p = mem[p]"]
    assert [rewrite.why for rewrite in new.rewrites] == ["store"]


def test_a_register_known_to_be_0_becomes_the_constant():
    block = Block((Operation(Gate.READ, (0,)),), ((0, 1),))
    new = simplify_block(block, 1, facts=Facts({0: ("constant", 0)}))
    assert block_lines(new.block, ["p"]) == ["p = mem[0]"]


def test_the_paper_s_copy_comes_to_two_blocks_of_six_lines():
    program = simplify_program(program_of(CASES["copy"]))
    lines = [line for edge in program.edges for line in block_lines(edge.block, ["d", "prev", "i"])]
    assert lines == [
        "d = mem[0] - 1",
        "prev = 0",
        "i = 1",
        "mem[d + i] = mem[i]",
        "prev, i = i, min(d, prev + 1)",
    ]
    assert program.edges[0].rewrites
