"""Partition: an array parted at a pivot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import Layout, Lead
from nram_env.tasks.more.selection import Selection
from nram_env.tasks.parts import array
from nram_env.tasks.spec import M, before, i, n
from nram_env.tasks.terms import choose


class Partition(ArrayTask):
    """Copy an array behind itself, first the elements below a pivot, then the others.

    Before, with p = n + 2, and v and A from 0..M-1::

        cell   0   1   2     ...  n+1      p ...
             | p | v | A[0] ... A[n-1] | 0 ... 0

    Both parts keep the order of their elements.

    Wanted: the elements below v, then those that are not. Output cells: p..p+n-1. Smallest M: 2n + 2.
    """

    name = "x-partition"
    title = "Partition"
    layout = Layout(
        (Lead("p", "where the output begins", n + 2, n + 2), Lead("v", "the pivot", 0, M - 1)),
        least=0,
        room=n,
    )
    low = Selection("low", layout, lambda cell: before(cell) < before(1))
    high = Selection("high", layout, lambda cell: before(cell) >= before(1))
    spec = layout.spec(
        ghosts=(*low.ghosts, *high.ghosts),
        pre=(*low.facts, *high.facts),
        witness=lambda memory, low=low, high=high: {**low.witness(memory), **high.witness(memory)},
        output=(n + 2, 2 * n + 2),
        want=choose(
            i < n + 2 + low.total,
            before(low.cell(i - n - 2)),
            before(high.cell(i - n - 2 - low.total)),
        ),
        horizon=3 * n + 6,
        parts=(array(n + 2, 2 * n + 2, "parted", "the output"),),
    )

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """A stable sort by the side of the pivot."""
        n, column = difficulty[:, None], np.arange(memory.shape[1])
        side = np.where(self.layout.inside(difficulty, memory.shape[1]), memory >= memory[:, 1:2], 2)
        sorted_ = np.take_along_axis(memory, np.argsort(side, axis=1, kind="stable"), axis=1)
        return np.take_along_axis(sorted_, np.maximum(column - n - 2, 0), axis=1)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Two lists."""
        start, pivot = memory[:2]
        elements = self.layout.elements(memory)
        parted = [x for x in elements if x < pivot] + [x for x in elements if x >= pivot]
        return dict(enumerate(parted, start=start))
