"""The part of an invariant that the goals need, found backwards from what each contradiction used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from analysis.proofs.obligations import somewhere
from analysis.proofs.proof import Proof
from analysis.proofs.readings import Names, formula, refutation
from analysis.proofs.setting import Location
from analysis.proofs.solver import Questions
from analysis.proofs.system import Invariants, Step, System
from nram_env.tasks.terms import Fact


def minimal(proof: Proof) -> Proof:
    """The same proof with those facts alone that are needed, in their order.

    With fewer facts a solver uses fewer, so what was needed is looked through again until all of it is.
    """
    smaller = replace(proof, invariants=_Needs(proof).found())
    return smaller if _size(smaller) == _size(proof) else minimal(smaller)


def _size(proof: Proof) -> int:
    return sum(len(facts) for _, facts in proof.places())


class _Needs:
    def __init__(self, proof: Proof) -> None:
        self.proof = proof
        self.system = System(proof.setting)
        self.facts = dict(proof.places())
        self.questions = Questions(self.system.declarations)
        self.needed: dict[Location, dict[Fact, None]] = {place: {} for place in self.facts}
        self.open: list[tuple[Location, Fact]] = []
        self.into: dict[Location, list[_Source]] = {}

    def found(self) -> Invariants:
        for place, facts in self.facts.items():
            self._take_goals(place)
            steps = list(self.system.steps(place, facts))
            for step in steps:
                if step.target in self.facts:
                    self.into.setdefault(step.target, []).append(_Source(self, place, step))
            elsewhere = [step for step in steps if step.target not in self.facts]
            if elsewhere:
                _Source(self, place, replace(elsewhere[0], arrived=())).take((), somewhere(elsewhere))
        while self.open:
            place, fact = self.open.pop()
            for source in self.into.get(place, []):
                source.take(*refutation(fact, source.names))
        return {
            place: tuple(fact for fact in facts if fact in self.needed[place])
            for place, facts in self.facts.items()
        }

    def _take_goals(self, place: Location) -> None:
        known = self.system.assumptions(place, self.facts[place])
        source = _Source(self, place, Step(place, place, (), tuple(known), (), self.system.names))
        for goal in self.proof.goals(place):
            given = [formula(fact, self.system.names) for fact in goal.given]
            constants, denial = refutation(goal.fact, self.system.names)
            source.take(constants, denial, given)

    def need(self, place: Location, facts: Iterable[Fact]) -> None:
        for fact in facts:
            if fact not in self.needed[place]:
                self.needed[place][fact] = None
                self.open.append((place, fact))


class _Source:
    """A place with a step from it, whose facts can be used one by one."""

    def __init__(self, needs: _Needs, place: Location, step: Step) -> None:
        self.needs, self.place, self.definitions = needs, place, step.definitions
        self.names: Names = step.names
        self.facts = needs.facts[place]
        own = {formula(fact, needs.system.names) for fact in self.facts}
        self.rest = [text for text in step.assumptions if text not in own]
        if step.target in needs.facts and step.target != place:
            self.rest += needs.system.instances(needs.facts[step.target], step.names)
        elif step.target == place:
            self.rest += needs.system.instances(self.facts, step.names)
        self.solver: Any = None
        self.literals: list[Any] = []

    def take(self, constants: Sequence[str], denial: str, given: Sequence[str] = ()) -> None:
        """Need what contradicts a denial."""
        ask = self.needs.questions
        if self.solver is None:
            self.solver, self.literals = self._solver()
        declared = [f"(declare-fun {name} () Int)" for name in constants]
        denied = ask.parsed([denial, *given], [*self.definitions, *declared])
        self.solver.push()
        self.solver.add(*denied)
        if ask.is_impossible(self.solver, *self.literals):
            used = [self.facts[place] for place in ask.core(self.solver, self.literals)]
        else:
            used = list(self.facts)
        self.solver.pop()
        self.needs.need(self.place, used)

    def _solver(self) -> tuple[Any, list[Any]]:
        ask = self.needs.questions
        solver = ask.solver(ask.parsed(self.rest, self.definitions))
        facts = ask.parsed([formula(fact, self.needs.system.names) for fact in self.facts])
        literals = ask.literals(len(facts))
        for literal, fact in zip(literals, facts, strict=True):
            solver.add(ask.implied(literal, fact))
        return solver, literals
