"""What a task calls the parts of its memory: words for readers, on which nothing depends."""

from __future__ import annotations

from dataclasses import dataclass

from nram_env.tasks.terms import Number, Term, term_of, text


@dataclass(frozen=True)
class Part:
    """Cells that have a name in a task's picture.

    Attributes:
        name: As in the picture: "head", "A".
        says: What it is, to be put behind the name.
        low: The first cell.
        high: One behind the last.
        entry: What one of its cells holds, where it has more than one.

    Example:
        >>> print(one_cell(0, "head", "the address of the first node"))
        cell 0: head, the address of the first node
    """

    name: str
    says: str
    low: Term
    high: Term
    entry: str = "element"

    def __str__(self) -> str:
        return f"{self.where}: {self.name}, {self.says}"

    @property
    def where(self) -> str:
        """Its cells in words."""
        if self.is_cell:
            return f"cell {text(self.low)}"
        return f"cells {text(self.low)}..{text(self.high - 1)}"

    @property
    def is_cell(self) -> bool:
        """Whether it is a single cell."""
        return self.high - self.low == Number(1)


def one_cell(number: int, name: str, says: str) -> Part:
    """A part of one cell."""
    return Part(name, says, Number(number), Number(number + 1))


def array(low: Term | int, high: Term | int, name: str = "A", says: str = "the array") -> Part:
    """A part of any number of cells, its elements."""
    return Part(name, says, term_of(low), term_of(high))
