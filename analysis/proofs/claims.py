"""What is claimed of a program: that it stops by itself, its output right, or when the output is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.proofs.setting import STOP, UNSEEN, Location, t
from nram_env.tasks.spec import TaskSpec
from nram_env.tasks.terms import FALSE, Fact, Term, text


@dataclass(frozen=True)
class Goal:
    """What has to follow from the invariant of a location.

    Attributes:
        given: What may be assumed besides.
        fact: What has to hold.
    """

    given: tuple[Fact, ...]
    fact: Fact


@dataclass(frozen=True)
class Stops:
    """The program stops by itself, and the output is then right.

    Attributes:
        steps: After at most so many timesteps.
    """

    steps: Term

    @property
    def last(self) -> Term | None:
        """The claim speaks of whole runs."""
        return None

    @property
    def ends(self) -> tuple[Term, ...]:
        """Bounds of t."""
        return (self.steps,)

    def goals(self, place: Location, facts: Sequence[Fact]) -> tuple[Goal, ...]:
        """What has to follow at a location, where each next timestep is one of the claimed ones.

        Args:
            place: The location.
            facts: What has to hold of the memory that the program leaves behind.
        """
        if place.next == UNSEEN:
            return (Goal((), FALSE),)
        if place.next == STOP:
            return tuple(Goal((), fact) for fact in facts)
        return (Goal((), t + 1 <= self.steps),)

    def sides(self, spec: TaskSpec) -> tuple[Fact, ...]:
        """Nothing has to hold at the start."""
        return ()

    def __str__(self) -> str:
        return f"it stops by itself after at most {text(self.steps)} steps, and the output is then right"


@dataclass(frozen=True)
class Window:
    """The output is right whenever a run is cut within a while.

    Attributes:
        first: The first such T.
        last: The last one; None if there is no last.
    """

    first: Term
    last: Term | None

    @property
    def ends(self) -> tuple[Term, ...]:
        """Bounds of t."""
        return (self.first,) if self.last is None else (self.first, self.last)

    def goals(self, place: Location, facts: Sequence[Fact]) -> tuple[Goal, ...]:
        """What has to follow at a location: from the first T on, and where the program stops, the facts."""
        if place.next == UNSEEN:
            return (Goal((), FALSE),)
        given = () if place.next == STOP else (self.first <= t,)
        return tuple(Goal(given, fact) for fact in facts)

    def sides(self, spec: TaskSpec) -> tuple[Fact, ...]:
        """T(n) is within."""
        inside = self.first <= spec.horizon
        return (inside,) if self.last is None else (inside, spec.horizon <= self.last)

    def __str__(self) -> str:
        on = f"the output is right after every T from {text(self.first)} on"
        return on if self.last is None else f"{on} to {text(self.last)}"


Claim = Stops | Window
