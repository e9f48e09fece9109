"""Max: the largest element of an array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import SLOT, Layout
from nram_env.tasks.spec import n
from nram_env.tasks.terms import app, choose


class Max(ArrayTask):
    """Put the largest element of an array into cell 0.

    Before, with A from 1..M-1::

        cell   0      1     ...  n       n+1
             | slot | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: slot = the largest element. Output cell: 0. Smallest M: n + 2.
    """

    name = "x-max"
    title = "Max"
    layout = Layout((SLOT,))
    spec = layout.spec(
        ghosts=(layout.running("best", 0, lambda best, x: choose(best <= x, x, best)),),
        output=(0, 1),
        want=app("best", n),
        horizon=n + 3,
    )

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """The largest of every row."""
        return memory[:, 1:].max(axis=1, keepdims=True)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Python's own."""
        return {0: max(self.layout.elements(memory))}
