"""ReverseInPlace: an array turned around where it stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import FREE, Layout
from nram_env.tasks.spec import before, i, n


class ReverseInPlace(ArrayTask):
    """Reverse an array in place.

    Before, with A from 1..M-1::

        cell   0   1     ...  n       n+1
             | 0 | A[0] ... A[n-1] | NULL | 0 ...

    Where it ends has to be found first.

    Wanted: cell i = what cell n + 1 - i held. Output cells: 1..n. Smallest M: n + 2.
    """

    name = "x-reverseinplace"
    title = "ReverseInPlace"
    layout = Layout((FREE,))
    spec = layout.spec(output=(1, n + 1), want=before(n + 1 - i), horizon=3 * n + 4)

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """From the end of every row."""
        return np.take_along_axis(
            memory, np.maximum(difficulty[:, None] + 1 - np.arange(memory.shape[1]), 0), axis=1
        )

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Python's own."""
        return dict(enumerate(reversed(self.layout.elements(memory)), start=1))
