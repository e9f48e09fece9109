"""Sum: all elements of an array added up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import SLOT, Layout, modulo
from nram_env.tasks.spec import n
from nram_env.tasks.terms import app


class Sum(ArrayTask):
    """Put the sum of an array, modulo M, into cell 0.

    Before, with A from 1..M-1::

        cell   0      1     ...  n       n+1
             | slot | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: slot = the sum of all elements, modulo M. Output cell: 0. Smallest M: n + 2.
    """

    name = "x-sum"
    title = "Sum"
    layout = Layout((SLOT,))
    spec = layout.spec(
        ghosts=(layout.running("total", 0, lambda total, x: modulo(total + x)),),
        output=(0, 1),
        want=app("total", n),
        horizon=n + 3,
    )

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """The sum of every row."""
        return memory[:, 1:].sum(axis=1, keepdims=True) % memory.shape[1]

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Python's own."""
        return {0: sum(self.layout.elements(memory)) % len(memory)}
