"""What the tasks on linked lists share: a list as ListK has it, with nothing to look for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nram_env.tasks.base import Task, require
from nram_env.tasks.linked_list import (
    LIST_PRE,
    check_list,
    enumerate_lists,
    list_parts,
    node_addresses,
    smallest_list_size,
)
from nram_env.tasks.more.family import FURTHER
from nram_env.tasks.spec import before

FREE_LIST_PRE = (*LIST_PRE, before(1).equals(0))
"""A list of n nodes, an empty slot, and an empty cell."""

FREE_LIST_PARTS = list_parts("free", "a cell that nothing depends on")


class ListTask(Task):
    """A task on a linked list; a subclass fills in `draw`, `oracle` and `spec`."""

    namespace = FURTHER
    num_registers = 6

    def smallest_memory_size(self, difficulty: int) -> int:
        """Head, a free cell, slot and the nodes."""
        return smallest_list_size(difficulty)

    def horizon(self, difficulty: int) -> int:
        """One node a timestep, and three to start and end."""
        return difficulty + 3

    def difficulty_of(self, memory: Sequence[int]) -> int:
        """Number of nodes."""
        return len(node_addresses(memory))

    def check_memory(self, memory: Sequence[int]) -> None:
        """See the picture."""
        super().check_memory(memory)
        check_list(self, memory)
        require(memory[1] == 0, self, 1, memory[1], "0: nothing lies there")

    def enumerate_instances(self, difficulty: int, memory_size: int) -> Iterator[tuple[int, ...]]:
        """n! C(M-3-n, n) M^(M-3-2n) M^n instances."""
        self.check_request(np.array([difficulty]), memory_size)
        return (tuple(memory) for memory, _ in enumerate_lists(difficulty, memory_size))
