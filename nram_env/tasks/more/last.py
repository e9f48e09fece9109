"""Last: the last element of an array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import SLOT, Layout
from nram_env.tasks.spec import before, n


class Last(ArrayTask):
    """Put the last element of an array into cell 0.

    Before, with A from 1..M-1::

        cell   0      1     ...  n       n+1
             | slot | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: slot = A[n-1]. Output cell: 0. Smallest M: n + 2.
    """

    name = "x-last"
    title = "Last"
    layout = Layout((SLOT,))
    spec = layout.spec(output=(0, 1), want=before(n), horizon=n + 3)

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """The element in cell n."""
        return np.take_along_axis(memory, difficulty[:, None], axis=1)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """The one before NULL."""
        return {0: memory[memory.index(0, 1) - 1]}
