"""AddTo: a number added to every element."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import Layout, Lead, modulo
from nram_env.tasks.spec import M, before, i, n


class AddTo(ArrayTask):
    """Add k to every element, modulo M.

    Before, with k and A from 1..M-1::

        cell   0   1     ...  n       n+1
             | k | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: cell i = what it held and k, modulo M. Output cells: 1..n. Smallest M: n + 2.
    """

    name = "x-addto"
    title = "AddTo"
    layout = Layout((Lead("k", "the number that is added", 1, M - 1),))
    spec = layout.spec(output=(1, n + 1), want=modulo(before(i) + before(0)), horizon=n + 3)

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """One sum a cell."""
        return (memory + memory[:, :1]) % memory.shape[1]

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """One sum a cell."""
        elements = self.layout.elements(memory)
        return {cell: (x + memory[0]) % len(memory) for cell, x in enumerate(elements, start=1)}
