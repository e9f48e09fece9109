"""The elements of an array that have a property, in their order: said once for all tasks that move them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nram_env.tasks.more.layout import Layout
from nram_env.tasks.spec import BEFORE, Chosen, Ghost, Recursive, TaskSpec, before, i, j, n
from nram_env.tasks.terms import Apply, Fact, Number, Term, all_of, app, between, choose, compiled, forall


@dataclass(frozen=True)
class Selection:
    """Ghosts that name the chosen elements of the first array of a layout.

    Attributes:
        name: The ghost `name` counts: entry j is how many of the first j elements are chosen; `name_cell`
            has their addresses.
        layout: Where the array lies.
        chosen: Whether the element at an address is one, as a fact about `before`.

    Example:
        >>> from nram_env.tasks.more.layout import SLOT
        >>> from nram_env.tasks.spec import before
        >>> large = Selection("large", Layout((SLOT,)), lambda cell: before(cell) >= 3)
        >>> large.witness([0, 5, 1, 4, 0, 0])
        {'large_cell': [1, 3]}
    """

    name: str
    layout: Layout
    chosen: Callable[[Term], Fact]

    @property
    def total(self) -> Apply:
        """How many are chosen."""
        return app(self.name, n)

    def cell(self, number: Term) -> Apply:
        """The address of a chosen element, counted from 0."""
        return app(f"{self.name}_cell", number)

    @property
    def ghosts(self) -> tuple[Ghost, ...]:
        """Both sequences."""
        met = app(self.name, j)
        step = choose(self.chosen(j + self.layout.first), met + 1, met)
        return Recursive(self.name, Number(0), step, last=n), Chosen(f"{self.name}_cell", self.total)

    @property
    def facts(self) -> tuple[Fact, ...]:
        """That the addresses are those of the chosen elements: each has its number of them before it."""
        first, cell = self.layout.first, self.cell(j)
        rule = all_of(
            between(first, cell, n + (first - 1)),
            self.chosen(cell),
            app(self.name, cell - first).equals(j),
        )
        return (forall("j", 0, self.total, rule, cell),)

    def witness(self, memory: Sequence[int]) -> dict[str, Sequence[int]]:
        """The addresses, from a memory."""
        first, chosen, values = self.layout.first, compiled(self.chosen(i)), {BEFORE: list(memory)}
        cells = range(first, first + self.layout.length(memory))
        return {f"{self.name}_cell": [cell for cell in cells if chosen({**values, "i": cell})]}

    def compacted(self) -> TaskSpec:
        """What a task wants that moves the chosen to the front of an array at cells 1..n, zeros behind."""
        return self.layout.spec(
            ghosts=self.ghosts,
            pre=self.facts,
            witness=self.witness,
            output=(1, n + 1),
            want=choose(i <= self.total, before(self.cell(i - 1)), 0),
            horizon=3 * n + 4,
        )
