"""Exported Python and C do what the program does, and all machines agree on every circuit."""

import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from analysis.exporters import source, to_python
from analysis.extraction.circuits import CircuitMachine, circuit_block
from analysis.machine.batch import run_batch
from analysis.machine.vm import run, steps
from analysis.program.block import Block, Constant, Guard, Operation
from analysis.program.program import Edge, Program, Register
from analysis.simplification.program import simplify_program
from nram_env.machine import PAPER_GATES, Gate, MachineConfig, MachineState, hard_step, step
from tests.analysis.exported import (
    COMPILER,
    compiled,
    dump_block,
    dumping_after,
    load,
    refresh_block,
    wide_program,
)
from tests.analysis.programs import CASES, program_of, random_choices, random_program

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler here")


@every_case
def test_exported_python_reproduces_every_row_of_the_paper_s_tables(case):
    program, memory = program_of(case), case.rows[0]["memory"]
    module = load(program)
    for time, row in enumerate(case.rows):
        assert module.run(memory, time) == row["memory"], row
        dumped = load(dumping_after(program, time, len(memory))).run(memory)
        assert dumped[: len(row["registers"])] == row["registers"], row


@needs_compiler
@every_case
def test_exported_c_reproduces_every_row_of_the_paper_s_tables(case, tmp_path):
    program, memory = program_of(case), case.rows[0]["memory"]
    binary = compiled(program, tmp_path)
    for time, row in enumerate(case.rows):
        assert binary(memory, time) == row["memory"], row
    last = len(case.rows) - 1
    dumped = compiled(dumping_after(program, last, len(memory)), tmp_path)(memory)
    assert dumped[: len(case.rows[last]["registers"])] == case.rows[last]["registers"]


def chain(machine, size, choices, rng):
    """Circuits one after another; after each its registers are stored, and the state is made random again."""
    dump, states = dump_block(machine.num_registers, size), 3 * len(choices)
    blocks = [refresh_block(machine.num_registers, size, rng)]
    for chosen in choices:
        blocks += [circuit_block(machine, chosen), dump, refresh_block(machine.num_registers, size, rng)]
    edges = tuple(Edge(state, Guard(), block, state + 1) for state, block in enumerate(blocks[:-1]))
    names = tuple(f"S{state}" for state in range(states + 1))
    registers = tuple(Register(f"r{r}", r) for r in range(machine.num_registers))
    return Program("chain", registers, names, edges, "unrolled", machine, min_size=min(size, 2))


def soft_step(machine, registers, memory, choices):
    """The differentiable machine on certainties; returns its distributions as they are."""
    size = memory.shape[1]
    state = MachineState(
        *(one_hot(torch.from_numpy(values), size).double() for values in (registers, memory)),
        torch.ones(len(memory), dtype=torch.float64),
    )
    return step(machine, state, torch.from_numpy(machine.layout.one_hot(choices)))


@pytest.fixture
def without_hash(monkeypatch):
    """The hash is slow to compute for long programs, and only printed."""
    monkeypatch.setattr(source, "canonical_hash", lambda program: "left out")


CHAIN = 10


def test_10_000_random_circuits_mean_the_same_in_every_machine_and_in_exported_python(without_hash):
    rng = np.random.default_rng(0)
    for index in range(1000):
        gates = PAPER_GATES * int(rng.integers(1, 3))
        machine, size = MachineConfig(int(rng.integers(1, 6)), gates), 1 + index % 8
        choices = np.array([random_choices(machine, rng) for _ in range(CHAIN)])
        program = chain(machine, size, choices, rng)
        initial = rng.integers(size, size=size).tolist()
        trail = run_by_reference(program, initial)
        exported = load(program).run
        for time, (_, _, memory) in enumerate(trail, start=1):
            assert exported(initial, time) == memory
        if index % 5 == 0:  # slow; the batched form of every circuit comes below
            check_batched_program(program, initial, trail)
        before = np.array([trail[3 * k + 1][0] for k in range(CHAIN)])
        memory = np.array([trail[3 * k][2] for k in range(CHAIN)])
        after = [list(trail[3 * k + 1][1]) for k in range(CHAIN)]
        stored = [trail[3 * k + 1][2] for k in range(CHAIN)]
        check_single_steps(machine, choices, before, memory, after, stored)


