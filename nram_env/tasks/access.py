"""Access: read one element of an array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from nram_env.tasks.base import Task, require, require_zeros
from nram_env.tasks.batch import TaskBatch
from nram_env.tasks.parts import array, one_cell
from nram_env.tasks.spec import M, TaskSpec, before, cells, i, n, zeros
from nram_env.tasks.terms import Number, between


class Access(Task):
    """Put the element that cell 0 points at into cell 0 (paper, Section 4.2, task 1).

    Before, with k an absolute address in 1..n and A from 1..M-1::

        cell   0    1     ...  n       n+1
             | k  | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: cell 0 = mem[k]. Output cell: 0. Smallest M: n + 2.
    """

    name = "access"
    title = "Access"
    spec = TaskSpec(
        params={"n": None},
        pre=(n >= 1, n + 2 <= M, between(1, before(0), n), cells(1, n + 1, before(i) >= 1), zeros(n + 1)),
        output=(Number(0), Number(1)),
        want=before(before(0)),
        horizon=Number(4),
        cuts=(Number(0), Number(1), n + 1),
        parts=(one_cell(0, "k", "the address of an element, then the output"), array(1, n + 1)),
        witness=lambda memory: {"n": memory.index(0, 1) - 1},
    )

    def smallest_memory_size(self, difficulty: int) -> int:
        """The pointer, n elements and NULL."""
        return difficulty + 2

    def horizon(self, difficulty: int) -> int:
        """Constant: the answer is two READs away."""
        return 4

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw the elements, then the pointer."""
        shape, cells = (len(difficulty), memory_size), np.arange(memory_size)
        inside = (cells >= 1) & (cells <= difficulty[:, None])
        memory = np.where(inside, rng.integers(1, memory_size, shape), 0)
        memory[:, 0] = rng.integers(1, difficulty + 1)
        target = memory.copy()
        target[:, 0] = memory[np.arange(len(memory)), memory[:, 0]]
        return TaskBatch(memory, target, np.broadcast_to(cells == 0, shape).copy(), difficulty)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Follow the pointer."""
        return {0: memory[memory[0]]}

    def difficulty_of(self, memory: Sequence[int]) -> int:
        """Cells from 1 up to NULL."""
        return list(memory).index(0, 1) - 1

    def check_memory(self, memory: Sequence[int]) -> None:
        """See the picture."""
        super().check_memory(memory)
        require(0 in memory[1:], self, len(memory) - 1, memory[-1], "0 where no earlier cell ends the array")
        end = list(memory).index(0, 1)
        require(end > 1, self, 1, memory[1], f"a value in 1..{len(memory) - 1}")
        require(1 <= memory[0] < end, self, 0, memory[0], f"an address in 1..{end - 1}")
        require_zeros(self, memory, end)

    def enumerate_instances(self, difficulty: int, memory_size: int) -> Iterator[tuple[int, ...]]:
        """n (M-1)^n instances."""
        self.check_request(np.array([difficulty]), memory_size)
        rest = (0,) * (memory_size - 1 - difficulty)
        for pointer in range(1, difficulty + 1):
            for values in product(range(1, memory_size), repeat=difficulty):
                yield (pointer, *values, *rest)
