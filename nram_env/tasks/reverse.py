"""Reverse: copy an array backwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nram_env.tasks.copy import Copy
from nram_env.tasks.spec import before, i, n

_PARTS = (*Copy.spec.parts[:-1], replace(Copy.spec.parts[-1], name="reversed"))


class Reverse(Copy):
    """Copy an array behind itself in reverse order (paper, Section 4.2, task 4).

    Before, with p = n + 1::

        cell   0   1     ...  n        p ...
             | p | A[0] ... A[n-1] | 0 ... 0

    Wanted: cell p + i = A[n-1-i]. Output cells: p..p+n-1. Smallest M: 2n + 1. The memories are Copy's.
    """

    name = "reverse"
    title = "Reverse"
    num_registers = 6
    spec = replace(Copy.spec, want=before(2 * n + 1 - i), horizon=n + 4, parts=_PARTS)

    def horizon(self, difficulty: int) -> int:
        """One element a timestep, and four to start."""
        return difficulty + 4

    def _source(self, cells: np.ndarray, n: np.ndarray) -> np.ndarray:
        return 2 * n + 1 - cells

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Copy cell by cell from the far end."""
        pointer = memory[0]
        return {pointer + i: memory[pointer - 1 - i] for i in range(pointer - 1)}
