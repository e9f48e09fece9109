"""Interleave: two arrays by turns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import Layout, Lead
from nram_env.tasks.parts import array
from nram_env.tasks.spec import Recursive, before, i, j, n
from nram_env.tasks.terms import Number, app, choose


class Interleave(ArrayTask):
    """Copy the elements of two arrays by turns behind them.

    Before, with p = n + 1, and A and B from 0..M-1::

        cell   0   1     ...  n        p    ...  2n       2n+1 ...
             | p | A[0] ... A[n-1] | B[0] ... B[n-1] | 0 ... 0

    Wanted: A[0], B[0], A[1], B[1] and so on. Output cells: 2n+1..4n. Smallest M: 4n + 1.
    """

    name = "x-interleave"
    title = "Interleave"
    layout = Layout(
        (Lead("p", "the address behind A, where B begins", n + 1, n + 1),),
        arrays=(("A", "the first array"), ("B", "the second array")),
        least=0,
        room=2 * n,
    )
    spec = layout.spec(
        ghosts=(
            Recursive(
                "source",
                first=Number(1),
                step=choose(app("source", j) <= n, app("source", j) + n, app("source", j) - n + 1),
                last=2 * n - 1,
            ),
        ),
        output=(2 * n + 1, 4 * n + 1),
        want=before(app("source", i - 2 * n - 1)),
        horizon=2 * n + 4,
        parts=(array(2 * n + 1, 4 * n + 1, "both", "the output"),),
    )

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """Where each cell comes from, by halves."""
        n = difficulty[:, None]
        place = np.maximum(np.arange(memory.shape[1]) - 2 * n - 1, 0)
        source = np.minimum(1 + place // 2 + place % 2 * n, 2 * n)
        return np.take_along_axis(memory, source, axis=1)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Pairs."""
        first, second = self.layout.elements(memory, 0), self.layout.elements(memory, 1)
        pairs = zip(first, second, strict=True)
        return dict(enumerate((x for pair in pairs for x in pair), start=2 * len(first) + 1))
