"""FindLast: where a value stands in an array for the last time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.find import Find
from nram_env.tasks.more.layout import another
from nram_env.tasks.spec import before, j, n
from nram_env.tasks.terms import between, forall, variable

s = variable("s")


class FindLast(Find):
    """Put the address of the last element that equals v into cell 0.

    Before, with A from 1..M-1, and v one of its elements at least::

        cell   0   1     ...  n       n+1
             | v | A[0] ... A[n-1] | NULL | 0 ...

    Unlike Find it has to see the whole array.

    Wanted: cell 0 = the address of the last v. Output cell: 0. Smallest M: n + 2.
    """

    name = "x-findlast"
    title = "FindLast"
    spec = Find.layout.spec(
        params={"s": None},
        witness=lambda memory: {"s": _last(memory)},
        pre=(
            between(1, s, n),
            before(s).equals(before(0)),
            forall("j", s + 1, n + 1, before(j).differs(before(0)), before(j)),
        ),
        output=(0, 1),
        want=s,
        horizon=n + 4,
    )

    def arrange(self, rng: np.random.Generator, memory: np.ndarray, difficulty: np.ndarray) -> None:
        """Put v into one cell, any, and into about half of those before it; behind it there is none."""
        wanted, cell = memory[:, :1].copy(), np.arange(memory.shape[1])
        last = self.layout.first + rng.integers(difficulty)[:, None]
        np.copyto(memory, another(wanted, memory.shape[1]), where=(memory == wanted) & (cell > last))
        met = (cell < last) & (rng.integers(2, size=memory.shape) == 1)
        np.copyto(memory, wanted, where=met | (cell == last))

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """The last cell but cell 0 that holds what cell 0 holds."""
        return np.where(memory == memory[:, :1], np.arange(memory.shape[1]), 0).max(axis=1, keepdims=True)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Python's own, from behind."""
        return {0: _last(memory)}


def _last(memory: Sequence[int]) -> int:
    """The address of the last v."""
    return max(cell for cell in range(1, len(memory)) if memory[cell] == memory[0])
