"""Dedup: runs of equal elements."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import FREE, Layout
from nram_env.tasks.more.selection import Selection
from nram_env.tasks.spec import before


class Dedup(ArrayTask):
    """Keep one of every run of equal neighbours of an array.

    Before, with A from 1..M-1::

        cell   0   1     ...  n       n+1
             | 0 | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: the elements that differ from the one before, in their order, then zeros. Output cells: 1..n.
    Smallest M: n + 2.
    """

    name = "x-dedup"
    title = "Dedup"
    layout = Layout((FREE,))
    kept = Selection("kept", layout, lambda cell: before(cell).differs(before(cell - 1)))
    spec = kept.compacted()

    def arrange(self, rng: np.random.Generator, memory: np.ndarray, difficulty: np.ndarray) -> None:
        """About half of the elements equal the one before."""
        cells = np.arange(memory.shape[1])
        fresh = (cells == 1) | (rng.integers(2, size=memory.shape) == 1) | (cells > difficulty[:, None])
        latest = np.maximum.accumulate(np.where(fresh, cells, 0), axis=1)
        memory[:] = np.take_along_axis(memory, latest, axis=1)

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """A stable sort that puts what goes last."""
        kept = np.pad(memory[:, 1:] != memory[:, :-1], ((0, 0), (1, 0))) & (memory != 0)
        order = np.argsort(~kept, axis=1, kind="stable")
        return np.roll(np.take_along_axis(memory * kept, order, axis=1), 1, axis=1)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Python's own."""
        elements = self.layout.elements(memory)
        kept = [value for value, _ in groupby(elements)]
        return dict(enumerate(kept + [0] * (len(elements) - len(kept)), start=1))
