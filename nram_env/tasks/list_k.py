"""ListK: the value k hops down a linked list."""

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
from nram_env.tasks.spec import TaskSpec, before, n
from nram_env.tasks.terms import Number, variable

k = variable("k")


class ListK(Task):
    """Find the value of the node k hops behind the head (paper, Section 4.2, task 7).

    Before, with nodes (next, value) anywhere in 3..M-1, the last next being NULL, k in 0..n-1, and a
    random value in every cell that no node uses::

        cell   0      1   2
             | head | k | slot | ... next | value ... next | value ...

    Wanted: slot = value of the node after k hops. Output cell: 2. Smallest M: 2n + 3.
    """

    name = "listk"
    title = "ListK"
    num_registers = 6
    spec = TaskSpec(
        params={"n": None, "k": before(1)},
        pre=(*LIST_PRE, k < n),
        output=(Number(2), Number(3)),
        want=before(node(k) + 1),
        horizon=n + 4,
        ghosts=LIST_GHOSTS,
        cuts=LIST_CUTS,
        parts=list_parts("k", "the number of hops"),
        fields=LIST_FIELDS,
        legal=LIST_LEGAL,
        witness=lambda memory: {"n": len(node_addresses(memory))},
    )

    def smallest_memory_size(self, difficulty: int) -> int:
        """Head, k, slot and the nodes."""
        return smallest_list_size(difficulty)

    def horizon(self, difficulty: int) -> int:
        """One hop a timestep, and four to start and end."""
        return difficulty + 4

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw the lists, then k."""
        memory, addresses = draw_lists(rng, difficulty, memory_size)
        hops, rows = rng.integers(0, difficulty), np.arange(len(memory))
        memory[:, 1] = hops
        target, mask = memory.copy(), np.zeros(memory.shape, dtype=bool)
        target[:, 2] = memory[rows, addresses[rows, hops] + 1]
        mask[:, 2] = True
        return TaskBatch(memory, target, mask, difficulty)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Hop k times."""
        node = memory[0]
        for _ in range(memory[1]):
            node = memory[node]
        return {2: memory[node + 1]}

    def difficulty_of(self, memory: Sequence[int]) -> int:
        """Number of nodes."""
        return len(node_addresses(memory))

    def check_memory(self, memory: Sequence[int]) -> None:
        """See the picture."""
        super().check_memory(memory)
        check_list(self, memory)
        length = self.difficulty_of(memory)
        require(memory[1] < length, self, 1, memory[1], f"a number of hops in 0..{length - 1}")

    def enumerate_instances(self, difficulty: int, memory_size: int) -> Iterator[tuple[int, ...]]:
        """n n! C(M-3-n, n) M^(M-3-n) instances."""
        self.check_request(np.array([difficulty]), memory_size)
        for memory, _ in enumerate_lists(difficulty, memory_size):
            for hops in range(difficulty):
                memory[1] = hops
                yield tuple(memory)
