"""The state graph as nested blocks: loops, branches, breaks. Where it does not fit, there is none.

Nested blocks take the same edges in the same order as the program.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from analysis.printing.nested import Break, Stop
from analysis.program.block import Guard
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
        return tuple(_Structurer(program).code(START, _Place()))
    except _UnstructuredError:
        return None


@dataclass(frozen=True)
class _Place:
    """Where code is written.

    Attributes:
        header: The state that the innermost loop begins with.
        after: The state behind that loop.
        follow: The state behind the innermost branching, whose code follows it.
        headers: All loops around.
    """

    header: int | None = None
    after: int | None = None
    follow: int | None = None
    headers: frozenset[int] = frozenset()


class _Structurer:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.written: set[int] = set()

    def code(self, state: int, place: _Place) -> list[Node]:
        """The code from a state on."""
        if state in self.written:
            raise _UnstructuredError
        self.written.add(state)
        if state not in place.headers and state in self._reached(state, place.headers):
            return self._loop(state, place)
        return self._branches(state, place)

    def _loop(self, header: int, place: _Place) -> list[Node]:
        body = {
            state
            for state in self._reached(header, place.headers) - place.headers
            if header in self._reached(state, place.headers)
        }
        outside = {target for state in body for target in self._targets(state) if target not in body}
        if len(outside) > 1:
            raise _UnstructuredError
        after = next(iter(outside), None)
        inside = _Place(header, after, None, place.headers | {header})
        loop = Loop(tuple(self._branches(header, inside)))
        return [loop] if after is None else [loop, *self._next(after, place)]

    def _branches(self, state: int, place: _Place) -> list[Node]:
        outgoing = self.program.edges_of_state[state]
        if not outgoing:
            return [Stop()]
        if len(outgoing) == 1 and outgoing[0].guard.always:
            return [Do(outgoing[0]), *self._next(outgoing[0].target, place)]
        written, follow = set(self.written), self._follow(state, place)
        if follow is not None:
            try:
                return [self._branching(outgoing, replace(place, follow=follow)), *self._next(follow, place)]
            except _UnstructuredError:
                self.written = written
        return [self._branching(outgoing, place)]

    def _branching(self, outgoing: Sequence[Edge], place: _Place) -> If:
        return If(tuple((edge.guard, (Do(edge), *self._next(edge.target, place))) for edge in outgoing))

    def _next(self, target: int | None, place: _Place) -> list[Node]:
        if target is None:
            return [Stop()]
        if target == place.follow:
            return []
        if target == place.header:
            if place.follow is not None:
                raise _UnstructuredError
            return []
        if target == place.after:
            return [Break()]
        if target in place.headers:
            raise _UnstructuredError
        return self.code(target, place)

    def _follow(self, state: int, place: _Place) -> int | None:
        """The first state behind a branching that all branches come to, but those that stop or leave."""
        around = (place.header, place.after, place.follow)
        ends = frozenset(end for end in around if end is not None)
        ways = [
            self._reached(edge.target, ends, True)
            for edge in self.program.edges_of_state[state]
            if edge.target is not None and edge.target != place.after
        ]
        common = sorted(set.intersection(*ways) - {place.after}) if len(ways) > 1 else []
        first = (one for one in common if self._reached(one, ends, True).issuperset(common))
        return next((one for one in first if one not in ends), None)

    def _targets(self, state: int) -> Iterator[int]:
        return (edge.target for edge in self.program.edges_of_state[state] if edge.target is not None)

    def _reached(self, state: int, ends: frozenset[int], itself: bool = False) -> set[int]:
        """The states that a run may come to from a state on, not through those where it ends."""
        found: set[int] = {state} if itself else set()
        waiting = [state] if not (itself and state in ends) else []
        while waiting:
            for target in self._targets(waiting.pop()):
                if target not in found:
                    found.add(target)
                    if target not in ends:
                        waiting.append(target)
        return found
