"""Length: how many elements an array has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import SLOT, Layout
from nram_env.tasks.spec import n


class Length(ArrayTask):
    """Put the number of elements of an array into cell 0.

    Before, with A from 1..M-1::

        cell   0      1     ...  n       n+1
             | slot | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: slot = n. Output cell: 0. Smallest M: n + 2.
    """

    name = "x-length"
    title = "Length"
    layout = Layout((SLOT,))
    spec = layout.spec(output=(0, 1), want=n, horizon=n + 3)

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """n, as it was asked for."""
        return difficulty[:, None]

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Count them."""
        return {0: len(self.layout.elements(memory))}
