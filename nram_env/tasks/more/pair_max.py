"""PairMax: the larger of every two elements."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import Layout, Lead
from nram_env.tasks.spec import before, i, n
from nram_env.tasks.terms import choose


class PairMax(ArrayTask):
    """Replace every element of an array by the larger of it and its partner in another.

    Before, with p = n + 1, and A and B from 0..M-1::

        cell   0   1     ...  n        p    ...  2n     2n+1
             | p | A[0] ... A[n-1] | B[0] ... B[n-1] | 0 ...

    Wanted: cell i = the larger of A[i-1] and B[i-1]. Output cells: 1..n. Smallest M: 2n + 2.
    """

    name = "x-pairmax"
    title = "PairMax"
    layout = Layout(
        (Lead("p", "the address behind A, where B begins", n + 1, n + 1),),
        arrays=(("A", "the array that takes the answer"), ("B", "the other array")),
        least=0,
    )
    spec = layout.spec(
        output=(1, n + 1),
        want=choose(before(i) <= before(i + n), before(i + n), before(i)),
        horizon=2 * n + 4,
    )

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """One maximum a cell."""
        partner = np.minimum(np.arange(memory.shape[1]) + difficulty[:, None], memory.shape[1] - 1)
        return np.maximum(memory, np.take_along_axis(memory, partner, axis=1))

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Pairs."""
        first, second = self.layout.elements(memory, 0), self.layout.elements(memory, 1)
        return {cell: max(pair) for cell, pair in enumerate(zip(first, second, strict=True), start=1)}
