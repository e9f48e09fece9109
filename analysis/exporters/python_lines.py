"""Statements and values as lines of Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from analysis.exporters.source import WIDTH, Arithmetic
from analysis.program.expressions import Assign, Expression, Let, Statement, Store

_SHORT = 20
"""Length of the parts that a line is made of where it would get too long."""


def python_lines(
    statements: Sequence[Statement], names: Sequence[str], smallest: int, indent: str
) -> Iterator[str]:
    """Statements as lines of at most WIDTH columns; what does not fit goes into temporaries.

    Args:
        statements: The statements of one timestep.
        names: Names of the registers.
        smallest: The least M.
        indent: What every line begins with.
    """
    taken = [statement.temporary.number for statement in statements if isinstance(statement, Let)]
    writer = _Writer(names, smallest, indent, max(taken, default=-1) + 1)
    for statement in statements:
        yield from writer.lines(statement)


def python_arithmetic(names: Sequence[str], smallest: int, keep: Callable[[str], str]) -> Arithmetic:
    """Arithmetic modulo `size`, in Python."""
    plain = smallest > 1
    return Arithmetic(
        names,
        smallest,
        modulo=lambda text: f"{text if text.isalnum() else f'({text})'} % size",
        comparison=lambda a, sign, b: f"int({a} {sign} {b})" if plain else f"({a} {sign} {b}) % size",
        keep=keep,
    )


class _Writer:
    """Writes statements as lines of at most WIDTH columns; what does not fit goes into temporaries."""

    def __init__(self, names: Sequence[str], smallest: int, indent: str, num_temporaries: int) -> None:
        self._names, self._smallest, self._indent = names, smallest, indent
        self._num_temporaries = num_temporaries

    def lines(self, statement: Statement) -> list[str]:
        """A statement, on one line if it fits."""
        line = self._indent + self._text(statement, self._arithmetic(lambda text: text))
        return [line] if len(line) <= WIDTH else self._split(statement)

    def _split(self, statement: Statement) -> list[str]:
        before: list[str] = []

        def keep(text: str) -> str:
            return text if len(text) <= _SHORT else self._name(before, text)

        arithmetic = self._arithmetic(keep)
        if isinstance(statement, Assign) and len(statement.registers) > 1:
            values = [self._name(before, arithmetic.value(value)) for value in statement.values]
            targets = [self._names[register] for register in statement.registers]
            return before + [f"{self._indent}{t} = {v}" for t, v in zip(targets, values, strict=True)]
        text = self._text(statement, arithmetic)
        return [*before, self._indent + text]

    def _text(self, statement: Statement, arithmetic: Arithmetic) -> str:
        if isinstance(statement, Store):
            return f"memory[{arithmetic.value(statement.address)}] = {arithmetic.value(statement.value)}"
        if isinstance(statement, Let):
            return f"t{statement.temporary.number} = {arithmetic.value(statement.value)}"
        targets = ", ".join(self._names[register] for register in statement.registers)
        return f"{targets} = {', '.join(self._values(statement.values, arithmetic))}"

    def _values(self, values: Sequence[Expression], arithmetic: Arithmetic) -> list[str]:
        return [arithmetic.value(value) for value in values]

    def _arithmetic(self, keep: Callable[[str], str]) -> Arithmetic:
        return python_arithmetic(self._names, self._smallest, keep)

    def _name(self, before: list[str], text: str) -> str:
        name = f"t{self._num_temporaries}"
        self._num_temporaries += 1
        before.append(f"{self._indent}{name} = {text}")
        return name
