"""Swap: exchange two elements of an array."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from nram_env.tasks.base import Task, require, require_zeros
from nram_env.tasks.batch import TaskBatch
from nram_env.tasks.parts import array, one_cell
from nram_env.tasks.spec import M, TaskSpec, before, i, n, zeros
from nram_env.tasks.terms import Number, between, choose, variable

p, q = variable("p"), variable("q")


class Swap(Task):
    """Exchange the two elements that cells 0 and 1 point at (paper, Section 4.2, task 5).

    Before, with p and q absolute addresses, each in 2..n+1, possibly equal::

        cell   0   1   2     ...  n+1      n+2
             | p | q | A[0] ... A[n-1] | 0 ...

    The last element is never 0, so that n can be read off the memory.

    Wanted: cells p and q exchanged, the rest as it was. Output cells: 2..n+1. Smallest M: n + 3.
    """

    name = "swap"
    title = "Swap"
    num_registers = 8
    spec = TaskSpec(
        params={"n": None, "p": before(0), "q": before(1)},
        pre=(
            n >= 1,
            n + 3 <= M,
            between(2, p, n + 1),
            between(2, q, n + 1),
            before(n + 1) >= 1,
            zeros(n + 2),
        ),
        output=(Number(2), n + 2),
        want=choose(i.equals(p), before(q), choose(i.equals(q), before(p), before(i))),
        horizon=Number(6),
        cuts=(Number(0), Number(1), Number(2), p, q, n + 2),
        parts=(
            one_cell(0, "p", "the first address"),
            one_cell(1, "q", "the second address"),
            array(2, n + 2),
        ),
        witness=lambda memory: {"n": _end(memory) - 2},
    )

    def smallest_memory_size(self, difficulty: int) -> int:
        """Two pointers, the array and a 0."""
        return difficulty + 3

    def horizon(self, difficulty: int) -> int:
        """Constant: four READs and two WRITEs."""
        return 6

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw the elements, then both pointers."""
        last, cells = difficulty[:, None] + 1, np.arange(memory_size)
        inside = (cells >= 2) & (cells <= last)
        memory = rng.integers(np.where(cells == last, 1, 0), memory_size, inside.shape) * inside
        pointers = rng.integers(2, last + 1, (len(difficulty), 2))
        memory[:, :2] = pointers
        target = memory.copy()
        np.put_along_axis(target, pointers, np.take_along_axis(memory, pointers[:, ::-1], 1), 1)
        return TaskBatch(memory, target, inside, difficulty)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Exchange in a copy."""
        p, q = memory[0], memory[1]
        after = list(memory)
        after[p], after[q] = after[q], after[p]
        return {cell: after[cell] for cell in range(2, _end(memory))}

    def check_memory(self, memory: Sequence[int]) -> None:
        """See the picture."""
        super().check_memory(memory)
        end = _end(memory)
        require(end > 2, self, 2, 0, f"a value in 1..{len(memory) - 1} where no later cell does")
        for cell in (0, 1):
            require(2 <= memory[cell] < end, self, cell, memory[cell], f"an address in 2..{end - 1}")
        require_zeros(self, memory, len(memory) - 1)

    def enumerate_instances(self, difficulty: int, memory_size: int) -> Iterator[tuple[int, ...]]:
        """n^2 M^(n-1) (M-1) instances."""
        self.check_request(np.array([difficulty]), memory_size)
        rest = (0,) * (memory_size - 2 - difficulty)
        places = range(2, difficulty + 2)
        for p, q, last in product(places, places, range(1, memory_size)):
            for values in product(range(memory_size), repeat=difficulty - 1):
                yield (p, q, *values, last, *rest)


def _end(memory: Sequence[int]) -> int:
    """One behind the last element that is not 0; 2 if there is none."""
    return max((cell + 1 for cell in range(2, len(memory)) if memory[cell]), default=2)
