"""ListLast: the value of the last node of a linked list."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.list_task import ListSlotTask, slot_spec
from nram_env.tasks.spec import n
from nram_env.tasks.terms import app


class ListLast(ListSlotTask):
    """Put the value of the last node of a linked list into a slot.

    Before, with nodes (next, value) anywhere in 3..M-1, the last next being NULL, and a random value in
    every cell that no node uses::

        cell   0      1   2
             | head | 0 | slot | ... next | value ... next | value ...

    Wanted: slot = the last node's value. Output cell: 2. Smallest M: 2n + 3.
    """

    name = "x-listlast"
    title = "ListLast"
    spec = slot_spec(app("value", n - 1))

    def answer(self, memory: np.ndarray, addresses: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """What lies behind the last node's pointer."""
        rows = np.arange(len(memory))
        return memory[rows, addresses[rows, difficulty - 1] + 1]

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Follow the list."""
        node = memory[0]
        while memory[node]:
            node = memory[node]
        return {2: memory[node + 1]}
