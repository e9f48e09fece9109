"""Min: the least element of an array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import SLOT, Layout
from nram_env.tasks.spec import M, n
from nram_env.tasks.terms import app, choose


class Min(ArrayTask):
    """Put the least element of an array into cell 0.

    Before, with A from 1..M-1::

        cell   0      1     ...  n       n+1
             | slot | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: slot = the least element. Output cell: 0. Smallest M: n + 2.
    """

    name = "x-min"
    title = "Min"
    layout = Layout((SLOT,))
    spec = layout.spec(
        ghosts=(layout.running("best", M - 1, lambda best, x: choose(x <= best, x, best)),),
        output=(0, 1),
        want=app("best", n),
        horizon=n + 3,
    )

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """The least of every row, but for its zeros."""
        elements = np.where(self.layout.inside(difficulty, memory.shape[1]), memory, memory.shape[1])
        return elements.min(axis=1, keepdims=True)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Python's own."""
        return {0: min(self.layout.elements(memory))}
