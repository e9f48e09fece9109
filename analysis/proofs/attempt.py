"""One attempt at a proof: guess, take away, and see whether the claim follows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from analysis.proofs.claims import Claim, Goal
from analysis.proofs.effects import unchanged
from analysis.proofs.guesses import guesses
from analysis.proofs.houdini import Houdini, OutOfTimeError
from analysis.proofs.rows import Rows
from analysis.proofs.runs import Runs, locations
from analysis.proofs.setting import Location, Setting
from analysis.proofs.system import Invariants, System
from analysis.proofs.view import View
from nram_env.tasks.terms import Fact, ForAll

MOST_ROWS = 400
"""Situations of a location that guesses are made from."""


@dataclass(frozen=True)
class Attempt:
    """What came of an attempt.

    Attributes:
        setting: Program, task and knobs.
        claim: What was shown, or what was to be shown.
        guessed: How many guesses were made.
        invariants: Those that are left.
        failed: Goals that do not certainly follow, with their locations.
        questions: How many questions were put to the solver.
        unchanged: Pieces of the memory that are as they were, where the claim follows.
        finished: Whether every step keeps the invariants; otherwise the largest set of them that every step
            keeps had not been found when the time was over.
    """

    setting: Setting
    claim: Claim
    guessed: int
    invariants: Invariants
    failed: tuple[tuple[Location, Goal], ...]
    questions: int
    unchanged: tuple[ForAll, ...] = ()
    finished: bool = True

    @property
    def proved(self) -> bool:
        """Whether every goal follows."""
        return self.finished and not self.failed


def attempt(
    setting: Setting,
    claims: Sequence[Claim],
    runs: Runs,
    deadline: float = float("inf"),
    watch: Callable[[str], None] = lambda line: None,
    hasty: bool = True,
) -> Attempt:
    """Try to prove the first of some claims that these knobs are enough for.

    Args:
        setting: Program, task and knobs.
        claims: The claims, the strongest first.
        runs: What facts are guessed from.
        deadline: When to end, on the clock of `time.monotonic`.
        watch: Told what is going on.
        hasty: Whether to give up as soon as a goal of every claim is lost, or the time is over; otherwise
            what is left is told then, also after an interrupt.

    Raises:
        OutOfTimeError: Being hasty, the deadline came first.
        OutOfReachError: Being hasty, no claim was left.
    """
    found = {
        place: guesses(_view(setting, claims, runs, rows)) for place, rows in locations(runs, setting).items()
    }
    wanted = [setting.spec.post()]
    needed = [partial(claim.goals, facts=wanted) for claim in claims] if hasty else ()
    houdini = Houdini(System(setting), found, deadline, watch, needed)
    finished = True
    try:
        houdini.run()
    except (OutOfTimeError, KeyboardInterrupt):
        if hasty:
            raise
        finished = False
    claim, failed = _follows(houdini, claims, wanted)
    same = unchanged(houdini, claim, runs) if finished and not failed else ()
    guessed = sum(map(len, found.values()))
    return Attempt(setting, claim, guessed, houdini.left, failed, houdini.questions.count, same, finished)


def _follows(
    houdini: Houdini, claims: Sequence[Claim], wanted: Sequence[Fact]
) -> tuple[Claim, tuple[tuple[Location, Goal], ...]]:
    """The first claim all of whose goals follow, or the first one and those that do not."""
    failed = []
    for claim in claims:
        failed.append(
            tuple(
                (place, goal)
                for place in houdini.left
                for goal in houdini.failed(place, claim.goals(place, wanted))
            )
        )
        if not failed[-1]:
            return claim, ()
    return claims[0], failed[0]


def _view(setting: Setting, claims: Sequence[Claim], runs: Runs, rows: Rows) -> View:
    ends = tuple(dict.fromkeys(claims[0].ends + claims[-1].ends))
    if len(rows) > MOST_ROWS:
        chosen = np.random.default_rng(0).choice(len(rows), MOST_ROWS, replace=False)
        rows = rows.chosen(np.sort(chosen))
    largest = runs.registers.max((0, 1))
    bits = frozenset(r for r, value in zip(setting.registers, largest, strict=True) if value <= 1)
    return View(setting, rows, bits, ends)
