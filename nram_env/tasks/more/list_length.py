"""ListLength: how many nodes a linked list has."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nram_env.tasks.batch import TaskBatch
from nram_env.tasks.linked_list import (
    LIST_CUTS,
    LIST_FIELDS,
    LIST_GHOSTS,
    LIST_LEGAL,
    draw_lists,
    node_addresses,
)
from nram_env.tasks.more.list_task import FREE_LIST_PARTS, FREE_LIST_PRE, ListTask
from nram_env.tasks.spec import TaskSpec, n
from nram_env.tasks.terms import Number


class ListLength(ListTask):
    """Count the nodes of a linked list.

    Before, with nodes (next, value) anywhere in 3..M-1, the last next being NULL, and a random value in
    every cell that no node uses::

        cell   0      1   2
             | head | 0 | slot | ... next | value ... next | value ...

    Wanted: slot = the number of nodes. Output cell: 2. Smallest M: 2n + 3.
    """

    name = "x-listlength"
    title = "ListLength"
    spec = TaskSpec(
        params={"n": None},
        pre=FREE_LIST_PRE,
        output=(Number(2), Number(3)),
        want=n,
        horizon=n + 3,
        ghosts=LIST_GHOSTS,
        cuts=LIST_CUTS,
        parts=FREE_LIST_PARTS,
        fields=LIST_FIELDS,
        legal=LIST_LEGAL,
        witness=lambda memory: {"n": len(node_addresses(memory))},
    )

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw the lists."""
        memory, _ = draw_lists(rng, difficulty, memory_size)
        target, mask = memory.copy(), np.zeros(memory.shape, dtype=bool)
        target[:, 2] = difficulty
        mask[:, 2] = True
        return TaskBatch(memory, target, mask, difficulty)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Follow the list."""
        count, node = 0, memory[0]
        while node:
            count, node = count + 1, memory[node]
        return {2: count}
