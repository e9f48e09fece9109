"""Replace: one value for another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import Layout, Lead, repeated
from nram_env.tasks.spec import M, before, i, n
from nram_env.tasks.terms import choose


class Replace(ArrayTask):
    """Replace every element that equals v by w.

    Before, with v, w and A from 1..M-1::

        cell   0   1   2     ...  n+1     n+2
             | v | w | A[0] ... A[n-1] | NULL | 0 ...

    v need not occur, and w may be v.

    Wanted: w where an element is v, the element elsewhere. Output cells: 2..n+1. Smallest M: n + 3.
    """

    name = "x-replace"
    title = "Replace"
    layout = Layout(
        (
            Lead("v", "the value that is replaced", 1, M - 1),
            Lead("w", "the value that is put in its place", 1, M - 1),
        )
    )
    spec = layout.spec(
        output=(2, n + 2),
        want=choose(before(i).equals(before(0)), before(1), before(i)),
        horizon=2 * n + 4,
    )

    def arrange(self, rng: np.random.Generator, memory: np.ndarray, difficulty: np.ndarray) -> None:
        """About half of the elements are v."""
        repeated(rng, self.layout, memory, difficulty)

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """One choice a cell."""
        return np.where(memory == memory[:, :1], memory[:, 1:2], memory)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """One look at every element."""
        old, new = memory[:2]
        elements = self.layout.elements(memory)
        return {cell: new if x == old else x for cell, x in enumerate(elements, start=2)}
