"""ListSearch: the first node of a linked list that holds a value."""

from __future__ import annotations

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
    node,
    node_addresses,
    smallest_list_size,
)
from nram_env.tasks.spec import TaskSpec, before, j, n
from nram_env.tasks.terms import Number, between, forall, variable

s = variable("s")


class ListSearch(Task):
    """Find the address of the first node that holds a value (paper, Section 4.2, task 8).

    Before, with nodes (next, value) anywhere in 3..M-1, the last next being NULL, v the value of one of
    them at least, and a random value in every cell that no node uses::

        cell   0      1   2
             | head | v | slot | ... next | value ... next | value ...

    Wanted: slot = address of the first node with value v. Output cell: 2. Smallest M: 2n + 3.
    """

    name = "listsearch"
    title = "ListSearch"
    num_registers = 6
    spec = TaskSpec(
        params={"n": None, "s": None},
        pre=(
            *LIST_PRE,
            between(0, s, n - 1),
            before(node(s) + 1).equals(before(1)),
            forall("j", 0, s, before(node(j) + 1).differs(before(1)), node(j)),
        ),
        output=(Number(2), Number(3)),
        want=node(s),
        horizon=2 * n + 4,
        ghosts=LIST_GHOSTS,
        cuts=LIST_CUTS,
        parts=list_parts("v", "the value that is looked for"),
        fields=LIST_FIELDS,
        legal=LIST_LEGAL,
        witness=lambda memory: _place(memory),
    )

    def smallest_memory_size(self, difficulty: int) -> int:
        """Head, v, slot and the nodes."""
        return smallest_list_size(difficulty)

    def horizon(self, difficulty: int) -> int:
        """Two timesteps a node, and four to start and end."""
        return 2 * difficulty + 4

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw the lists, then the node whose value is searched for."""
        memory, addresses = draw_lists(rng, difficulty, memory_size)
        rows = np.arange(len(memory))
        memory[:, 1] = memory[rows, addresses[rows, rng.integers(0, difficulty)] + 1]
        return _answered(memory, addresses, difficulty)

    def draw_easy(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw lists in which a node holds 0 and is searched for: its value itself says that it is found."""
        memory, addresses = draw_lists(rng, difficulty, memory_size)
        rows = np.arange(len(memory))
        memory[rows, addresses[rows, rng.integers(0, difficulty)] + 1] = 0
        return _answered(memory, addresses, difficulty)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Walk until the value is met."""
        node = memory[0]
        while memory[node + 1] != memory[1]:
            node = memory[node]
        return {2: node}

    def difficulty_of(self, memory: Sequence[int]) -> int:
        """Number of nodes."""
        return len(node_addresses(memory))

    def check_memory(self, memory: Sequence[int]) -> None:
        """See the picture."""
        super().check_memory(memory)
        check_list(self, memory)
        values = [memory[address + 1] for address in node_addresses(memory)]
        require(memory[1] in values, self, 1, memory[1], f"one of the nodes' values {sorted(set(values))}")

    def enumerate_instances(self, difficulty: int, memory_size: int) -> Iterator[tuple[int, ...]]:
        """n! C(M-3-n, n) M^(M-3-2n) M (M^n - (M-1)^n) instances."""
        self.check_request(np.array([difficulty]), memory_size)
        for memory, addresses in enumerate_lists(difficulty, memory_size):
            for value in {memory[address + 1] for address in addresses}:
                memory[1] = value
                yield tuple(memory)


def _answered(memory: np.ndarray, addresses: np.ndarray, difficulty: np.ndarray) -> TaskBatch:
    """The examples of lists at these addresses (B, largest n) whose cell 1 holds what is searched for."""
    rows = np.arange(len(memory))
    found = (memory[rows[:, None], addresses + 1] == memory[:, 1:2]) & (addresses > 0)
    target, mask = memory.copy(), np.zeros(memory.shape, dtype=bool)
    target[:, 2] = addresses[rows, found.argmax(axis=1)]
    mask[:, 2] = True
    return TaskBatch(memory, target, mask, difficulty)


def _place(memory: Sequence[int]) -> dict[str, int]:
    """The number of nodes, and the place of the first one with the value that is searched for."""
    addresses = node_addresses(memory)
    return {"n": len(addresses), "s": [memory[address + 1] for address in addresses].index(memory[1])}
