"""ListLast: the value of the last node of a linked list."""

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
from nram_env.tasks.terms import Number, app


class ListLast(ListTask):
    """Put the value of the last node of a linked list into a slot.

    Before, with nodes (next, value) anywhere in 3..M-1, the last next being NULL, and a random value in
    every cell that no node uses::

        cell   0      1   2
             | head | 0 | slot | ... next | value ... next | value ...

    Wanted: slot = the last node's value. Output cell: 2. Smallest M: 2n + 3.
    """

    name = "x-listlast"
    title = "ListLast"
    spec = TaskSpec(
        params={"n": None},
        pre=FREE_LIST_PRE,
        output=(Number(2), Number(3)),
        want=app("value", n - 1),
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
        memory, addresses = draw_lists(rng, difficulty, memory_size)
        rows = np.arange(len(difficulty))
        target, mask = memory.copy(), np.zeros(memory.shape, dtype=bool)
        target[:, 2] = memory[rows, addresses[rows, difficulty - 1] + 1]
        mask[:, 2] = True
        return TaskBatch(memory, target, mask, difficulty)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Follow the list."""
        node = memory[0]
        while memory[node]:
            node = memory[node]
        return {2: memory[node + 1]}
