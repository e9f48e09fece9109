"""ShiftLeft: every element one cell to the left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import FREE, Layout
from nram_env.tasks.spec import before, i, n


class ShiftLeft(ArrayTask):
    """Move every element one cell to the left, over the first one.

    Before, with A from 1..M-1::

        cell   0   1     ...  n       n+1
             | 0 | A[0] ... A[n-1] | NULL | 0 ...

    NULL moves as well: the last element leaves a 0 behind.

    Wanted: cell i = what cell i + 1 held. Output cells: 1..n. Smallest M: n + 2.
    """

    name = "x-shiftleft"
    title = "ShiftLeft"
    layout = Layout((FREE,))
    spec = layout.spec(output=(1, n + 1), want=before(i + 1), horizon=n + 3)

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """Every row turned by one cell."""
        return np.roll(memory, -1, axis=1)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """A slice, and NULL."""
        return dict(enumerate([*self.layout.elements(memory)[1:], 0], start=1))
