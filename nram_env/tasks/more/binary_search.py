"""BinarySearch: where a value belongs in a sorted array."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import Layout, Lead
from nram_env.tasks.spec import M, before, n
from nram_env.tasks.terms import app, choose


class BinarySearch(ArrayTask):
    """Put the address of the first element that is not below v into cell 0.

    Before, with v from 0..M-1, and A from 1..M-1, never falling::

        cell   0   1     ...  n       n+1
             | v | A[0] ... A[n-1] | NULL | 0 ...

    T(n) is linear, so a scan is an answer as well as a search that halves: nothing here asks for the
    logarithm. Where all elements are below v, the address is that of NULL.

    Wanted: cell 0 = 1 + how many elements are below v. Output cell: 0. Smallest M: n + 2.
    """

    name = "x-binarysearch"
    title = "BinarySearch"
    layout = Layout((Lead("v", "the value that is looked for, then the output", 0, M - 1),), ascending=True)
    spec = layout.spec(
        ghosts=(layout.running("below", 0, lambda below, x: choose(x < before(0), below + 1, below)),),
        output=(0, 1),
        want=app("below", n) + 1,
        horizon=n + 4,
    )

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """One count a row."""
        below = self.layout.inside(difficulty, memory.shape[1]) & (memory < memory[:, :1])
        return below.sum(axis=1, keepdims=True) + 1

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Python's own."""
        return {0: 1 + bisect_left(self.layout.elements(memory), memory[0])}
