"""The simplifier: equal meaning for every M that it allows, in as little code as its rules find."""

import numpy as np
import pytest

from analysis.extraction.circuits import circuit_block
from analysis.extraction.fidelity import compare
from analysis.machine.vm import execute, run
from analysis.program.block import Block, Constant, Guard, Operation
from analysis.program.program import Rewrite
from analysis.program.text import block_lines
from analysis.simplification.block import simplify_block
from analysis.simplification.dataflow import facts_under
from analysis.simplification.meaning import Facts
from analysis.simplification.program import simplify_program
from nram_env.machine import PAPER_GATES, Gate, MachineConfig
from tests.analysis.planted import PlantedNetwork
from tests.analysis.programs import CASES, program_of, random_choices, random_program
from tests.analysis.recovery import random_inputs


def seeds(count: int) -> pytest.MarkDecorator:
    """One of many parts of a long test; `make mutants` runs the first."""
    return pytest.mark.parametrize("seed", range(count), ids=lambda seed: f"seed{seed}")


@seeds(20)
def test_20_times_500_random_blocks_keep_their_live_registers_and_stores(seed):
    rng = np.random.default_rng(seed)
    for _ in range(500):
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


@seeds(10)
def test_random_programs_keep_every_run(seed):
    rng = np.random.default_rng(seed)
    for _ in range(15):
        machine = MachineConfig(int(rng.integers(1, 5)), PAPER_GATES * int(rng.integers(1, 3)))
        program = random_program(machine, int(rng.integers(1, 6)), rng)
        simple = simplify_program(program)
        for _ in range(6):
            size = max(2, simple.min_size + int(rng.integers(8)))
            memory, limit = rng.integers(size, size=size).tolist(), int(rng.integers(20))
            before, after = run(program, memory, limit), run(simple, memory, limit)
            assert (before.memory, before.steps, before.outcome) == (after.memory, after.steps, after.outcome)


@seeds(10)
def test_random_programs_keep_every_register_that_they_still_need(seed):
    rng = np.random.default_rng(seed)
    for _ in range(15):
        program = random_program(MachineConfig(int(rng.integers(2, 5))), int(rng.integers(1, 6)), rng)
        simple = simplify_program(program)
        inputs = [batch for batch in random_inputs(4, runs=3) if batch.memory.shape[1] >= simple.min_size]
        assert compare(simple, PlantedNetwork(program), inputs[::3]).first is None


def test_reads_and_writes_touch_the_memory_and_nothing_else_does():
    code = (Constant(3), Operation(Gate.READ, (0,)), Operation(Gate.INC, (1,)), Operation(Gate.WRITE, (0, 2)))
    assert Block(code).num_accesses == 2


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
    assert new.rewrites == (Rewrite("mem[r0] = mem[r0]", "", "store"),)


def test_a_store_that_the_next_overwrites_is_dropped_and_the_reason_is_kept():
    block = Block((Operation(Gate.WRITE, (0, 1)), Operation(Gate.WRITE, (0, 0))))
    new = simplify_block(block, 2)
    assert block_lines(new.block, ["p", "x"]) == ["mem[p] = p"]
    assert new.rewrites == (Rewrite("mem[r0] = r1", "", "store"),)


@pytest.mark.parametrize(
    ("instructions", "rewrites"),
    [
        ([Operation(Gate.INC, (0,)), Operation(Gate.DEC, (2,))], [Rewrite("DEC(r0 + 1)", "r0", "identity")]),
        ([Operation(Gate.SUB, (0, 0))], [Rewrite("SUB(r0, r0)", "0", "constant")]),
        (
            [Operation(Gate.MIN, (0, 1)), Operation(Gate.MIN, (1, 0)), Operation(Gate.SUB, (2, 3))],
            [
                Rewrite("MIN(r1, r0)", "MIN(r0, r1)", "copy"),
                Rewrite("SUB(MIN(r0, r1), MIN(r0, r1))", "0", "constant"),
            ],
        ),
        (
            [Constant(1), Constant(2), Operation(Gate.LESS_THAN, (2, 3))],
            [Rewrite("LESS-THAN(1, 2)", "1", "constant", "M >= 3")],
        ),
        (
            [Operation(Gate.READ, (0,)), Operation(Gate.SUB, (1, 2)), Operation(Gate.SUB, (3, 3))],
            [Rewrite("SUB(r1 - mem[r0], r1 - mem[r0])", "0", "constant")],
        ),
    ],
)
def test_a_rewrite_says_what_stood_there_what_stands_there_now_and_why(instructions, rewrites):
    block = Block(tuple(instructions), ((0, 1 + len(instructions)),))
    found = [rewrite for rewrite in simplify_block(block, 2).rewrites if rewrite.why != "dead"]
    assert found == rewrites


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


P, X_VALUE = 0, 1
NEXT = Operation(Gate.INC, (P,))


@pytest.mark.parametrize(
    ("code", "lines", "min_size"),
    [  # value 2 is p + 1
        (
            (
                NEXT,
                Operation(Gate.WRITE, (P, X_VALUE)),
                Operation(Gate.WRITE, (2, P)),
                Operation(Gate.READ, (P,)),
            ),
            ["mem[p] = x", "mem[p + 1] = p", "p = x"],
            2,
        ),
        (
            (
                NEXT,
                Operation(Gate.WRITE, (P, X_VALUE)),
                Operation(Gate.WRITE, (2, P)),
                Operation(Gate.READ, (2,)),
            ),
            ["mem[p] = x", "mem[p + 1] = p"],
            1,
        ),
        (
            (
                NEXT,
                Operation(Gate.WRITE, (X_VALUE, P)),
                Operation(Gate.WRITE, (2, P)),
                Operation(Gate.READ, (P,)),
            ),
            ["mem[x] = p", "t0 = mem[p]", "mem[p + 1] = p", "p = t0"],
            2,
        ),
        (
            (
                NEXT,
                Operation(Gate.WRITE, (P, X_VALUE)),
                Operation(Gate.WRITE, (P, P)),
                Operation(Gate.READ, (2,)),
            ),
            ["t0 = mem[p + 1]", "mem[p] = p", "p = t0"],
            2,
        ),
        (
            (
                NEXT,
                Operation(Gate.WRITE, (P, X_VALUE)),
                Operation(Gate.READ, (X_VALUE,)),
                Operation(Gate.WRITE, (P, P)),
                Operation(Gate.INC, (4,)),
            ),
            ["mem[p] = x", "t0 = mem[x]", "mem[p] = p", "p = t0 + 1"],
            1,
        ),
    ],
)
def test_the_memory_is_followed_as_far_as_addresses_are_known_to_differ(code, lines, min_size):
    new = simplify_block(Block(code, ((P, 1 + len(code)),)), 2)
    assert (block_lines(new.block, ["p", "x"]), new.min_size) == (lines, min_size)
