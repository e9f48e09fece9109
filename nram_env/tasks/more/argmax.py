"""Argmax: where the largest element stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import SLOT, Layout
from nram_env.tasks.spec import before, j, n
from nram_env.tasks.terms import between, forall, variable

s = variable("s")


class Argmax(ArrayTask):
    """Put the address of the first largest element of an array into cell 0.

    Before, with A from 1..M-1::

        cell   0      1     ...  n       n+1
             | slot | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: slot = the address of the largest element, of equal ones the first. Output cell: 0.
    Smallest M: n + 2.
    """

    name = "x-argmax"
    title = "Argmax"
    layout = Layout((SLOT,))
    spec = layout.spec(
        params={"s": None},
        witness=lambda memory: {"s": memory.index(max(memory[1:]), 1)},
        pre=(
            between(1, s, n),
            forall("j", 1, s, before(j) < before(s), before(j)),
            forall("j", s, n + 1, before(j) <= before(s), before(j)),
        ),
        output=(0, 1),
        want=s,
        horizon=2 * n + 4,
    )

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """numpy's own."""
        return memory[:, 1:].argmax(axis=1)[:, None] + 1

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Walk, and remember the best so far."""
        best = 1
        for cell in range(2, len(self.layout.elements(memory)) + 1):
            if memory[cell] > memory[best]:
                best = cell
        return {0: best}
