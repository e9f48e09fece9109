"""Double: twice every element."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import FREE, Layout, modulo
from nram_env.tasks.spec import before, i, n


class Double(ArrayTask):
    """Double every element, modulo M.

    Before, with A from 1..M-1::

        cell   0   1     ...  n       n+1
             | 0 | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: cell i = twice what it held, modulo M. Output cells: 1..n. Smallest M: n + 2.
    """

    name = "x-double"
    title = "Double"
    layout = Layout((FREE,))
    spec = layout.spec(output=(1, n + 1), want=modulo(before(i) + before(i)), horizon=n + 3)

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """One sum a cell."""
        return 2 * memory % memory.shape[1]

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """One sum a cell."""
        elements = self.layout.elements(memory)
        return {cell: (x + x) % len(memory) for cell, x in enumerate(elements, start=1)}
