"""Differences: from every element the one before it is subtracted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import ZERO, Layout
from nram_env.tasks.spec import M, before, i, n
from nram_env.tasks.terms import choose


class Differences(ArrayTask):
    """Subtract from every element the one before it, modulo M.

    Before, with A from 1..M-1::

        cell   0   1     ...  n       n+1
             | 0 | A[0] ... A[n-1] | NULL | 0 ...

    The first element stays, since cell 0 holds 0. PrefixSums undoes it: the sums of the differences up to
    each are the elements.

    Wanted: cell i = what it held less what cell i - 1 held, modulo M. Output cells: 1..n. Smallest M: n + 2.
    """

    name = "x-differences"
    title = "Differences"
    layout = Layout((ZERO,))
    spec = layout.spec(
        output=(1, n + 1),
        want=before(i) - before(i - 1) + choose(before(i) < before(i - 1), M, 0),
        horizon=n + 3,
    )

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """Every row less itself turned by one cell."""
        return (memory - np.roll(memory, 1, axis=1)) % memory.shape[1]

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """One subtraction a cell."""
        elements = self.layout.elements(memory)
        pairs = zip(elements, [0, *elements], strict=False)
        return {cell: (x - last) % len(memory) for cell, (x, last) in enumerate(pairs, start=1)}
