"""Where the array tasks keep what they work on: single cells in front, then arrays, each fact said once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations_with_replacement, product
from typing import Any

import numpy as np

from nram_env.tasks.base import Task, require, require_size, require_zeros
from nram_env.tasks.parts import Part, array, one_cell
from nram_env.tasks.spec import M, Recursive, TaskSpec, before, cells, i, j, n, zeros
from nram_env.tasks.terms import Fact, Number, Term, app, between, choose, evaluate, forall, term_of


@dataclass(frozen=True)
class Lead:
    """A cell in front of the arrays.

    Attributes:
        name: As in the picture: "k".
        says: What it holds, for readers.
        low: The least that it holds, in n and M.
        high: The largest.
    """

    name: str
    says: str
    low: Term | int
    high: Term | int

    def fact(self, cell: int) -> Fact:
        """What is given of it."""
        low, high = term_of(self.low), term_of(self.high)
        return before(cell).equals(low) if low == high else between(low, before(cell), high)

    def bounds(self, difficulty: Any, memory_size: int) -> tuple[Any, Any]:
        """The least and the largest, for an n or an array of them."""
        return at(self.low, difficulty, memory_size), at(self.high, difficulty, memory_size)


def at(term: Term | int, difficulty: Any = None, memory_size: Any = None) -> Any:
    """The value of a term in n and M, of which each may be an array."""
    return evaluate(term_of(term), {"n": difficulty, "M": memory_size})


def modulo(term: Term) -> Term:
    """A sum below 2 M as the machine adds it."""
    return choose(term < M, term, term - M)


SLOT = Lead("slot", "the place of the output", 0, 0)
FREE = Lead("free", "a cell that nothing depends on", 0, 0)
ZERO = Lead("zero", "the 0 in front of the first element", 0, 0)


@dataclass(frozen=True)
class Layout:
    """Leads, arrays of n elements each, and zeros up to M.

    Elements from 1 on are ended by NULL. Where they may be 0, the first lead is the address behind the
    first array, so that n can be read off it.

    Attributes:
        leads: The cells in front.
        arrays: Names of the arrays, and what they are.
        least: The least element, 1 or 0.
        ascending: Whether elements never fall.
        room: Cells behind the arrays that an instance needs.

    Example:
        >>> layout = Layout((SLOT,))
        >>> layout.smallest_memory_size(3), list(layout.memories(1, 3))
        (5, [(0, 1, 0), (0, 2, 0)])
    """

    leads: tuple[Lead, ...]
    arrays: tuple[tuple[str, str], ...] = (("A", "the array"),)
    least: int = 1
    ascending: bool = False
    room: Term | int = 1

    @property
    def first(self) -> int:
        """The first cell of the first array."""
        return len(self.leads)

    @cached_property
    def end(self) -> Term:
        """One behind the last cell of the last array."""
        return self.first + len(self.arrays) * n

    def smallest_memory_size(self, difficulty: int) -> int:
        """Leads, arrays and room."""
        return int(at(self.end + self.room, difficulty))

    def spec(
        self, *, output: tuple[Term | int, Term | int], pre: tuple[Fact, ...] = (), **more: Any
    ) -> TaskSpec:
        """A specification of a task on such memories.

        Args:
            output: The first output cell, and one behind the last.
            pre: What is given beyond the layout.
            **more: Other parts of the specification; `params` and `witness` of what is not n.
        """
        low, high = map(term_of, output)
        params, witness = more.pop("params", {}), more.pop("witness", lambda memory: {})
        counted = {"n": None if self.least else before(0) - self._offset}
        return TaskSpec(
            params={**counted, **params},
            pre=(*self._facts(), *pre),
            output=(low, high),
            cuts=tuple(dict.fromkeys([*map(Number, range(self.first)), *self._starts, self.end, low, high])),
            parts=(*self._parts(), *more.pop("parts", ())),
            witness=lambda memory: {**({"n": self.length(memory)} if self.least else {}), **witness(memory)},
            **more,
        )

    def running(self, name: str, first: Term | int, step: Callable[[Term, Term], Term]) -> Recursive:
        """A ghost that goes along the first array: entry j is what j elements make of it.

        Args:
            name: Of the ghost.
            first: Its entry 0.
            step: Its next entry, from the last one and the next element.
        """
        return Recursive(name, term_of(first), step(app(name, j), before(j + self.first)), last=n)

    @cached_property
    def _offset(self) -> int:
        """What the address in cell 0 exceeds n by."""
        return int(at(self.leads[0].low - n))

    @property
    def _starts(self) -> list[Term]:
        """The first cell of every array."""
        return [self.first + number * n for number in range(len(self.arrays))]

    def _facts(self) -> Iterator[Fact]:
        yield from (n >= 1, self.end + self.room <= M)
        yield from (
            lead.fact(cell) for cell, lead in enumerate(self.leads) if lead.high != M - 1 or lead.low != 0
        )
        if self.least:
            yield cells(self.first, self.end, before(i) >= self.least)
        if self.ascending:
            pair = forall("j", i, self.end, before(i) <= before(j), (before(i), before(j)))
            yield forall("i", self.first, self.end, pair)
        yield zeros(self.end)

    def _parts(self) -> Iterator[Part]:
        for cell, lead in enumerate(self.leads):
            yield one_cell(cell, lead.name, lead.says)
        for start, (name, says) in zip(self._starts, self.arrays, strict=True):
            yield array(start, start + n, name, says)

    def length(self, memory: Sequence[int]) -> int:
        """n of a memory."""
        return list(memory).index(0, self.first) - self.first if self.least else memory[0] - self._offset

    def elements(self, memory: Sequence[int], number: int = 0) -> list[int]:
        """The elements of an array."""
        start, length = self.first, self.length(memory)
        return list(memory[start + number * length : start + (number + 1) * length])

    def inside(self, difficulty: np.ndarray, memory_size: int) -> np.ndarray:
        """(B, M) booleans: the elements of all arrays, for n of every row."""
        column = np.arange(memory_size)
        return (column >= self.first) & (column < self.first + len(self.arrays) * difficulty[:, None])

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> np.ndarray:
        """Draw memories (B, M), every instance equally likely, but for the order of ascending elements."""
        inside = self.inside(difficulty, memory_size)
        memory = np.where(inside, rng.integers(self.least, memory_size, inside.shape), memory_size)
        if self.ascending:
            memory[:, self.first :].sort(axis=1)
        memory = np.where(inside, memory, 0)
        for cell, lead in enumerate(self.leads):
            memory[:, cell] = rng.integers(*lead.bounds(difficulty, memory_size), len(memory), endpoint=True)
        return memory

    def memories(self, difficulty: int, memory_size: int) -> Iterator[tuple[int, ...]]:
        """Every memory of one size, each once."""
        count = len(self.arrays) * difficulty
        bounds = (lead.bounds(difficulty, memory_size) for lead in self.leads)
        rest = (0,) * (memory_size - self.first - count)
        for leads in product(*(range(low, high + 1) for low, high in bounds)):
            for elements in self._elements(range(self.least, memory_size), count):
                yield (*leads, *elements, *rest)

    def _elements(self, values: range, count: int) -> Iterator[tuple[int, ...]]:
        """All elements of all arrays, in every way."""
        return (
            combinations_with_replacement(values, count) if self.ascending else product(values, repeat=count)
        )

    def check(self, task: Task, memory: Sequence[int]) -> None:
        """Reject a memory of another layout.

        Raises:
            ValueError: The message names the cell.
        """
        self._check_length(task, memory)
        length, size = self.length(memory), len(memory)
        require_size(task, memory, self.smallest_memory_size(length))
        for cell, lead in enumerate(self.leads):
            low, high = lead.bounds(length, size)
            wanted = f"{lead.name}, {lead.says}: " + (f"{low}" if low == high else f"one of {low}..{high}")
            require(low <= memory[cell] <= high, task, cell, memory[cell], wanted)
        end = self.first + len(self.arrays) * length
        for cell in range(self.first + 1, end if self.ascending else 0):
            wanted = f"at least {memory[cell - 1]}, as cell {cell - 1}"
            require(memory[cell - 1] <= memory[cell], task, cell, memory[cell], wanted)
        require_zeros(task, memory, end)

    def _check_length(self, task: Task, memory: Sequence[int]) -> None:
        """Reject a memory from which n cannot be read, or that says n = 0."""
        if self.least:
            last = len(memory) - 1
            require(
                0 in memory[self.first :], task, last, memory[last], "0 where no earlier cell ends the array"
            )
            require(memory[self.first] != 0, task, self.first, 0, f"a value in 1..{last}")
        else:
            wanted = f"an address of {1 + self._offset} or more, behind the first array"
            require(self.length(memory) >= 1, task, 0, memory[0], wanted)


def repeated(rng: np.random.Generator, layout: Layout, memory: np.ndarray, difficulty: np.ndarray) -> None:
    """Put what cell 0 holds into about half of the elements of memories (B, M)."""
    inside = layout.inside(difficulty, memory.shape[1])
    np.copyto(memory, memory[:, :1], where=inside & (rng.integers(2, size=memory.shape) == 1))


def another(values: np.ndarray, memory_size: int) -> np.ndarray:
    """For each of these values of 1..M-1 a different one of them, of the same shape; M is 3 at least."""
    return values % (memory_size - 1) + 1


def occurrences(
    rng: np.random.Generator, layout: Layout, memory: np.ndarray, difficulty: np.ndarray
) -> np.ndarray:
    """(B, M) booleans: one element of every memory, any, and about half of those behind it."""
    first, cell = layout.first + rng.integers(difficulty)[:, None], np.arange(memory.shape[1])
    behind = layout.inside(difficulty, memory.shape[1]) & (cell > first)
    return (behind & (rng.integers(2, size=memory.shape) == 1)) | (cell == first)
