"""Small structured programs, drawn at random and compiled to states and edges."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from analysis.program.block import Block, Constant, Guard, Operation
from analysis.program.program import Edge, Program
from nram_env.machine import Gate
from tests.analysis.programs import program_with

REGISTERS = 4


@dataclass
class Planted:
    """A program being compiled, and the loops and branches that were put into it."""

    rng: np.random.Generator
    edges: list[Edge] = field(default_factory=list)
    states: int = 0
    loops: int = 0
    branches: int = 0
    counters: int = 0

    def state(self) -> int:
        self.states += 1
        return self.states - 1

    def block(self) -> Block:
        """Stores a sum in a cell, and adds to the last register."""
        a, b = (int(self.rng.integers(REGISTERS)) for _ in range(2))
        number = int(self.rng.integers(1, 6))
        code = (
            Operation(Gate.ADD, (a, REGISTERS - 1)),
            Operation(Gate.WRITE, (b, REGISTERS)),
            Constant(number),
            Operation(Gate.ADD, (REGISTERS - 1, REGISTERS + 2)),
        )
        return Block(code, ((REGISTERS - 1, REGISTERS + 3),))

    def step(self, source: int, target: int) -> None:
        self.edges.append(Edge(source, Guard(), self.block(), target))

    def branch(self, source: int, target: int) -> None:
        """Two or one-sided: what is done hangs on whether the last register is 0."""
        self.branches += 1
        bit = 1 << (REGISTERS - 1)
        self.edges.append(Edge(source, Guard(((bit, 0),)), self.block(), target))
        other = Block() if self.rng.random() < 0.3 else self.block()
        self.edges.append(Edge(source, Guard(((bit, bit),)), other, target))

    def loop(self, source: int, target: int, body: Callable[[int, int], None]) -> None:
        """A counter goes down from a cell; the test is at the head or at the end."""
        self.loops += 1
        counter, self.counters = self.counters, self.counters + 1
        bit, head, inside, last = 1 << counter, self.state(), self.state(), self.state()
        start = (Constant(counter), Operation(Gate.READ, (REGISTERS,)))
        at_end = self.rng.random() < 0.5
        first = inside if at_end else head
        self.edges.append(Edge(source, Guard(), Block(start, ((counter, REGISTERS + 1),)), first))
        body(inside, last)
        down = Block((Operation(Gate.DEC, (counter,)),), ((counter, REGISTERS),))
        self.edges.append(Edge(last, Guard(), down, head))
        self.edges.append(Edge(head, Guard(((bit, bit),)), Block(), target))
        self.edges.append(Edge(head, Guard(((bit, 0),)), self.block(), inside))


def _in_sequence(planted: Planted, *parts: Callable[[int, int], None]) -> Callable[[int, int], None]:
    def both(source: int, target: int) -> None:
        for part in parts[:-1]:
            between = planted.state()
            part(source, between)
            source = between
        parts[-1](source, target)

    return both


def _looped(planted: Planted, body: Callable[[int, int], None]) -> Callable[[int, int], None]:
    return lambda source, target: planted.loop(source, target, body)


def planted_program(seed: int) -> tuple[Program, int, int]:
    """A program of one of five shapes, its number of loops and of branches."""
    planted = Planted(np.random.default_rng(seed))
    step, branch = planted.step, planted.branch
    shapes = (
        _in_sequence(planted, step, branch, step),
        _in_sequence(planted, step, _looped(planted, step), step),
        _in_sequence(planted, _looped(planted, _in_sequence(planted, branch, step)), step),
        _in_sequence(planted, _looped(planted, step), _looped(planted, branch), step),
        _looped(planted, _in_sequence(planted, step, _looped(planted, step))),
    )
    start, end = planted.state(), planted.state()
    shapes[seed % len(shapes)](start, end)
    planted.edges.append(Edge(end, Guard(), planted.block(), None))
    edges = sorted(planted.edges, key=lambda edge: edge.source)
    program = program_with(*edges, registers=REGISTERS, states=planted.states)
    return program, planted.loops, planted.branches
