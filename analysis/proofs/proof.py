"""A proof: a claim about a program with an invariant that it follows from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.proofs.claims import Claim, Goal
from analysis.proofs.setting import Location, Setting
from analysis.proofs.system import Invariants
from nram_env.tasks.terms import Fact, ForAll


@dataclass(frozen=True)
class Proof:
    """A claim and what it follows from. What it is worth, its obligations say once solvers agree to them.

    Attributes:
        setting: Program, task and knobs.
        claim: The claim.
        invariants: Facts that hold at every location that a run may reach.
        unchanged: Facts about pieces of the memory that are, where the output is right, as they were.
    """

    setting: Setting
    claim: Claim
    invariants: Invariants
    unchanged: tuple[ForAll, ...] = ()

    @property
    def facts(self) -> tuple[Fact, ...]:
        """What holds of the memory in the end."""
        return (self.setting.spec.post(), *self.unchanged)

    def goals(self, place: Location) -> tuple[Goal, ...]:
        """What has to follow from the invariant of a location."""
        return self.claim.goals(place, self.facts)

    def places(self) -> Iterator[tuple[Location, tuple[Fact, ...]]]:
        """Every location with its facts."""
        for place, facts in self.invariants.items():
            yield place, tuple(facts)
