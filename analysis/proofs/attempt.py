"""One attempt at a proof: guess, take away, and see whether the claim follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.proofs.claims import Claim, Goal
from analysis.proofs.effects import unchanged
from analysis.proofs.guesses import guesses
from analysis.proofs.houdini import Houdini
from analysis.proofs.rows import Rows
from analysis.proofs.runs import Runs, locations
from analysis.proofs.setting import Location, Setting
from analysis.proofs.system import Invariants, System
from analysis.proofs.view import View
from nram_env.tasks.terms import ForAll

MOST_ROWS = 400
"""Situations of a location that guesses are made from."""


@dataclass(frozen=True)
class Attempt:
    """What came of an attempt.

    Attributes:
        setting: Program, task and knobs.
        claim: What was to be shown.
        guessed: How many guesses were made.
        invariants: Those that are left.
        failed: Goals that do not certainly follow, with their locations.
        questions: How many questions were put to the solver.
        unchanged: Pieces of the memory that are as they were, where the claim follows.
    """

    setting: Setting
    claim: Claim
    guessed: int
    invariants: Invariants
    failed: tuple[tuple[Location, Goal], ...]
    questions: int
    unchanged: tuple[ForAll, ...] = ()

    @property
    def proved(self) -> bool:
        """Whether every goal follows."""
        return not self.failed


def attempt(
    setting: Setting,
    claim: Claim,
    runs: Runs,
    deadline: float = float("inf"),
    watch: Callable[[str], None] = lambda line: None,
    hasty: bool = True,
) -> Attempt:
    """Try to prove a claim with these knobs.

    Raises:
        OutOfTimeError: The deadline came first.
        OutOfReachError: Being hasty, it was given up as soon as a goal was lost.
    """
    found = {
        place: guesses(_view(setting, claim, runs, rows)) for place, rows in locations(runs, setting).items()
    }

    def goals(place: Location) -> tuple[Goal, ...]:
        return claim.goals(place, [setting.spec.post()])

    houdini = Houdini(System(setting), found, deadline, watch, goals if hasty else None)
    invariants = houdini.run()
    failed = tuple((place, goal) for place in houdini.left for goal in houdini.failed(place, goals(place)))
    same = () if failed else unchanged(houdini, claim, runs)
    guessed = sum(map(len, found.values()))
    return Attempt(setting, claim, guessed, invariants, failed, houdini.questions.count, same)


def _view(setting: Setting, claim: Claim, runs: Runs, rows: Rows) -> View:
    ends = claim.ends
    if len(rows) > MOST_ROWS:
        chosen = np.random.default_rng(0).choice(len(rows), MOST_ROWS, replace=False)
        rows = rows.chosen(np.sort(chosen))
    largest = runs.registers.max((0, 1))
    bits = frozenset(r for r, value in zip(setting.registers, largest, strict=True) if value <= 1)
    return View(setting, rows, bits, ends)
