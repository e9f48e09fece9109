"""Sort: a sorted array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import FREE, Layout
from nram_env.tasks.spec import Chosen, Recursive, before, i, j, n
from nram_env.tasks.terms import Number, app, between, forall


class Sort(ArrayTask):
    """Sort an array in place.

    Before, with A from 1..M-1::

        cell   0   1     ...  n       n+1
             | 0 | A[0] ... A[n-1] | NULL | 0 ...

    T(n) is quadratic: n passes over the array, each of which compares neighbours, are a short program.

    Wanted: the elements, never falling. Output cells: 1..n. Smallest M: n + 2.
    """

    name = "x-sort"
    title = "Sort"
    layout = Layout((FREE,))
    spec = layout.spec(
        ghosts=(
            Chosen("order", n),
            Recursive("square", first=Number(0), step=app("square", j) + 2 * j + 1, last=n + 2),
        ),
        pre=(
            forall("j", 0, n, between(1, app("order", j), n), app("order", j)),
            forall("j", 0, n, forall("i", 0, j, app("order", i).differs(app("order", j)))),
            forall("j", 0, n - 1, before(app("order", j)) <= before(app("order", j + 1))),
        ),
        witness=lambda memory: {"order": _order(memory)},
        output=(1, n + 1),
        want=before(app("order", i - 1)),
        horizon=app("square", n + 2),
    )

    def horizon(self, difficulty: int) -> int:
        """n + 2 passes of n + 2 timesteps."""
        return (difficulty + 2) ** 2

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """A sort of every row."""
        size = memory.shape[1]
        values = np.where(self.layout.inside(difficulty, size), memory, size)
        return np.roll(np.sort(values, axis=1), 1, axis=1)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Python's own."""
        return dict(enumerate(sorted(self.layout.elements(memory)), start=1))


def _order(memory: Sequence[int]) -> list[int]:
    """The addresses of the elements, those of smaller ones first."""
    return sorted(range(1, list(memory).index(0, 1)), key=memory.__getitem__)
