"""Copy: copy an array to the place that a pointer names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from nram_env.tasks.base import Task, require, require_size, require_zeros
from nram_env.tasks.batch import TaskBatch
from nram_env.tasks.parts import array, one_cell
from nram_env.tasks.spec import M, TaskSpec, before, i, n, zeros
from nram_env.tasks.terms import Number


class Copy(Task):
    """Copy an array behind itself (paper, Section 4.2, task 3).

    Before, with p = n + 1::

        cell   0   1     ...  n        p ...
             | p | A[0] ... A[n-1] | 0 ... 0

    Wanted: cell p + i = A[i]. Output cells: p..p+n-1. Smallest M: 2n + 1.
    """

    name = "copy"
    title = "Copy"
    spec = TaskSpec(
        params={"n": before(0) - 1},
        pre=(n >= 1, 2 * n + 1 <= M, zeros(n + 1)),
        output=(n + 1, 2 * n + 1),
        want=before(i - n),
        horizon=n + 3,
        cuts=(Number(0), Number(1), n + 1, 2 * n + 1),
        parts=(
            one_cell(0, "p", "where the copy begins"),
            array(1, n + 1),
            array(n + 1, 2 * n + 1, "copy", "the output"),
        ),
    )

    def smallest_memory_size(self, difficulty: int) -> int:
        """The pointer, the array and its copy."""
        return 2 * difficulty + 1

    def horizon(self, difficulty: int) -> int:
        """One element a timestep, and three to start."""
        return difficulty + 3

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw the elements."""
        n, cells = difficulty[:, None], np.arange(memory_size)
        inside = (cells >= 1) & (cells <= n)
        memory = np.where(inside, rng.integers(0, memory_size, inside.shape), 0)
        memory[:, 0] = difficulty + 1
        mask = (cells > n) & (cells <= 2 * n)
        source = np.where(mask, self._source(cells, n), cells)
        return TaskBatch(memory, np.take_along_axis(memory, source, 1), mask, difficulty)

    def _source(self, cells: np.ndarray, n: np.ndarray) -> np.ndarray:
        """Where the value of each output cell comes from."""
        return cells - n

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Copy cell by cell."""
        pointer = memory[0]
        return {pointer + i: value for i, value in enumerate(memory[1:pointer])}

    def check_memory(self, memory: Sequence[int]) -> None:
        """See the picture."""
        super().check_memory(memory)
        require(memory[0] >= 2, self, 0, memory[0], "p = n + 1, at least 2")
        require_size(self, memory, 2 * memory[0] - 1)
        require_zeros(self, memory, memory[0])

    def enumerate_instances(self, difficulty: int, memory_size: int) -> Iterator[tuple[int, ...]]:
        """M^n instances."""
        self.check_request(np.array([difficulty]), memory_size)
        rest = (0,) * (memory_size - 1 - difficulty)
        for values in product(range(memory_size), repeat=difficulty):
            yield (difficulty + 1, *values, *rest)
