"""Merge: merge two sorted arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement, product

import numpy as np

from nram_env.tasks.base import Task, require, require_size, require_zeros
from nram_env.tasks.batch import TaskBatch
from nram_env.tasks.parts import array, one_cell
from nram_env.tasks.spec import M, Recursive, TaskSpec, before, cells, i, j, n, zeros
from nram_env.tasks.terms import (
    Apply,
    Compare,
    ForAll,
    Number,
    Term,
    all_of,
    any_of,
    app,
    between,
    choose,
    forall,
    variable,
)

b, o = variable("b"), variable("o")


def front_a(taken: Term) -> Apply:
    """Where the front of A stands when so many values have been taken, of two equal ones that of A first."""
    return app("front", taken)


def front_b(taken: Term) -> Term:
    """Where the front of B stands then."""
    return b + taken - (front_a(taken) - 3)


def _ordered(low: Term | int, high: Term) -> ForAll:
    """That cells low..high - 1 are sorted, said of every pair."""
    pair = forall("j", i, high, before(i) <= before(j), (before(i), before(j)))
    return forall("i", low, high, pair)


def _a_first(taken: Term) -> Compare:
    """That the next value comes from A."""
    return before(front_a(taken)) <= before(front_b(taken))


_FRONTS_STAY = all_of(
    between(3, front_a(j), b - 1),
    between(b, front_b(j), o - 1),
    any_of(front_a(j).equals(3), before(front_a(j) - 1) <= before(front_b(j))),
    any_of(front_b(j).equals(b), before(front_b(j) - 1) <= before(front_a(j))),
)


class Merge(Task):
    """Merge two sorted arrays into a third place (paper, Section 4.2, task 9).

    Before, with a = 3, b and o the cells behind the two guards G = M - 1, values from 0..M-2, both arrays
    sorted and not empty, and n the number of values in both together::

        cell   0   1   2   3              b-1  b              o-1  o
             | a | b | o | A sorted ... | G | B sorted ... | G | 0 ... 0

    Wanted: all values sorted at o..o+n-1. Output cells: o..o+n-1. Smallest M: 2n + 5.
    """

    name = "merge"
    title = "Merge"
    smallest_difficulty = 2
    num_registers = 6
    spec = TaskSpec(
        params={"b": before(1), "o": before(2), "n": before(2) - 5},
        pre=(
            before(0).equals(3),
            b >= 5,
            o >= b + 2,
            2 * n + 5 <= M,
            before(b - 1).equals(M - 1),
            before(o - 1).equals(M - 1),
            cells(3, b - 1, before(i) <= M - 2),
            cells(b, o - 1, before(i) <= M - 2),
            _ordered(3, b),
            _ordered(b, o),
            zeros(o),
        ),
        output=(o, o + n),
        want=choose(_a_first(i - o), before(front_a(i - o)), before(front_b(i - o))),
        horizon=3 * n + 4,
        ghosts=(
            Recursive("front", first=Number(3), step=choose(_a_first(j), front_a(j) + 1, front_a(j)), last=n),
        ),
        cuts=(Number(0), Number(1), Number(2), Number(3), b, o, o + n),
        parts=(
            one_cell(0, "a", "where A begins"),
            one_cell(1, "b", "where B begins"),
            one_cell(2, "o", "where the output begins"),
            array(3, b, "A", "the first array and its guard"),
            array(b, o, "B", "the second array and its guard"),
            array(o, o + n, "merged", "the output"),
        ),
        lemmas=(forall("j", 0, n + 1, _FRONTS_STAY, front_a(j)),),
    )

    def smallest_memory_size(self, difficulty: int) -> int:
        """Three pointers, two guards, the values and the answer."""
        return 2 * difficulty + 5

    def horizon(self, difficulty: int) -> int:
        """Three timesteps a value, and four to start."""
        return 3 * difficulty + 4

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw where the first array ends, then the values."""
        first, column = rng.integers(1, difficulty)[:, None], np.arange(difficulty.max())
        drawn, in_second = _draw_values(rng, difficulty, memory_size), column >= first
        values = np.sort(drawn + in_second * memory_size, axis=1) - in_second * memory_size
        n = difficulty[:, None]
        starts = np.concatenate([np.full_like(n, 3), first + 4, n + 5], axis=1)
        return _lay_out(values, first, difficulty, memory_size, starts)

    def draw_easy(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw arrays of which one, either, lies wholly below the other; they and the answer lie anywhere.

        So two loops that copy are enough, but no distance between two of the three replaces a pointer.
        """
        n, column = difficulty[:, None], np.arange(difficulty.max())
        ordered = np.sort(_draw_values(rng, difficulty, memory_size), axis=1)
        lower = _draw_border(rng, difficulty)
        swapped = rng.integers(2, size=n.shape) == 1
        # Two draws without use: the recipe's seed for processors was found with them, and few seeds learn.
        _ = rng.integers(1, difficulty), rng.random(ordered.shape)
        first = np.where(swapped, n - lower, lower)
        places = (column + np.where(swapped, lower, 0)) % n
        starts = _scatter(rng, np.concatenate([first + 1, n - first + 1, n], axis=1), memory_size)
        return _lay_out(np.take_along_axis(ordered, places, 1), first, difficulty, memory_size, starts)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Take the smaller of both fronts until both stand at their guards."""
        a, b, cell = memory[:3]
        guard, answer = len(memory) - 1, {}
        while memory[a] != guard or memory[b] != guard:
            take_a = memory[a] <= memory[b]
            answer[cell] = memory[a if take_a else b]
            a, b, cell = a + take_a, b + (not take_a), cell + 1
        return answer

    def check_memory(self, memory: Sequence[int]) -> None:
        """See the picture."""
        super().check_memory(memory)
        require(memory[0] == 3, self, 0, memory[0], "a = 3")
        b, o, guard = memory[1], memory[2], len(memory) - 1
        require(b >= 5, self, 1, b, "b, at least 5: one value and the guard lie before it")
        require(o >= b + 2, self, 2, o, f"o, at least {b + 2}: one value and the guard lie before it")
        require_size(self, memory, 2 * o - 5)
        for start, end in ((3, b - 1), (b, o - 1)):
            for cell in range(start, end):
                require(memory[cell] < guard, self, cell, memory[cell], f"a value in 0..{guard - 1}")
                ordered = cell == start or memory[cell - 1] <= memory[cell]
                require(ordered, self, cell, memory[cell], f"at least {memory[cell - 1]}, as cell {cell - 1}")
            require(memory[end] == guard, self, end, memory[end], f"the guard {guard}")
        require_zeros(self, memory, o)

    def enumerate_instances(self, difficulty: int, memory_size: int) -> Iterator[tuple[int, ...]]:
        """The sum over a = 1..n-1 of C(M-2+a, a) C(M-2+n-a, n-a) instances."""
        self.check_request(np.array([difficulty]), memory_size)
        guard, rest = memory_size - 1, (0,) * (memory_size - difficulty - 5)
        for first in range(1, difficulty):
            arrays = (
                combinations_with_replacement(range(guard), length) for length in (first, difficulty - first)
            )
            for a, b in product(*arrays):
                yield (3, first + 4, difficulty + 5, *a, guard, *b, guard, *rest)


def _draw_values(rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> np.ndarray:
    """Draw n values in 0..M-2 a row, (B, largest n); behind them stands what sorts last."""
    drawn = rng.integers(0, memory_size - 1, (len(difficulty), difficulty.max()))
    return np.where(np.arange(drawn.shape[1]) < difficulty[:, None], drawn, 2 * memory_size)


def _draw_border(rng: np.random.Generator, difficulty: np.ndarray) -> np.ndarray:
    """Draw a number in 1..n-1 a row, (B, 1)."""
    column = np.arange(difficulty.max())
    inside = (column >= 1) & (column < difficulty[:, None])
    return np.where(inside, rng.random(inside.shape), 2.0).argmin(1)[:, None]


def _scatter(rng: np.random.Generator, lengths: np.ndarray, memory_size: int) -> np.ndarray:
    """Where the pieces of every row, (B, 3) lengths, begin: in any order behind the pointers, with gaps."""
    order = rng.random(lengths.shape).argsort(1)
    spare = memory_size - 3 - lengths.sum(1, keepdims=True)
    gaps = np.sort(rng.integers(0, spare, lengths.shape, endpoint=True), axis=1)
    sorted_lengths = np.take_along_axis(lengths, order, 1)
    starts = np.empty_like(lengths)
    np.put_along_axis(starts, order, 3 + gaps + sorted_lengths.cumsum(1) - sorted_lengths, 1)
    return starts


def _lay_out(
    values: np.ndarray, first: np.ndarray, difficulty: np.ndarray, memory_size: int, starts: np.ndarray
) -> TaskBatch:
    """The examples whose first arrays are the `first` (B, 1) values of every row; (B, 3) a, b and o."""
    n, column = difficulty[:, None], np.arange(values.shape[1])
    in_second, real = column >= first, column < n
    a, b, o = np.split(starts, 3, axis=1)
    memory = np.zeros((len(n), memory_size), dtype=np.int64)
    rows = np.nonzero(real)[0]
    memory[rows, (np.where(in_second, b - first, a) + column)[real]] = values[real]
    memory[:, :3] = starts
    np.put_along_axis(memory, np.concatenate([a + first, b + n - first], axis=1), memory_size - 1, 1)
    target, mask = memory.copy(), np.zeros(memory.shape, dtype=bool)
    outputs = rows, (o + column)[real]
    target[outputs] = np.sort(np.where(real, values, memory_size), axis=1)[real]
    mask[outputs] = True
    return TaskBatch(memory, target, mask, difficulty)
