"""Count: how often a value occurs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import Layout, Lead, repeated
from nram_env.tasks.spec import M, before, n
from nram_env.tasks.terms import app, choose


class Count(ArrayTask):
    """Put the number of elements that equal v into cell 0.

    Before, with v and A from 1..M-1::

        cell   0   1     ...  n       n+1
             | v | A[0] ... A[n-1] | NULL | 0 ...

    v need not occur.

    Wanted: cell 0 = how many elements are v. Output cell: 0. Smallest M: n + 2.
    """

    name = "x-count"
    title = "Count"
    layout = Layout((Lead("v", "the value that is counted, then the output", 1, M - 1),))
    spec = layout.spec(
        ghosts=(layout.running("met", 0, lambda met, x: choose(x.equals(before(0)), met + 1, met)),),
        output=(0, 1),
        want=app("met", n),
        horizon=n + 4,
    )

    def arrange(self, rng: np.random.Generator, memory: np.ndarray, difficulty: np.ndarray) -> None:
        """About half of the elements are v."""
        repeated(rng, self.layout, memory, difficulty)

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """One sum a row."""
        return (memory[:, 1:] == memory[:, :1]).sum(axis=1, keepdims=True)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Python's own."""
        return {0: self.layout.elements(memory).count(memory[0])}
