"""Rotate: an array from its k-th element on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import Layout, Lead
from nram_env.tasks.parts import array
from nram_env.tasks.spec import before, i, n
from nram_env.tasks.terms import choose


class Rotate(ArrayTask):
    """Copy an array behind itself, from its k-th element on and then from the front.

    Before, with p = n + 2, k from 0..n-1 and A from 0..M-1::

        cell   0   1   2     ...  n+1      p ...
             | p | k | A[0] ... A[n-1] | 0 ... 0

    Wanted: cell p + i = A[(i + k) mod n]. Output cells: p..p+n-1. Smallest M: 2n + 2.
    """

    name = "x-rotate"
    title = "Rotate"
    layout = Layout(
        (
            Lead("p", "where the copy begins", n + 2, n + 2),
            Lead("k", "the number of the first element to copy", 0, n - 1),
        ),
        least=0,
        room=n,
    )
    spec = layout.spec(
        output=(n + 2, 2 * n + 2),
        want=choose(i + before(1) < 2 * n + 2, before(i - n + before(1)), before(i - 2 * n + before(1))),
        horizon=2 * n + 4,
        parts=(array(n + 2, 2 * n + 2, "copy", "the output"),),
    )

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """Where each cell comes from, by a remainder."""
        n = difficulty[:, None]
        source = 2 + (np.arange(memory.shape[1]) - 2 - n + memory[:, 1:2]) % n
        return np.take_along_axis(memory, source, axis=1)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Two slices."""
        start, k = memory[:2]
        elements = self.layout.elements(memory)
        return dict(enumerate(elements[k:] + elements[:k], start=start))
