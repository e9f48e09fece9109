"""Houdini: of many guesses the largest set that every step keeps.

C. Flanagan, K. R. M. Leino: Houdini, an Annotation Assistant for ESC/Java, FME 2001. A guess is taken away
where it does not certainly follow from the guesses at the step before; what is left is an invariant.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from analysis.proofs.claims import Goal
from analysis.proofs.readings import formula, refutation
from analysis.proofs.setting import Location
from analysis.proofs.solver import Questions
from analysis.proofs.system import Invariants, Step, System
from nram_env.tasks.terms import Fact


class OutOfTimeError(Exception):
    """The time for an attempt is over."""


class OutOfReachError(Exception):
    """A goal no longer follows: nothing that is taken away later will bring it back.

    Attributes:
        place: Where it had to follow.
        goal: The goal.
    """

    def __init__(self, place: Location, goal: Goal) -> None:
        super().__init__(f"{goal} at {place}")
        self.place, self.goal = place, goal


class Houdini:
    """Guesses at locations, and those of them that are left.

    Args:
        system: The transition system.
        guesses: Candidates at every location that was met.
        deadline: When to give up, on the clock of `time.monotonic`.
        watch: Told now and then how many guesses are left.
        needed: What has to follow at a location in the end, for each of several claims; it is given up
            where the last of them is lost.
    """

    def __init__(
        self,
        system: System,
        guesses: Mapping[Location, Sequence[Fact]],
        deadline: float = float("inf"),
        watch: Callable[[str], None] = lambda line: None,
        needed: Sequence[Callable[[Location], Sequence[Goal]]] = (),
    ) -> None:
        self.system = system
        self._needed = list(needed)
        self._guessed = guesses
        self.left: dict[Location, list[Fact]] = {place: list(facts) for place, facts in guesses.items()}
        self.questions = Questions(system.declarations)
        self._deadline = deadline
        self._watch = watch

    def run(self) -> Invariants:
        """Take guesses away until every step keeps all that are left.

        Raises:
            OutOfTimeError: The deadline came first.
            OutOfReachError: A goal does not follow.
        """
        for step in self.system.starts():
            self._arrive(step)
        todo = dict.fromkeys(self.left)
        while todo:
            place = next(iter(todo))
            del todo[place]
            self._watch(f"{sum(map(len, self.left.values())):,} guesses left")
            self._give_up_claims(place)
            for step in self.system.steps(place, self.left[place]):
                if self._arrive(step):
                    todo[step.target] = None
        return self.left

    def _give_up_claims(self, place: Location) -> None:
        """Forget the claims that are lost at a location."""
        for goals in tuple(self._needed):
            failed = self.failed(place, goals(place))
            if failed:
                self._needed.remove(goals)
            if not self._needed:
                raise OutOfReachError(place, failed[0])

    def _arrive(self, step: Step) -> bool:
        """Take away what does not hold after a step; whether anything was, or the place is new."""
        if time.monotonic() > self._deadline:
            raise OutOfTimeError
        if step.target not in self.left:
            known = self.questions.parsed(step.assumptions, step.definitions)
            if self.questions.follows(known, []):
                return False
            self.left[step.target] = self._likely(step.target)
            self._keep(step)
            return True
        return self._keep(step)

    def _keep(self, step: Step) -> bool:
        """Take away what does not hold after a step to a known place; whether anything was."""
        facts = self.left[step.target]
        lost = self.unproved(step, facts)
        self.left[step.target] = [fact for fact in facts if fact not in lost]
        return bool(lost)

    def _likely(self, place: Location) -> list[Fact]:
        """Guesses at a location that no run met: those where the same edges were met beyond other splits."""
        edges = place.history, place.next
        met = (facts for other, facts in self._guessed.items() if (other.history, other.next) == edges)
        return list(dict.fromkeys(fact for facts in met for fact in facts))

    def failed(self, place: Location, goals: Sequence[Goal]) -> list[Goal]:
        """Those of some goals that do not certainly follow from what is left at a location."""
        known = self.system.assumptions(place, self.left[place])
        failed = []
        for goal in goals:
            given = [formula(fact, self.system.names) for fact in goal.given]
            constants, denial = refutation(goal.fact, self.system.names)
            declared = [f"(declare-fun {name} () Int)" for name in constants]
            if not self.questions.follows(self.questions.parsed([*known, *given, denial], declared), []):
                failed.append(goal)
        return failed

    def unproved(self, step: Step, facts: Sequence[Fact]) -> set[Fact]:
        """Those of the facts that do not certainly hold after a step."""
        if not facts:
            return set()
        ask = self.questions
        assumptions = [*step.assumptions, *self.system.instances(facts, step.names)]
        known, denials = self._parsed(step, assumptions, facts)
        solver = ask.solver(known)
        lost: set[Fact] = set()
        if ask.is_impossible(solver):
            return lost
        open_facts = dict(zip(facts, denials, strict=True))
        while open_facts:
            solver.push()
            solver.add(ask.any_of(list(open_facts.values())))
            done = ask.is_impossible(solver)
            places = [] if done else ask.suspects(solver, list(open_facts.values()))
            solver.pop()
            if done:
                break
            tried = [list(open_facts)[place] for place in places] or list(open_facts)
            for fact in tried:
                if time.monotonic() > self._deadline:
                    raise OutOfTimeError
                if not ask.follows(known, [open_facts[fact]]):
                    lost.add(fact)
                del open_facts[fact]
        return lost

    def _parsed(
        self, step: Step, assumptions: Sequence[str], facts: Sequence[Fact]
    ) -> tuple[list[Any], list[Any]]:
        """The assumptions of a step and the denials of facts after it, as the solver has them."""
        constants, denials = list[str](), list[str]()
        for fact in facts:
            needed, denial = refutation(fact, step.names)
            constants += needed
            denials.append(denial)
        declared = [f"(declare-fun {name} () Int)" for name in dict.fromkeys(constants)]
        found = self.questions.parsed([*assumptions, *denials], [*step.definitions, *declared])
        return found[: len(assumptions)], found[len(assumptions) :]
