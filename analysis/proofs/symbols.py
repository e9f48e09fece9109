"""Numbers as SMT-LIB text: what a gate's own integer function says about integers of which nothing is known.

The formulas of the gates are not written down a second time: `nram_env.machine.pure_gate` is called with
symbols in place of integers, and what it does with them is recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nram_env.machine import Gate, pure_gate

LARGEST_CONSTANT = 64
"""Largest absolute value of a constant: each smaller memory size is a case of its own."""


@dataclass(frozen=True)
class Symbol:
    """An integer that is known as an SMT-LIB term alone.

    Attributes:
        text: The term.
    """

    text: str

    def __add__(self, other: Any) -> Symbol:
        return Symbol(f"(+ {self.text} {_text(other)})")

    def __sub__(self, other: Any) -> Symbol:
        return Symbol(f"(- {self.text} {_text(other)})")

    def __mul__(self, truth: Truth) -> Symbol:
        return Symbol(f"(ite {truth.text} {self.text} 0)")

    def __lt__(self, other: Any) -> Truth:
        return Truth(f"(< {self.text} {_text(other)})")

    def __le__(self, other: Any) -> Truth:
        return Truth(f"(<= {self.text} {_text(other)})")

    def __gt__(self, other: Any) -> Truth:
        return Truth(f"(> {self.text} {_text(other)})")

    def __ge__(self, other: Any) -> Truth:
        return Truth(f"(>= {self.text} {_text(other)})")

    def __eq__(self, other: object) -> Any:
        return Truth(f"(= {self.text} {_text(other)})")

    def __hash__(self) -> int:
        return hash(self.text)

    def __mod__(self, size: Symbol) -> Symbol:
        """Exact for values in -M..2M-1: sums and differences of two values in 0..M-1 are such."""
        low, high = f"(+ {self.text} {size.text})", f"(- {self.text} {size.text})"
        return Symbol(f"(ite (< {self.text} 0) {low} (ite (>= {self.text} {size.text}) {high} {self.text}))")

    def __rmod__(self, value: int) -> Symbol:
        """A constant modulo M, for every M of at least 1."""
        if abs(value) > LARGEST_CONSTANT:
            raise ValueError(
                f"the program holds the constant {value}; "
                f"proofs know constants of at most {LARGEST_CONSTANT} in absolute value"
            )
        found = f"(+ {self.text} {number(value)})" if value < 0 else str(value)
        for size in range(1, abs(value) + 1):
            found = f"(ite (= {self.text} {size}) {value % size} {found})"
        return Symbol(found)


@dataclass(frozen=True)
class Truth:
    """A truth value that is known as an SMT-LIB formula alone.

    Attributes:
        text: The formula.
    """

    text: str

    def __mul__(self, value: Any) -> Symbol:
        return Symbol(f"(ite {self.text} {_text(value)} 0)")


def number(value: int) -> str:
    """An integer as SMT-LIB has it.

    Example:
        >>> number(-3)
        '(- 3)'
    """
    return str(value) if value >= 0 else f"(- {-value})"


def gate_term(gate: Gate, arguments: list[str], size: str = "M") -> str:
    """The output of a gate other than READ and WRITE as an SMT-LIB term.

    Args:
        gate: Which gate.
        arguments: Terms of its arguments, each in 0..M-1.
        size: Term of M.

    Example:
        >>> gate_term(Gate.LESS_THAN, ["x", "y"])
        '(ite (< x y) (ite (= M 1) 0 1) 0)'
    """
    return _text(pure_gate(gate, [Symbol(argument) for argument in arguments], Symbol(size)))


def constant_term(value: int, size: str = "M") -> str:
    """A constant modulo M as an SMT-LIB term.

    Raises:
        ValueError: It is too large for the cases to be told apart.
    """
    return _text(value % Symbol(size))


def _text(value: Any) -> str:
    return value.text if isinstance(value, Symbol) else number(value)
