"""What a proof knows where: facts before and after the blocks of a program, and what follows at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import combinations
from typing import Any, TypeVar, cast

from analysis.program.program import Edge
from analysis.proofs.proof import Proof
from nram_env.tasks.terms import Compare, Fact, Number, Sum, Term, Variable

Facts = tuple[Fact, ...]
Tree = TypeVar("Tree", bound=Term | Fact)


@dataclass(frozen=True)
class Knowledge:
    """Facts of a proof, found by the blocks between which they hold."""

    proof: Proof

    def number(self, edge: Edge | None) -> int | None:
        """The number of an edge in the program of the proof."""
        edges = self.proof.setting.program.edges
        return edges.index(edge) if edge in edges else None

    def before(self, edge: int) -> list[Facts]:
        """What holds at each location before a block."""
        return [facts for place, facts in self.proof.places() if place.next == edge]

    def after(self, edge: int) -> list[Facts]:
        """What holds at each location behind a block."""
        return [facts for place, facts in self.proof.places() if place.history[-1:] == (edge,)]

    def between(self, last: Collection[int], following: Collection[int]) -> list[Facts]:
        """What holds at each location behind one of some blocks and before one of others."""
        return [
            facts
            for place, facts in self.proof.places()
            if place.history and place.history[-1] in last and place.next in following
        ]


def equalities(facts: Sequence[Fact], name: str) -> Iterator[Term]:
    """What a variable equals."""
    for fact in facts:
        if isinstance(fact, Compare) and fact.relation == "==":
            difference = fact.right - fact.left
            parts = difference.parts if isinstance(difference, Sum) else ((difference, 1),)
            factor = dict(parts).get(Variable(name))
            if factor in (1, -1):
                yield Variable(name) - difference * factor


def is_at_least_0(term: Term, facts: Sequence[Fact]) -> bool:
    """Whether this follows from at most two of the facts by adding them."""
    compared = [fact for fact in facts if isinstance(fact, Compare)]
    known = [bound for fact in compared for bound in _bounds(fact) if _is_near(bound, term)]
    sums = [Number(0), *known, *(one + other for one, other in combinations(known, 2))]
    return any(isinstance(rest := term - bound, Number) and rest.value >= 0 for bound in sums)


def contains(low: Term, high: Term, term: Term, facts: Sequence[Fact]) -> bool:
    """Whether low <= term < high follows."""
    return is_at_least_0(term - low, facts) and is_at_least_0(high - 1 - term, facts)


def substituted(tree: Tree, values: Mapping[str, Term]) -> Tree:
    """A term or fact with terms in the place of variables; bound names are not among them."""
    if isinstance(tree, Variable):
        return cast(Tree, values.get(tree.name, tree))
    if isinstance(tree, Sum):
        start: Term = Number(tree.constant)
        return cast(Tree, sum((substituted(part, values) * factor for part, factor in tree.parts), start))
    changed = {
        field.name: _substituted(getattr(tree, field.name), values)
        for field in fields(cast(Any, tree))
        if field.name != "triggers"
    }
    return cast(Tree, replace(cast(Any, tree), **changed))


def _substituted(value: Any, values: Mapping[str, Term]) -> Any:
    if isinstance(value, tuple):
        return tuple(_substituted(part, values) for part in value)
    return substituted(value, values) if isinstance(value, Term | Fact) else value


def _bounds(fact: Compare) -> list[Term]:
    """Terms that are at least 0 because of a fact."""
    difference = fact.right - fact.left
    if fact.relation == "==":
        return [difference, -difference]
    return [difference - 1 if fact.relation == "<" else difference]


def _is_near(bound: Term, term: Term) -> bool:
    """Whether a bound speaks of something that a term speaks of."""
    return bool(_terms(bound) & _terms(term))


def _terms(term: Term) -> set[Term]:
    return {part for part, _ in term.parts} if isinstance(term, Sum) else {term}