def run_by_reference(program, initial):
    """Registers before, registers after, and memory after every timestep."""
    cells = list(initial)
    return [(moment.registers, moment.after, list(cells)) for moment in steps(program, cells, 3 * CHAIN)]


def check_batched_program(program, initial, trail):
    batch = run_batch(program, np.array([initial] * len(trail)), np.arange(1, len(trail) + 1))
    assert batch.memory.tolist() == [memory for _, _, memory in trail]
    assert batch.registers.tolist() == [list(after) for _, after, _ in trail]


def check_single_steps(machine, choices, before, memory, after, stored):
    hard = hard_step(machine, before, memory, choices)
    assert (hard[0].tolist(), hard[1].tolist()) == (after, stored)
    raw = CircuitMachine(machine, memory)
    raw.registers = before.copy()
    raw.advance(choices, np.ones(len(choices), dtype=bool))
    assert (raw.registers.tolist(), raw.memory.tolist()) == (after, stored)
    if memory.shape[1] > 1:  # the soft machine has no smaller memory
        soft = soft_step(machine, before, memory, choices)
        for exact, found in ((after, soft.registers), (stored, soft.memory)):
            assert np.abs(np.eye(memory.shape[1])[exact] - found.numpy()).max() < 1e-12


def test_random_programs_run_alike_in_the_integer_machine_and_in_exported_python():
    rng = np.random.default_rng(1)
    for _ in range(40):
        program = random_program(MachineConfig(int(rng.integers(1, 5))), int(rng.integers(1, 6)), rng)
        program = simplify_program(program) if rng.random() < 0.5 else program
        module = load(program)
        assert program.can_halt == module.HALTS
        for _ in range(10):
            size = int(rng.integers(max(2, module.SMALLEST_SIZE), 12))
            memory = rng.integers(size, size=size).tolist()
            for limit in (0, 1, 7, 50):
                assert tuple(module.run(memory, limit)) == run(program, memory, limit).memory


@needs_compiler
def test_random_programs_run_alike_in_the_integer_machine_and_in_exported_c(tmp_path):
    rng = np.random.default_rng(2)
    for program in (random_program(MachineConfig(3), 4, rng), random_program(MachineConfig(2), 2, rng)):
        binary = compiled(program, tmp_path)
        for limit in (1, 2, 5, 40):
            size = int(rng.integers(2, 12))
            memory = rng.integers(size, size=size).tolist()
            assert tuple(binary(memory, limit)) == run(program, memory, limit).memory


def test_lines_that_would_get_too_long_are_split_without_changing_the_meaning():
    program = wide_program()
    assert max(map(len, to_python(program).split("\n"))) <= source.WIDTH
    module, rng = load(program), np.random.default_rng(4)
    outcomes = set()
    for _ in range(300):
        memory = rng.integers(14, size=14).tolist()
        expected = run(program, memory, 6)
        outcomes.add(expected.outcome)
        if expected.outcome == "unseen":
            with pytest.raises(RuntimeError, match=f"timestep {expected.steps + 1}: unseen in state"):
                module.run(memory, 6)
        else:
            assert tuple(module.run(memory, 6)) == expected.memory
    assert {"unseen", "horizon"} <= outcomes


def test_both_exports_take_constants_modulo_m_and_keep_the_order_of_the_memory():
    block = Block(
        (
            Constant(-3),
            Constant(12),
            Operation(Gate.READ, (0,)),
            Operation(Gate.WRITE, (0, 1)),
            Operation(Gate.READ, (0,)),
            Operation(Gate.SUB, (3, 5)),
        ),
        ((0, 6),),
    )
    edges = (Edge(0, Guard(), block, 1), Edge(1, Guard(), dump_block(1, 5), None))
    program = Program("odd", (Register("a", 0),), ("S0", "S1"), edges, "machine", MachineConfig(1))
    for size in (5, 7, 20):
        memory = [4] + [0] * (size - 1)
        assert tuple(load(program).run(memory)) == run(program, memory, 2).memory
