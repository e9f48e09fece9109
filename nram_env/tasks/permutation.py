"""Permutation: gather an array through a permutation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations, product

import numpy as np

from nram_env.tasks.base import Task, require, require_size, require_zeros
from nram_env.tasks.batch import TaskBatch
from nram_env.tasks.parts import array, one_cell
from nram_env.tasks.placing import random_ranks
from nram_env.tasks.spec import M, TaskSpec, before, cells, i, j, n, zeros
from nram_env.tasks.terms import Number, forall


class Permutation(Task):
    """Replace every entry of a permutation by the element that it names (paper, Section 4.2, task 6).

    Before, with a = n + 1 and P a permutation of 0..n-1::

        cell   0   1     ...  n        n+1   ...  2n
             | a | P[0] ... P[n-1] | A[0] ... A[n-1] | 0 ...

    Wanted: cell 1 + i = A[P[i]]. Output cells: 1..n. Smallest M: 2n + 1.
    """

    name = "permutation"
    title = "Permutation"
    num_registers = 6
    spec = TaskSpec(
        params={"n": before(0) - 1},
        pre=(n >= 1, 2 * n + 1 <= M, cells(1, n + 1, before(i) < n), zeros(2 * n + 1)),
        output=(Number(1), n + 1),
        want=before(n + 1 + before(i)),
        horizon=2 * n + 3,
        cuts=(Number(0), Number(1), n + 1, 2 * n + 1),
        parts=(
            one_cell(0, "a", "where A begins"),
            array(1, n + 1, "P", "the permutation, then the output"),
            array(n + 1, 2 * n + 1),
        ),
        legal=(cells(1, n + 1, forall("j", 1, i, before(i).differs(before(j)))),),
    )

    def smallest_memory_size(self, difficulty: int) -> int:
        """The pointer and two arrays."""
        return 2 * difficulty + 1

    def horizon(self, difficulty: int) -> int:
        """Two timesteps an element, and three to start."""
        return 2 * difficulty + 3

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw the elements, then the permutation."""
        elements = _draw_elements(rng, difficulty, memory_size)
        return _lay_out(elements, random_ranks(rng, difficulty, memory_size - 1), difficulty)

    def draw_easy(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw the elements; the permutation moves nothing, so that counting does instead of reading it."""
        elements = _draw_elements(rng, difficulty, memory_size)
        return _lay_out(elements, np.arange(memory_size - 1), difficulty)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Look every entry up."""
        start = memory[0]
        return {cell: memory[start + memory[cell]] for cell in range(1, start)}

    def check_memory(self, memory: Sequence[int]) -> None:
        """See the picture."""
        super().check_memory(memory)
        require(memory[0] >= 2, self, 0, memory[0], "a = n + 1, at least 2")
        n = memory[0] - 1
        require_size(self, memory, 2 * n + 1)
        for cell in range(1, n + 1):
            fresh = memory[cell] < n and memory[cell] not in memory[1:cell]
            require(fresh, self, cell, memory[cell], f"one of 0..{n - 1} that no earlier entry holds")
        require_zeros(self, memory, 2 * n + 1)

    def enumerate_instances(self, difficulty: int, memory_size: int) -> Iterator[tuple[int, ...]]:
        """n! M^n instances."""
        self.check_request(np.array([difficulty]), memory_size)
        rest = (0,) * (memory_size - 1 - 2 * difficulty)
        for order in permutations(range(difficulty)):
            for values in product(range(memory_size), repeat=difficulty):
                yield (difficulty + 1, *order, *values, *rest)


def _draw_elements(rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> np.ndarray:
    """Random values in cells n+1..2n of every row, 0 elsewhere, (B, M)."""
    n, cells = difficulty[:, None], np.arange(memory_size)
    return rng.integers(0, memory_size, (len(n), memory_size)) * ((cells > n) & (cells <= 2 * n))


def _lay_out(elements: np.ndarray, order: np.ndarray, difficulty: np.ndarray) -> TaskBatch:
    """Put a permutation, the front of `order` (B, M - 1) or (M - 1,), before the elements and answer it."""
    n, cells = difficulty[:, None], np.arange(elements.shape[1])
    mask = (cells >= 1) & (cells <= n)
    ranks = np.zeros_like(elements)
    ranks[:, 1:] = order
    memory = np.where(mask, ranks, elements)
    memory[:, 0] = difficulty + 1
    source = np.where(mask, n + 1 + ranks, cells)
    return TaskBatch(memory, np.take_along_axis(memory, source, 1), mask, difficulty)
