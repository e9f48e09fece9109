"""What the tasks on linked lists share: a list as ListK has it, with nothing to look for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np

from nram_env.tasks.base import Task, require
from nram_env.tasks.batch import TaskBatch
from nram_env.tasks.linked_list import (
    LIST_CUTS,
    LIST_FIELDS,
    LIST_GHOSTS,
    LIST_LEGAL,
    LIST_PRE,
    check_list,
    draw_lists,
    enumerate_lists,
    list_parts,
    node_addresses,
    smallest_list_size,
)
from nram_env.tasks.more.family import FURTHER
from nram_env.tasks.spec import TaskSpec, before, n
from nram_env.tasks.terms import Number, Term

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


def slot_spec(want: Term) -> TaskSpec:
    """The specification of a task whose only output cell is the slot."""
    return TaskSpec(
        params={"n": None},
        pre=FREE_LIST_PRE,
        output=(Number(2), Number(3)),
        want=want,
        horizon=n + 3,
        ghosts=LIST_GHOSTS,
        cuts=LIST_CUTS,
        parts=FREE_LIST_PARTS,
        fields=LIST_FIELDS,
        legal=LIST_LEGAL,
        witness=lambda memory: {"n": len(node_addresses(memory))},
    )


class ListSlotTask(ListTask):
    """A task whose only output cell is the slot; a subclass fills in `answer`, `oracle` and `spec`."""

    @abstractmethod
    def answer(self, memory: np.ndarray, addresses: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """What the slot holds afterwards, (B,).

        Args:
            memory: (B, M) before; not to be changed.
            addresses: (B, largest n) of the nodes in list order, 0 behind the last.
            difficulty: (B,) n of every row.
        """

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw the lists."""
        memory, addresses = draw_lists(rng, difficulty, memory_size)
        target, mask = memory.copy(), np.zeros(memory.shape, dtype=bool)
        target[:, 2] = self.answer(memory, addresses, difficulty)
        mask[:, 2] = True
        return TaskBatch(memory, target, mask, difficulty)
