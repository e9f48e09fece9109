"""The state graph as nested code: loops, branches, breaks. Where it does not fit, there is none.

Structured code takes the same edges in the same order as the program; `run_code` executes it, so that
the two can be compared before the code is shown.
"""

from __future__ import annotations

import contextlib
from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass

from analysis.machine.vm import execute, zero_bits
from analysis.program.block import Guard
from analysis.program.graph import components, looping_states
from analysis.program.program import START, Edge, Program


@dataclass(frozen=True)
class Do:
    """One timestep: the block of an edge."""

    edge: Edge


@dataclass(frozen=True)
class If:
    """Branches by guard; none is taken where no guard holds."""

    branches: tuple[tuple[Guard, tuple[Node, ...]], ...]


@dataclass(frozen=True)
class Loop:
    """Repeat until a break, a stop or the horizon."""

    body: tuple[Node, ...]


@dataclass(frozen=True)
class Break:
    """Leave the innermost loop."""


@dataclass(frozen=True)
class Stop:
    """End the run."""


Node = Do | If | Loop | Break | Stop


MOST_EDGES = 200
"""A program with more edges is not written as nested code: nobody could read it."""


class _UnstructuredError(Exception):
    """The states do not nest."""


def structure(program: Program) -> tuple[Node, ...] | None:
    """The program as nested code, or None where its states do not nest or it has too many edges."""
    if len(program.edges) > MOST_EDGES:
        return None
    try:
        return tuple(_Structurer(program).code(START, None, None))
    except _UnstructuredError:
        return None


class _Structurer:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.component = components(program)
        self.looping = looping_states(program)
        self.written: set[int] = set()

    def code(self, state: int, header: int | None, after: int | None) -> list[Node]:
        """The code from a state on; within a loop its header and the state that follows the loop."""
        if state in self.written:
            raise _UnstructuredError
        self.written.add(state)
        if state in self.looping and header is None:
            return self._loop(state)
        return self._branches(state, header, after)

    def _loop(self, header: int) -> list[Node]:
        outside = {
            edge.target
            for edge in self.program.edges
            if self.component[edge.source] == self.component[header]
            and edge.target is not None
            and self.component[edge.target] != self.component[header]
        }
        if len(outside) > 1:
            raise _UnstructuredError
        after = next(iter(outside), None)
        loop = Loop(tuple(self._branches(header, header, after)))
        return [loop] if after is None else [loop, *self.code(after, None, None)]

    def _branches(self, state: int, header: int | None, after: int | None) -> list[Node]:
        outgoing = self.program.edges_of_state[state]
        if not outgoing:
            return [Stop()]
        if len(outgoing) == 1 and outgoing[0].guard.always:
            return [Do(outgoing[0]), *self._next(outgoing[0].target, header, after)]
        targets = {edge.target for edge in outgoing}
        if len(targets) == 1:
            branches = tuple((edge.guard, (Do(edge),)) for edge in outgoing)
            return [If(branches), *self._next(outgoing[0].target, header, after)]
        return [
            If(tuple((edge.guard, (Do(edge), *self._next(edge.target, header, after))) for edge in outgoing))
        ]

    def _next(self, target: int | None, header: int | None, after: int | None) -> list[Node]:
        if target is None:
            return [Stop()]
        if target == header and header is not None:
            return []
        if target == after and after is not None:
            return [Break()]
        return self.code(target, header, after)


class _RunEndError(Exception):
    """A stop, the horizon, or a situation that no branch covers."""


def run_code(
    code: Sequence[Node], num_registers: int, memory: Sequence[int], max_steps: int
) -> tuple[tuple[int, ...], int]:
    """Execute structured code.

    Returns:
        The memory at the end and the number of timesteps.
    """
    run = _CodeRun(num_registers, list(memory), max_steps)
    with contextlib.suppress(_RunEndError):
        run.execute(code)
    return tuple(run.memory), run.time


class _CodeRun:
    def __init__(self, num_registers: int, memory: MutableSequence[int], max_steps: int) -> None:
        self.registers: tuple[int, ...] = (0,) * num_registers
        self.memory = memory
        self.max_steps = max_steps
        self.time = 0

    def execute(self, code: Sequence[Node]) -> bool:
        """Run nodes in order; returns whether a break was met."""
        return any(self._node(node) for node in code)

    def _node(self, node: Node) -> bool:
        if isinstance(node, Do):
            self._step(node.edge)
        elif isinstance(node, Loop):
            while not self.execute(node.body):
                pass
        elif isinstance(node, If):
            return self.execute(self._chosen(node))
        elif isinstance(node, Stop):
            raise _RunEndError
        return isinstance(node, Break)

    def _step(self, edge: Edge) -> None:
        if self.time == self.max_steps:
            raise _RunEndError
        self.registers = execute(edge.block, self.registers, self.memory)
        self.time += 1

    def _chosen(self, node: If) -> Sequence[Node]:
        bits = zero_bits(self.registers)
        for guard, body in node.branches:
            if guard.matches(bits):
                return body
        raise _RunEndError
