"""The integer machine, alone and in batches: it is what a program means."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from analysis.extraction.circuits import CircuitMachine, circuit_block
from analysis.machine.batch import run_batch
from analysis.machine.vm import EndlessRunError, execute, run, steps
from analysis.program.block import Block, Guard, Operation
from analysis.program.program import Edge, Program, Register
from nram_env.machine import PAPER_GATES, Gate, MachineConfig
from tests.analysis.programs import (
    CASES,
    endless_where_the_first_value_is_1,
    program_of,
    random_choices,
    random_program,
)
from tests.cases import integer_step

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@every_case
def test_the_paper_s_programs_reproduce_every_row_of_its_tables(case):
    memory = list(case.rows[0]["memory"])
    for row, step in zip(case.rows, steps(program_of(case), memory, len(case.rows)), strict=True):
        assert list(step.registers) == row["registers"], row
        before = list(memory)
        for access in reversed(step.accesses):
            if access.gate is Gate.WRITE:
                before[access.address] = access.old
        assert before == row["memory"], row


@every_case
def test_the_batched_machine_reproduces_every_row_of_the_paper_s_tables(case):
    memories = np.array([case.rows[0]["memory"]] * len(case.rows))
    result = run_batch(program_of(case), memories, np.arange(len(case.rows)))
    for row, memory, registers in zip(case.rows, result.memory, result.registers, strict=True):
        assert (memory.tolist(), registers.tolist()) == (row["memory"], row["registers"])


def test_10_000_random_circuits_mean_the_same_in_all_integer_machines():
    rng = np.random.default_rng(0)
    for _ in range(200):
        gates = PAPER_GATES * int(rng.integers(1, 3))
        machine, size = MachineConfig(int(rng.integers(1, 6)), gates), int(rng.integers(2, 9))
        choices = np.array([random_choices(machine, rng) for _ in range(50)])
        memories = rng.integers(size, size=(50, size))
        registers = rng.integers(size, size=(50, machine.num_registers))
        batched = CircuitMachine(machine, memories)
        batched.registers = registers.copy()
        batched.advance(choices, np.ones(50, dtype=bool))
        for row in range(50):
            before, cells = registers[row].tolist(), memories[row].tolist()
            after, memory, _ = integer_step(machine, choices[row], before, cells)
            block = circuit_block(machine, choices[row])
            assert list(execute(block, before, cells)) == after == batched.registers[row].tolist()
            assert cells == memory == batched.memory[row].tolist()


def test_random_programs_run_alike_alone_and_in_batches():
    rng = np.random.default_rng(1)
    for _ in range(60):
        machine = MachineConfig(int(rng.integers(1, 5)))
        program, size = random_program(machine, int(rng.integers(1, 6)), rng), int(rng.integers(2, 12))
        memories, limits = rng.integers(size, size=(20, size)), rng.integers(30, size=20)
        batch = run_batch(program, memories, limits)
        for row in range(20):
            alone = run(program, memories[row].tolist(), int(limits[row]))
            assert alone.memory == tuple(batch.memory[row])
            assert alone.registers == tuple(batch.registers[row])
            assert (alone.steps, alone.outcome == "halted") == (batch.steps[row], batch.halted[row])


def test_a_situation_that_no_edge_covers_ends_the_run_and_is_called_unseen():
    block = Block((Operation(Gate.READ, (0,)),), ((0, 1),))
    edge = Edge(0, Guard(((1, 1),)), block, 0)
    program = Program("load", (Register("a", 0),), ("S0",), (edge,), "machine", MachineConfig(1))
    assert run(program, [3, 0, 0, 0], 9).outcome == "unseen"
    assert run(program, [3, 0, 0, 0], 9).steps == 1
    assert run_batch(program, np.array([[3, 0, 0, 0], [0, 0, 0, 0]]), 9).unseen.tolist() == [True, False]


def test_a_cell_outside_the_range_is_named():
    program = program_of(CASES["copy"])
    with pytest.raises(ValueError, match=r"cell 2 holds 4, which is not in 0\.\.3"):
        run(program, [0, 0, 4, 0], 1)
    with pytest.raises(ValueError, match=r"cell 1 of example 0 holds -1"):
        run_batch(program, np.array([[0, -1, 0, 0]]), 1)


def test_a_large_memory_costs_no_square_of_it():
    size = 100_001
    memory = np.zeros((1, size), dtype=np.int64)
    memory[0, 0] = size // 2 + 1
    program = program_of(CASES["copy"])
    tracemalloc.start()
    run_batch(program, memory, 200)
    run(program, memory[0].tolist(), 200)
    assert tracemalloc.get_traced_memory()[1] < 100 * size
    tracemalloc.stop()


def test_a_program_that_stops_by_itself_is_run_without_a_number_of_steps():
    program = endless_where_the_first_value_is_1()
    result = run(program, [2, 3, 1, 0])
    assert (result.memory, result.steps, result.outcome) == ((1, 3, 1, 0), 2, "halted")
    with pytest.raises(EndlessRunError, match=r"did not stop by itself in 105 steps, 10 T\(n\) \+ 3 M \+ 50"):
        run(program, [2, 1, 3, 0, 0])
    assert run(program, [2, 1, 3, 0, 0], 7).outcome == "horizon"


def test_without_a_number_of_steps_no_other_program_is_run():
    endless = program_of(CASES["copy"])
    with pytest.raises(ValueError, match="program copy does not stop by itself; pass max_steps"):
        run(endless, [3, 1, 2, 0, 0])
    with pytest.raises(ValueError, match="program p names no task; pass max_steps"):
        run(replace(endless_where_the_first_value_is_1(), task=None), [2, 3, 1, 0])
