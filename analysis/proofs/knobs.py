"""Which settings are tried, in an order of growing cost."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from analysis.program.program import Program
from analysis.proofs.claims import Claim, Window
from analysis.proofs.runs import Runs
from analysis.proofs.setting import Setting, t
from nram_env.tasks import Task
from nram_env.tasks.spec import M
from nram_env.tasks.terms import Fact, Number, Term

LONGEST_HISTORY = 12
"""Edges that a location knows at most."""

_PHASES, _BEGINNING = (2, 3), 3


def settings(program: Program, task: Task, claim: Claim, right: Term, phase: int) -> Iterator[Setting]:
    """Settings for a claim about a program, the most promising first.

    Args:
        program: The program.
        task: Its task.
        claim: What is to be shown.
        right: From which T on the output was right.
        phase: After how many timesteps the program's edges come again, as far as was seen.
    """
    is_window = isinstance(claim, Window)
    before: tuple[Fact, ...] = (t < right,)
    first, second = (before, ()) if is_window else ((), before)
    tried = [
        *_straight(claim),
        (1, phase, first),
        (1, 1, first),
        (1, 1, second),
        (1, 1, (t <= right,)),
        (2, phase, first),
        (1, 2, ()),
        (1, 1, (t < M,)),
        (1, 2, before),
        (2, phase, second),
        (1, 1, (*before, t < M)),
        (1, 3, ()),
        (3, phase, before),
    ]
    for history, length, splits in dict.fromkeys(tried):
        yield Setting(program, task, history, length, splits, claim.last)


def _straight(claim: Claim) -> list[tuple[int, int, tuple[Fact, ...]]]:
    """For runs of a few timesteps: each timestep is a location of its own."""
    end = claim.ends[-1]
    short = isinstance(end, Number) and end.value < LONGEST_HISTORY
    return [(end.value, 1, ())] if isinstance(end, Number) and short else []


def phase_of(runs: Runs) -> int:
    """2 or 3 where the edges that are taken at every second or third timestep are always others, else 1."""
    time, row = np.nonzero(runs.edges >= 0)
    later = time >= _BEGINNING
    time, edges = time[later], runs.edges[time[later], row[later]]
    for phase in _PHASES:
        sets = [set(edges[time % phase == rest].tolist()) for rest in range(phase)]
        if len(set().union(*sets)) == sum(map(len, sets)) and all(sets):
            return phase
    return 1
