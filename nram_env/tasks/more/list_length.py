"""ListLength: how many nodes a linked list has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.more.list_task import ListSlotTask, slot_spec
from nram_env.tasks.spec import n


class ListLength(ListSlotTask):
    """Count the nodes of a linked list.

    Before, with nodes (next, value) anywhere in 3..M-1, the last next being NULL, and a random value in
    every cell that no node uses::

        cell   0      1   2
             | head | 0 | slot | ... next | value ... next | value ...

    Wanted: slot = the number of nodes. Output cell: 2. Smallest M: 2n + 3.
    """

    name = "x-listlength"
    title = "ListLength"
    spec = slot_spec(n)

    def answer(self, memory: np.ndarray, addresses: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """n."""
        return difficulty

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Follow the list."""
        count, node = 0, memory[0]
        while node:
            count, node = count + 1, memory[node]
        return {2: count}
