"""Increment: add one to every element of an array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from nram_env.tasks.base import Task, require, require_zeros
from nram_env.tasks.batch import TaskBatch
from nram_env.tasks.parts import array
from nram_env.tasks.spec import M, TaskSpec, before, cells, i, n, zeros
from nram_env.tasks.terms import Number, choose


class Increment(Task):
    """Add 1 modulo M to every element, in place (paper, Section 4.2, task 2).

    Before, with A from 1..M-1::

        cell   0     ...  n-1     n
             | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: cell i = A[i] + 1 mod M. Output cells: 0..n-1. Smallest M: n + 1.
    """

    name = "increment"
    title = "Increment"
    spec = TaskSpec(
        params={"n": None},
        pre=(n >= 1, n + 1 <= M, cells(0, n, before(i) >= 1), zeros(n)),
        output=(Number(0), n),
        want=choose((before(i) + 1).equals(M), 0, before(i) + 1),
        horizon=n + 2,
        cuts=(Number(0), n),
        parts=(array(0, n),),
        witness=lambda memory: {"n": memory.index(0)},
    )

    def smallest_memory_size(self, difficulty: int) -> int:
        """The elements and NULL."""
        return difficulty + 1

    def horizon(self, difficulty: int) -> int:
        """One element a timestep, and two to start."""
        return difficulty + 2

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw the elements."""
        inside = np.arange(memory_size) < difficulty[:, None]
        memory = np.where(inside, rng.integers(1, memory_size, inside.shape), 0)
        target = np.where(inside, (memory + 1) % memory_size, memory)
        return TaskBatch(memory, target, inside, difficulty)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Increment up to NULL."""
        answer = {}
        for cell, value in enumerate(memory):
            if value == 0:
                break
            answer[cell] = 0 if value == len(memory) - 1 else value + 1
        return answer

    def check_memory(self, memory: Sequence[int]) -> None:
        """See the picture."""
        super().check_memory(memory)
        require(0 in memory, self, len(memory) - 1, memory[-1], "0 where no earlier cell ends the array")
        end = list(memory).index(0)
        require(end > 0, self, 0, memory[0], f"a value in 1..{len(memory) - 1}")
        require_zeros(self, memory, end)

    def enumerate_instances(self, difficulty: int, memory_size: int) -> Iterator[tuple[int, ...]]:
        """(M-1)^n instances."""
        self.check_request(np.array([difficulty]), memory_size)
        rest = (0,) * (memory_size - difficulty)
        for values in product(range(1, memory_size), repeat=difficulty):
            yield (*values, *rest)
