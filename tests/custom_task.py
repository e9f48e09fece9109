"""A task that nobody ships, with a specification: registered where this is imported."""

from collections.abc import Sequence

import numpy as np

from nram_env import Task, TaskBatch, TaskSpec, register_task
from nram_env.tasks.spec import M, before, cells, i, n, zeros
from nram_env.tasks.terms import Number


class Fill(Task):
    """Write one value over a whole array.

    Before, with v from 0..M-1 and A from 1..M-1::

        cell   0   1     ...  n         n+1
             | v | A[0] ... A[n-1] | NULL ...

    Wanted: v in cells 1..n. Smallest M: n + 2.
    """

    name = "fill"
    title = "Fill"
    spec = TaskSpec(
        params={"n": None},
        pre=(n >= 1, n + 2 <= M, cells(1, n + 1, before(i) >= 1), zeros(n + 1)),
        output=(Number(1), n + 1),
        want=before(0),
        horizon=n + 2,
        witness=lambda memory: {"n": memory.index(0, 1) - 1},
    )

    def smallest_memory_size(self, difficulty: int) -> int:
        """The value, the array and NULL."""
        return difficulty + 2

    def horizon(self, difficulty: int) -> int:
        """One cell a timestep, and two to start."""
        return difficulty + 2

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw the array, then the value."""
        cells = np.arange(memory_size)
        mask = (cells >= 1) & (cells <= difficulty[:, None])
        memory = np.where(mask, rng.integers(1, memory_size, mask.shape), 0)
        memory[:, 0] = rng.integers(0, memory_size, len(memory))
        return TaskBatch(memory, np.where(mask, memory[:, :1], memory), mask, difficulty)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Walk up to NULL."""
        end = list(memory).index(0, 1)
        return dict.fromkeys(range(1, end), memory[0])


register_task(Fill())
