"""Terms: values of a block with equal values sharing one number, and the rules that make them equal.

Sums are kept as a constant plus registers, cells and other values with whole coefficients, which is
exact modulo any M. Every other rule holds for every M, or records the smallest M that it needs.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from analysis.program.block import LARGEST_CONSTANT
from nram_env.machine import Gate

LARGEST_SUM = 4
"""Sums of more parts than this, or beyond the largest constant, are kept as the gates that made them."""

COMPARISONS = (Gate.LESS_THAN, Gate.LESS_OR_EQUAL_THAN, Gate.EQUALITY_TEST)
"""Gates whose value is 0 or 1."""

_LARGEST_COMPARED = 2
"""Constants are compared with each other up to this one: it needs M > 2, no more."""


@dataclass(frozen=True)
class Term:
    """A value of a block.

    Attributes:
        gate: The gate that makes it; None for a register, a constant or a sum.
        parts: Numbers of the terms that the gate is applied to.
        register: Number of the register that it is, or -1.
        version: For READ, how many stores came before it.
        offset: The constant, or the constant part of a sum.
        sum: (term, coefficient) pairs of a sum.
    """

    gate: Gate | None = None
    parts: tuple[int, ...] = ()
    register: int = -1
    version: int = 0
    offset: int = 0
    sum: tuple[tuple[int, int], ...] = ()

    @property
    def is_constant(self) -> bool:
        """Whether it is the same integer (modulo M) always."""
        return self.gate is None and self.register < 0 and not self.sum


class Terms:
    """A growing table of terms, each there once.

    Args:
        nonzero: Registers that are known not to be 0.

    Attributes:
        table: The terms by number.
        min_size: The smallest M for which the rules that were used hold.
        words: The first terms in words, as far as they were asked for.
    """

    def __init__(self, nonzero: frozenset[int] = frozenset()) -> None:
        self.nonzero = nonzero
        self.table: list[Term] = []
        self.min_size = 1
        self.words: list[str] = []
        self._numbers: dict[Term, int] = {}
        self._keys: list[tuple[int, int, str]] = []
        self._differences: dict[tuple[int, int], int | None] = {}

    def register(self, register: int) -> int:
        """The value of a register before the step."""
        return self._intern(Term(register=register))

    def constant(self, value: int) -> int:
        """An integer modulo M."""
        return self._intern(Term(offset=value))

    def read(self, address: int, version: int) -> int:
        """The cell at an address after so many stores."""
        return self._intern(Term(Gate.READ, (address,), version=version))

    def apply(self, gate: Gate, parts: Sequence[int]) -> int:
        """A gate other than READ and WRITE, simplified."""
        if gate in _CONSTANTS:
            return self.constant(_CONSTANTS[gate])
        if gate in _COEFFICIENTS:
            coefficients, offset = _COEFFICIENTS[gate]
            return self._combine(gate, list(zip(parts, coefficients, strict=True)), offset)
        if gate in _COMMUTATIVE:
            parts = sorted(parts, key=self.key)
        known = _RULES[gate](self, *parts)
        return self._intern(Term(gate, tuple(parts))) if known is None else known

    def key(self, number: int) -> tuple[int, int, str]:
        """Sorting key that depends on what a term is, not on when it was made; constants come last."""
        return self._keys[number]

    def difference(self, left: int, right: int) -> int | None:
        """left - right where that is a constant, else None."""
        if (left, right) not in self._differences:
            self._differences[left, right] = self._difference(left, right)
        return self._differences[left, right]

    def _difference(self, left: int, right: int) -> int | None:
        parts = Counter(dict(self._sum(left)[0]))
        parts.subtract(dict(self._sum(right)[0]))
        if any(parts.values()):
            return None
        return self._sum(left)[1] - self._sum(right)[1]

    def differ(self, left: int, right: int) -> bool:
        """Whether two terms are known to differ at every M that the rules in use allow (at least 3)."""
        difference = self.difference(left, right)
        if difference is None or not 0 < abs(difference) <= _LARGEST_COMPARED:
            return False
        self.needs(abs(difference) + 1)
        return True

    def needs(self, size: int) -> None:
        """Record that a rule holds only for M >= size."""
        self.min_size = max(self.min_size, size)

    def value(self, number: int) -> int | None:
        """The integer of a constant term, else None."""
        term = self.table[number]
        return term.offset if term.is_constant else None

    def small(self, number: int) -> int | None:
        """The integer of a constant term in 0..2, which is itself once M is large enough; else None."""
        value = self.value(number)
        return value if value is not None and 0 <= value <= _LARGEST_COMPARED else None

    def is_nonzero(self, number: int) -> bool:
        """Whether a term is a register that is known not to be 0."""
        return self.table[number].register in self.nonzero

    def _sum(self, number: int) -> tuple[Mapping[int, int], int]:
        term = self.table[number]
        if term.gate is None and term.register < 0:
            return dict(term.sum), term.offset
        return {number: 1}, 0

    def _combine(self, gate: Gate, parts: Sequence[tuple[int, int]], offset: int) -> int:
        total: Counter[int] = Counter()
        for number, coefficient in parts:
            inner, inner_offset = self._sum(number)
            offset += coefficient * inner_offset
            for part, times in inner.items():
                total[part] += coefficient * times
        kept = {part: times for part, times in total.items() if times}
        if sum(map(abs, kept.values())) > LARGEST_SUM or abs(offset) > LARGEST_CONSTANT:
            arguments = [number for number, _ in parts]
            ordered_parts = sorted(arguments, key=self.key) if gate is Gate.ADD else arguments
            return self._intern(Term(gate, tuple(ordered_parts)))
        if list(kept.values()) == [1] and offset == 0:
            return next(iter(kept))
        ordered = sorted(kept.items(), key=lambda item: self.key(item[0]))
        return self._intern(Term(offset=offset, sum=tuple(ordered)))

    def _intern(self, term: Term) -> int:
        if term not in self._numbers:
            self._numbers[term] = len(self.table)
            self.table.append(term)
            self._keys.append(self._key(term))
        return self._numbers[term]

    def _key(self, term: Term) -> tuple[int, int, str]:
        if term.register >= 0:
            return (0, term.register, "")
        if term.is_constant:
            return (2, term.offset, "")
        parts = [self.key(part) for part in term.parts]
        inner = [(self.key(part), times) for part, times in term.sum]
        text = repr((term.gate and term.gate.label, parts, term.version, inner, term.offset))
        return (1, 0, hashlib.sha256(text.encode()).hexdigest())


_CONSTANTS = {Gate.ZERO: 0, Gate.ONE: 1, Gate.TWO: 2}
_COEFFICIENTS: dict[Gate, tuple[tuple[int, ...], int]] = {
    Gate.INC: ((1,), 1),
    Gate.DEC: ((1,), -1),
    Gate.ADD: ((1, 1), 0),
    Gate.SUB: ((1, -1), 0),
}
_COMMUTATIVE = (Gate.EQUALITY_TEST, Gate.MIN, Gate.MAX)


def _less(terms: Terms, a: int, b: int) -> int | None:
    if a == b or terms.value(b) == 0 or terms.value(a) == -1:
        return terms.constant(0)
    if terms.value(a) == 0 and terms.is_nonzero(b):
        return terms.constant(1)
    if terms.value(b) == 1:
        terms.needs(2)
        return terms.apply(Gate.EQUALITY_TEST, (a, terms.constant(0)))
    return _folded(terms, a, b, lambda x, y: int(x < y))


def _less_or_equal(terms: Terms, a: int, b: int) -> int | None:
    if a == b or terms.value(a) == 0 or terms.value(b) == -1:
        return terms.constant(1)
    if terms.value(b) == 0:
        return terms.apply(Gate.EQUALITY_TEST, (a, b))
    if terms.value(a) == 1:
        terms.needs(2)
        return terms.apply(Gate.LESS_THAN, (terms.constant(0), b))
    return _folded(terms, a, b, lambda x, y: int(x <= y))


def _equal(terms: Terms, a: int, b: int) -> int | None:
    if a == b:
        return terms.constant(1)
    if terms.differ(a, b) or (terms.is_nonzero(a) and terms.value(b) == 0):
        return terms.constant(0)
    return None


def _minimum(terms: Terms, a: int, b: int) -> int | None:
    if a == b or terms.value(b) == -1:
        return a
    if terms.value(a) == -1:
        return b
    if 0 in (terms.value(a), terms.value(b)):
        return terms.constant(0)
    if terms.value(b) == 1 and terms.is_nonzero(a):
        return b
    return _folded(terms, a, b, min)


def _maximum(terms: Terms, a: int, b: int) -> int | None:
    if a == b or terms.value(b) == 0:
        return a
    if terms.value(a) == 0:
        return b
    if -1 in (terms.value(a), terms.value(b)):
        return terms.constant(-1)
    if terms.value(b) == 1 and terms.is_nonzero(a):
        return a
    return _folded(terms, a, b, max)


def _folded(terms: Terms, a: int, b: int, function: Callable[[int, int], int]) -> int | None:
    x, y = terms.small(a), terms.small(b)
    if x is None or y is None:
        return None
    terms.needs(max(x, y) + 1)
    return terms.constant(function(x, y))


_RULES: dict[Gate, Callable[[Terms, int, int], int | None]] = {
    Gate.LESS_THAN: _less,
    Gate.LESS_OR_EQUAL_THAN: _less_or_equal,
    Gate.EQUALITY_TEST: _equal,
    Gate.MIN: _minimum,
    Gate.MAX: _maximum,
}
