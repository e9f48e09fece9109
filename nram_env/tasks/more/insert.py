"""Insert: one more element in a sorted array."""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import Layout, Lead
from nram_env.tasks.spec import M, before, i, n
from nram_env.tasks.terms import app, choose


class Insert(ArrayTask):
    """Insert v into a sorted array.

    Before, with v from 1..M-1, and A from 1..M-1, never falling::

        cell   0   1     ...  n       n+1
             | v | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: A and v together, never falling. Output cells: 1..n+1. Smallest M: n + 2.
    """

    name = "x-insert"
    title = "Insert"
    layout = Layout((Lead("v", "the value that is inserted", 1, M - 1),), ascending=True)
    spec = layout.spec(
        ghosts=(layout.running("below", 0, lambda below, x: choose(x <= before(0), below + 1, below)),),
        output=(1, n + 2),
        want=choose(
            i <= app("below", n),
            before(i),
            choose(i.equals(app("below", n) + 1), before(0), before(i - 1)),
        ),
        horizon=2 * n + 4,
    )

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """A sort of every row."""
        size = memory.shape[1]
        values = np.where(self.layout.inside(difficulty, size) | (np.arange(size) == 0), memory, size)
        return np.roll(np.sort(values, axis=1), 1, axis=1)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Python's own."""
        elements = self.layout.elements(memory)
        insort(elements, memory[0])
        return dict(enumerate(elements, start=1))
