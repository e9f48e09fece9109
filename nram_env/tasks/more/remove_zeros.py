"""RemoveZeros: an array without its zeros."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import Layout, Lead
from nram_env.tasks.more.selection import Selection
from nram_env.tasks.spec import before, n


class RemoveZeros(ArrayTask):
    """Move the elements of an array that are not 0 to its front.

    Before, with p = n + 1, and A from 0..M-1::

        cell   0   1     ...  n        p ...
             | p | A[0] ... A[n-1] | 0 ... 0

    Wanted: the elements that are not 0 in their order, then zeros. Output cells: 1..n.
    Smallest M: n + 2.
    """

    name = "x-removezeros"
    title = "RemoveZeros"
    layout = Layout((Lead("p", "the address behind the array", n + 1, n + 1),), least=0)
    kept = Selection("kept", layout, lambda cell: before(cell).differs(0))
    spec = kept.compacted()

    def arrange(self, rng: np.random.Generator, memory: np.ndarray, difficulty: np.ndarray) -> None:
        """About half of the elements are 0."""
        memory[
            self.layout.inside(difficulty, memory.shape[1]) & (rng.integers(2, size=memory.shape) == 1)
        ] = 0

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """A stable sort that puts zeros last."""
        inside = self.layout.inside(difficulty, memory.shape[1])
        order = np.argsort(np.where(inside & (memory != 0), 0, 1), axis=1, kind="stable")
        front = np.take_along_axis(memory * inside, order, axis=1)
        return np.roll(front, 1, axis=1)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """A list of what stays."""
        elements = self.layout.elements(memory)
        kept = [x for x in elements if x]
        return dict(enumerate(kept + [0] * (len(elements) - len(kept)), start=1))
