"""Find: where a value stands in an array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nram_env.tasks.base import require
from nram_env.tasks.more.array_task import ArrayTask
from nram_env.tasks.more.layout import Layout, Lead, occurrences
from nram_env.tasks.spec import M, before, j, n
from nram_env.tasks.terms import between, forall, variable

s = variable("s")


class Find(ArrayTask):
    """Put the address of the first element that equals v into cell 0.

    Before, with A from 1..M-1, and v one of its elements at least::

        cell   0   1     ...  n       n+1
             | v | A[0] ... A[n-1] | NULL | 0 ...

    The address is the element's number as well, counted from 1.

    Wanted: cell 0 = the address of the first v. Output cell: 0. Smallest M: n + 2.
    """

    name = "x-find"
    title = "Find"
    layout = Layout((Lead("v", "the value that is looked for, then the output", 1, M - 1),))
    spec = layout.spec(
        params={"s": None},
        witness=lambda memory: {"s": memory.index(memory[0], 1)},
        pre=(
            between(1, s, n),
            before(s).equals(before(0)),
            forall("j", 1, s, before(j).differs(before(0)), before(j)),
        ),
        output=(0, 1),
        want=s,
        horizon=n + 3,
    )

    def arrange(self, rng: np.random.Generator, memory: np.ndarray, difficulty: np.ndarray) -> None:
        """Put v into one cell, any, and into about half of those behind it."""
        np.copyto(memory, memory[:, :1], where=occurrences(rng, self.layout, memory, difficulty))

    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """The first cell but cell 0 that holds what cell 0 holds."""
        return (memory[:, 1:] == memory[:, :1]).argmax(axis=1)[:, None] + 1

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Walk until the value is met."""
        cell = 1
        while memory[cell] != memory[0]:
            cell += 1
        return {0: cell}

    def check_memory(self, memory: Sequence[int]) -> None:
        """See the picture."""
        super().check_memory(memory)
        elements = self.layout.elements(memory)
        require(memory[0] in elements, self, 0, memory[0], f"one of the elements {sorted(set(elements))}")

    def enumerate_instances(self, difficulty: int, memory_size: int) -> Iterator[tuple[int, ...]]:
        """Those in which v occurs."""
        memories = super().enumerate_instances(difficulty, memory_size)
        return (memory for memory in memories if memory[0] in memory[1:])
