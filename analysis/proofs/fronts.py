"""Pointers into ordered pieces of the memory: for tasks that say that one cell is at most another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise, permutations

from analysis.proofs.view import View
from nram_env.tasks.spec import before, mem
from nram_env.tasks.terms import Fact, ForAll, Term, Variable, all_of, any_of, implies

Piece = tuple[Term, Term]
"""Its first cell, and the one behind its last."""


def fronts(view: View) -> Iterator[Fact]:
    """Which piece a register points into, and how the values at two such registers compare."""
    if not any(isinstance(fact, ForAll) and isinstance(fact.body, ForAll) for fact in view.setting.spec.pre):
        return
    pieces = _pieces(view)
    guesses = [*_places(view, pieces), *_orders(view, pieces), *_now(view), *_decided(view)]
    yield from (fact for fact in guesses if view.rows.holds(fact))


def _pieces(view: View) -> list[Piece]:
    """Pieces between neighbouring cuts that are not of one length everywhere."""
    found = []
    for low, high in pairwise(view.setting.spec.cuts):
        length = view.rows.value(high) - view.rows.value(low)
        if length.min() < length.max() or length.min() > 1:
            found.append((low, high))
    return found


def _places(view: View, pieces: list[Piece]) -> Iterator[Fact]:
    """Two registers point into two pieces, the one into the first or the other."""
    for register in view.numbers:
        yield from (_inside(register, piece) for piece in pieces)
    for first, second in combinations(view.numbers, 2):
        for one, other in combinations(pieces, 2):
            straight = all_of(_inside(first, one), _inside(second, other))
            crossed = all_of(_inside(first, other), _inside(second, one))
            yield any_of(straight, crossed)


def _orders(view: View, pieces: list[Piece]) -> Iterator[Fact]:
    """What lies before one register is at most what the other points at, and so on."""
    starts = [low for low, _ in pieces]
    for first, second in permutations(view.numbers, 2):
        yield any_of(*(first.equals(start) for start in starts), before(first - 1) <= before(second))
        yield before(first) <= before(second)
        yield before(first) < before(second)


def _now(view: View) -> Iterator[Fact]:
    """The same of two cells as they are now, which may lie in what was written."""
    for first, second in permutations(view.numbers, 2):
        yield mem(first) <= mem(second)
        yield mem(first) < mem(second)


def _decided(view: View) -> Iterator[Fact]:
    """A bit that is not the same throughout says how the values at two registers compare."""
    for bit in sorted(view.bits, key=lambda register: register.name):
        values = view.rows.value(bit)
        if values.min() == values.max():
            continue
        for first, second in permutations(view.numbers, 2):
            for value in (0, 1):
                yield implies(bit.equals(value), before(first) <= before(second))
                yield implies(bit.equals(value), before(first) < before(second))


def _inside(register: Variable, piece: Piece) -> Fact:
    return all_of(piece[0] <= register, register < piece[1])
