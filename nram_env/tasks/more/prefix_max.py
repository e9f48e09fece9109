"""PrefixMax: every element becomes the largest up to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import FREE, Layout
from nram_env.tasks.spec import i, n
from nram_env.tasks.terms import app, choose


class PrefixMax(ArrayTask):
    """Replace every element by the largest of all elements up to it.

    Before, with A from 1..M-1::

        cell   0   1     ...  n       n+1
             | 0 | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: cell i = the largest of A[0]..A[i-1]. Output cells: 1..n. Smallest M: n + 2.
    """

    name = "x-prefixmax"
    title = "PrefixMax"
    layout = Layout((FREE,))
    spec = layout.spec(
        ghosts=(layout.running("best", 0, lambda best, x: choose(best <= x, x, best)),),
        output=(1, n + 1),
        want=app("best", i),
        horizon=n + 3,
    )

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """The running maximum of every row."""
        return np.maximum.accumulate(memory * (np.arange(memory.shape[1]) > 0), axis=1)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """One maximum a cell."""
        elements = self.layout.elements(memory)
        return {cell: max(elements[:cell]) for cell in range(1, len(elements) + 1)}
