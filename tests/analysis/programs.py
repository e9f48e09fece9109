"""Programs for the tests: the paper's five, gate by gate, and random ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from analysis.extraction.circuits import circuit_block
from analysis.program.block import Block, Constant, Guard, Operation
from analysis.program.program import Edge, Program, Register
from nram_env.machine import Gate, MachineConfig
from tests.cases import PAPER_CASES, Case

CASES = {case.name: case for case in PAPER_CASES}


def program_of(case: Case) -> Program:
    """One state for every circuit of the case, the repeated ones in a ring."""
    count = len(case.first) + len(case.repeated)
    edges = []
    for state in range(count):
        choices = tuple(case.choices(state))
        target = state + 1 if state + 1 < count else len(case.first)
        edges.append(Edge(state, Guard(), circuit_block(case.config, choices), target, witness=choices))
    registers = tuple(Register(f"r{r}", r) for r in range(case.config.num_registers))
    names = tuple(f"S{state}" for state in range(count))
    return Program(case.name, registers, names, tuple(edges), "machine", case.config)


def random_choices(machine: MachineConfig, rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(rng.integers(size)) for size in machine.layout.choice_counts)


def random_program(machine: MachineConfig, num_states: int, rng: np.random.Generator) -> Program:
    """Every state branches on one register; some edges stop."""
    edges = []
    for state in range(num_states):
        bit = 1 << int(rng.integers(machine.num_registers))
        for value in (0, bit):
            choices = random_choices(machine, rng)
            target = None if rng.random() < 0.1 else int(rng.integers(num_states))
            block = circuit_block(machine, choices)
            edges.append(Edge(state, Guard(((bit, value),)), block, target, witness=choices))
    registers = tuple(Register(f"r{r}", r) for r in range(machine.num_registers))
    names = tuple(f"S{state}" for state in range(num_states))
    return Program("random", registers, names, tuple(edges), "machine", machine)


def random_table(machine: MachineConfig, num_steps: int, rng: np.random.Generator) -> Program:
    """One edge for every zero-pattern of all registers, each with one of a few random circuits."""
    drawn = [random_choices(machine, rng) for _ in range(num_steps)]
    return table_program(machine, [drawn[rng.integers(num_steps)] for _ in range(2**machine.num_registers)])


def table_program(
    machine: MachineConfig, choices: Sequence[tuple[int, ...]], stops: Collection[int] = ()
) -> Program:
    """The choices made under every zero-pattern, in their order, and the patterns that end a run."""
    full = 2**machine.num_registers - 1
    edges = tuple(
        Edge(
            0,
            Guard(((full, pattern),)),
            circuit_block(machine, chosen),
            None if pattern in stops else 0,
            witness=chosen,
        )
        for pattern, chosen in enumerate(choices)
    )
    registers = tuple(Register(f"r{r}", r) for r in range(machine.num_registers))
    return Program("table", registers, ("S0",), edges, "table", machine)


def program_with(*edges: Edge, registers: int = 2, states: int = 2) -> Program:
    """A machine with these edges, its registers r0, r1, ... and its states S0, S1, ..."""
    names = tuple(Register(f"r{r}", r) for r in range(registers))
    return Program(
        "p", names, tuple(f"S{s}" for s in range(states)), edges, "machine", MachineConfig(registers)
    )


def stopping_at_zero(program: Program, register: int) -> Program:
    """The program, the last edge of which stops where a register is 0."""
    *others, loop = program.edges
    bit = 1 << register
    loops = replace(loop, guard=Guard(((bit, 0),))), replace(loop, guard=Guard(((bit, bit),)), target=None)
    return replace(program, edges=(*others, *loops))


def endless_where_the_first_value_is_1() -> Program:
    """Access in one step, which also sets r1 = A[0] - 1; then it stops, if r1 is not 0."""
    code = (
        Operation(Gate.READ, (0,)),
        Operation(Gate.READ, (2,)),
        Operation(Gate.WRITE, (0, 3)),
        Constant(1),
        Operation(Gate.READ, (5,)),
        Operation(Gate.DEC, (6,)),
    )
    nothing = Block((), ())
    edges = (
        Edge(0, Guard(), Block(code, ((1, 7),)), 1),
        Edge(1, Guard(((2, 2),)), nothing, 1),
        Edge(1, Guard(((2, 0),)), nothing, None),
    )
    return replace(program_with(*edges), task="access")


def random_programs(count: int, registers: int = 3) -> list[Program]:
    """The same random programs of one to five states every time."""
    rng = np.random.default_rng(0)
    machine = MachineConfig(registers)
    return [random_program(machine, int(rng.integers(1, 6)), rng) for _ in range(count)]
