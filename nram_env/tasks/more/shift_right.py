"""ShiftRight: every element one cell to the right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import ZERO, Layout
from nram_env.tasks.spec import before, i, n


class ShiftRight(ArrayTask):
    """Move every element one cell to the right, the last one over NULL.

    Before, with A from 1..M-1::

        cell   0   1     ...  n       n+1
             | 0 | A[0] ... A[n-1] | NULL | 0 ...

    Cell 0 moves as well: its 0 comes into cell 1. No element is lost.

    Wanted: cell i = what cell i - 1 held. Output cells: 1..n+1. Smallest M: n + 2.
    """

    name = "x-shiftright"
    title = "ShiftRight"
    layout = Layout((ZERO,))
    spec = layout.spec(output=(1, n + 2), want=before(i - 1), horizon=n + 4)

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """Every row turned by one cell."""
        return np.roll(memory, 1, axis=1)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Cell 0, and the elements."""
        return dict(enumerate([0, *self.layout.elements(memory)], start=1))
