"""Exported sources, loaded and compiled for the tests."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import numpy as np

from analysis.exporters import to_c, to_python
from analysis.extraction.names import name_registers
from analysis.program.block import Block, Constant, Guard, Operation
from analysis.program.program import Edge, Program, Register
from analysis.simplification.program import simplify_program
from nram_env.machine import PAPER_GATES, Gate, MachineConfig
from tests.analysis.programs import program_of, random_program

COMPILER = next((path for name in ("cc", "gcc", "clang") if (path := shutil.which(name))), None)


def load(program: Program) -> ModuleType:
    """The exported Python module."""
    module = ModuleType("exported")
    exec(compile(to_python(program), "exported.py", "exec"), module.__dict__)
    return module


@dataclass(frozen=True)
class Compiled:
    """The exported C program, compiled with warnings as errors."""

    binary: Path

    def __call__(self, memory: Sequence[int], max_steps: int | None = None) -> list[int]:
        done = self.started(" ".join(map(str, memory)), *([] if max_steps is None else [str(max_steps)]))
        assert done.returncode == 0, done.stderr
        return [int(word) for word in done.stdout.split()]

    def started(self, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self.binary, *arguments], input=text, capture_output=True, text=True)


def compiled(program: Program, folder: Path, *more: str) -> Compiled:
    """The program as C, compiled with these flags besides the usual ones."""
    source = folder / "program.c"
    source.write_text(to_c(program))
    flags = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-Wno-unused-but-set-variable"]
    assert COMPILER
    subprocess.run([COMPILER, *flags, *more, "-O1", "-o", folder / "program", source], check=True)
    return Compiled(folder / "program")


def dump_block(num_registers: int, memory_size: int) -> Block:
    """Writes register j into cell j modulo M, the last ones surviving."""
    instructions = []
    for register in range(num_registers):
        address = num_registers + len(instructions)
        instructions += [Constant(register % memory_size), Operation(Gate.WRITE, (address, register))]
    return Block(tuple(instructions))


def dumping_after(program: Program, time: int, memory_size: int) -> Program:
    """A program whose memory shows the registers of another one as they are after so many timesteps.

    The other must be a chain of always-edges that ends in a ring; it is written out step by step.
    """
    edges, state = [], 0
    for position in range(time):
        (edge,) = program.edges_of_state[state]
        edges.append(replace(edge, source=position, target=position + 1))
        state = edge.target
    edges.append(Edge(time, Guard(), dump_block(program.num_registers, memory_size), None))
    states = tuple(f"S{number}" for number in range(time + 1))
    return replace(program, states=states, edges=tuple(edges))


def refresh_block(num_registers: int, memory_size: int, rng: np.random.Generator) -> Block:
    """Stores random integers in some cells, then loads every register from a random cell."""
    instructions: list[Constant | Operation] = []
    assignments = []

    def put(*new: Constant | Operation) -> int:
        instructions.extend(new)
        return num_registers + len(instructions) - 1

    for _ in range(min(memory_size, 4)):
        address, value = (put(Constant(int(rng.integers(memory_size)))) for _ in range(2))
        put(Operation(Gate.WRITE, (address, value)))
    for register in range(num_registers):
        address = put(Constant(int(rng.integers(memory_size))))
        assignments.append((register, put(Operation(Gate.READ, (address,)))))
    return Block(tuple(instructions), tuple(assignments))


def simplified(case):
    return name_registers(simplify_program(program_of(case)))


def wide_program():
    """Long names, wide guards and deep terms: whatever makes lines long."""
    rng, machine = np.random.default_rng(6), MachineConfig(12, PAPER_GATES * 3)
    program = random_program(machine, 4, rng)
    odd = rng.choice(range(1, 4096, 2), 30, replace=False).tolist()
    cubes = (tuple((4095, pattern) for pattern in {4095, *odd}), ((1, 0),))
    edges = program.edges_of_state[0]
    first = [replace(edge, guard=Guard(chosen)) for edge, chosen in zip(edges, cubes, strict=True)]
    others = [edge for edge in program.edges if edge.source]
    names = tuple(Register(f"counter{register}"[-8:], register) for register in range(12))
    return replace(program, registers=names, edges=(*first, *others))
