"""PrefixSums: every element becomes the sum up to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import FREE, Layout, modulo
from nram_env.tasks.spec import i, n
from nram_env.tasks.terms import app


class PrefixSums(ArrayTask):
    """Replace every element by the sum of all elements up to it, modulo M.

    Before, with A from 1..M-1::

        cell   0   1     ...  n       n+1
             | 0 | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: cell i = A[0] + ... + A[i-1], modulo M. Output cells: 1..n. Smallest M: n + 2.
    """

    name = "x-prefixsums"
    title = "PrefixSums"
    layout = Layout((FREE,))
    spec = layout.spec(
        ghosts=(layout.running("total", 0, lambda total, x: modulo(total + x)),),
        output=(1, n + 1),
        want=app("total", i),
        horizon=n + 3,
    )

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """The running sum of every row."""
        return memory.cumsum(axis=1) % memory.shape[1]

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """One sum a cell."""
        elements = self.layout.elements(memory)
        return {cell: sum(elements[:cell]) % len(memory) for cell in range(1, len(elements) + 1)}
