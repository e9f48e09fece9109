"""Which pieces of the memory a program leaves as they were."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from analysis.proofs.claims import Claim
from analysis.proofs.houdini import Houdini
from analysis.proofs.rows import Rows
from analysis.proofs.runs import Runs
from analysis.proofs.segments import kept
from nram_env.tasks.spec import BEFORE, M, TaskSpec
from nram_env.tasks.terms import ForAll, Number, Term


def unchanged(houdini: Houdini, claim: Claim, runs: Runs) -> tuple[ForAll, ...]:
    """Facts that pieces between the task's cuts are as they were, the largest that follow.

    Args:
        houdini: With the guesses that are left, from which the claim follows.
        claim: Says where the facts have to follow.
        runs: What was seen.
    """
    found: list[tuple[np.ndarray, np.ndarray, ForAll]] = []
    for low, high, fact in _pieces(houdini.system.setting.spec, runs.start):
        inside = any(((first <= low) & (high <= end)).all() for first, end, _ in found)
        if not inside and not _differs(runs, low, high) and _follows(houdini, claim, fact):
            found.append((low, high, fact))
    return tuple(fact for _, _, fact in found)


def _pieces(spec: TaskSpec, start: Rows) -> Iterator[tuple[np.ndarray, np.ndarray, ForAll]]:
    """Pieces between cuts, the largest first."""
    ends: dict[Term, np.ndarray] = {term: start.value(term) for term in (*spec.cuts, Number(0), M)}
    pairs = [
        (first, end)
        for first, end in permutations(ends, 2)
        if (ends[first] <= ends[end]).all() and (ends[first] < ends[end]).any()
    ]
    for first, end in sorted(pairs, key=lambda pair: -int((ends[pair[1]] - ends[pair[0]]).sum())):
        yield ends[first], ends[end], kept(first, end)


def _differs(runs: Runs, low: np.ndarray, high: np.ndarray) -> bool:
    """Whether some run ended with another value in such a piece."""
    final = runs.memory[-1]
    cells = np.arange(final.shape[1])
    inside = (low[:, None] <= cells) & (cells < high[:, None])
    return bool((inside & (final != runs.start.functions[BEFORE][:, : final.shape[1]])).any())


def _follows(houdini: Houdini, claim: Claim, fact: ForAll) -> bool:
    return not any(houdini.failed(place, claim.goals(place, [fact])) for place in houdini.left)
