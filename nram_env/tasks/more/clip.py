"""Clip: no element above a limit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import Layout, Lead
from nram_env.tasks.spec import M, before, i, n
from nram_env.tasks.terms import choose


class Clip(ArrayTask):
    """Replace every element above k by k.

    Before, with k and A from 1..M-1::

        cell   0   1     ...  n       n+1
             | k | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: cell i = the smaller of k and what it held. Output cells: 1..n. Smallest M: n + 2.
    """

    name = "x-clip"
    title = "Clip"
    layout = Layout((Lead("k", "the limit", 1, M - 1),))
    spec = layout.spec(
        output=(1, n + 1),
        want=choose(before(i) <= before(0), before(i), before(0)),
        horizon=n + 3,
    )

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """One minimum a cell."""
        return np.minimum(memory, memory[:, :1])

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Python's own."""
        return {cell: min(x, memory[0]) for cell, x in enumerate(self.layout.elements(memory), start=1)}
