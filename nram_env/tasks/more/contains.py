"""Contains: whether a value occurs in an array."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import Layout, Lead, another, occurrences
from nram_env.tasks.spec import Defined, M, before, j, n
from nram_env.tasks.terms import any_of, app, between, choose, forall, variable

s = variable("s")


class Contains(ArrayTask):
    """Put 1 into cell 0 where v is an element of an array, 0 where it is none.

    Before, with v and A from 1..M-1::

        cell   0   1     ...  n       n+1
             | v | A[0] ... A[n-1] | NULL | 0 ...

    In the specification, s is the address of the first v, or of NULL where there is none, and met[j] is 1 if
    one of the first j elements is v.

    Wanted: cell 0 = 1 if an element is v, else 0. Output cell: 0. Smallest M: n + 2.
    """

    name = "x-contains"
    title = "Contains"
    layout = Layout((Lead("v", "the value that is looked for, then the output", 1, M - 1),))
    spec = layout.spec(
        params={"s": None},
        witness=lambda memory: {"s": _first(memory)},
        pre=(
            between(1, s, n + 1),
            any_of(s.equals(n + 1), before(s).equals(before(0))),
            forall("j", 1, s, before(j).differs(before(0)), before(j)),
        ),
        ghosts=(Defined("met", choose(s <= j, 1, 0), n + 1),),
        output=(0, 1),
        want=app("met", n),
        horizon=n + 4,
    )

    def arrange(self, rng: np.random.Generator, memory: np.ndarray, difficulty: np.ndarray) -> None:
        """v occurs in about half of the memories, in half of these once: to look at a few will not do."""
        wanted, cells = memory[:, :1].copy(), memory[:, 1:]
        np.copyto(cells, another(wanted, memory.shape[1]), where=cells == wanted)
        asked, often = rng.integers(2, size=(2, len(memory), 1)) == 1
        found = occurrences(rng, self.layout, memory, difficulty)
        first = np.arange(memory.shape[1]) == found.argmax(axis=1)[:, None]
        np.copyto(memory, wanted, where=asked & np.where(often, found, first))

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """One look at every row."""
        return (memory[:, 1:] == memory[:, :1]).any(axis=1, keepdims=True)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Python's own."""
        return {0: int(memory[0] in self.layout.elements(memory))}


def _first(memory: Sequence[int]) -> int:
    """The address of the first v, or of NULL where there is none."""
    return next(cell for cell in range(1, len(memory)) if memory[cell] in (0, memory[0]))
