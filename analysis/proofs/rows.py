"""The fourth reading of terms: their values in many situations at once. Only guesses are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from nram_env.tasks.terms import (
    And,
    Apply,
    Choice,
    Compare,
    Fact,
    ForAll,
    Implies,
    Not,
    Number,
    Or,
    Sum,
    Term,
    Variable,
)

NOTHING = -(10**9)
"""What a function holds where it has no entry."""


@dataclass(frozen=True)
class Rows:
    """B situations, each of some run.

    Attributes:
        integers: (B,) of every variable.
        functions: (B, W) of every function, NOTHING behind its last entry.
    """

    integers: Mapping[str, np.ndarray]
    functions: Mapping[str, np.ndarray]
    _values: dict[Term, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.integers["M"])

    def chosen(self, rows: np.ndarray) -> Rows:
        """Some of the situations."""
        return Rows(
            {name: values[rows] for name, values in self.integers.items()},
            {name: table[rows] for name, table in self.functions.items()},
        )

    def value(self, term: Term) -> np.ndarray:
        """(B,); the value of a term in every situation."""
        if term not in self._values:
            self._values[term] = self._value(term)
        return self._values[term]

    def _value(self, term: Term) -> np.ndarray:
        match term:
            case Number(value):
                return np.full(len(self), value)
            case Variable(name):
                return self.integers[name]
            case Sum(parts, constant):
                scaled = (factor * self.value(part) for part, factor in parts)
                return sum(scaled, np.full(len(self), constant))
            case Apply(function, index):
                return self.entries(function, self.value(index))
            case Choice(condition, then, otherwise):
                return np.where(self.truth(condition), self.value(then), self.value(otherwise))
        raise TypeError(f"no term: {term!r}")

    def entries(self, function: str, index: np.ndarray) -> np.ndarray:
        """The entry of a function at an index of every situation, (..., B); NOTHING where it has none."""
        table = self.functions[function]
        inside = (index >= 0) & (index < table.shape[1])
        return np.where(inside, table[np.arange(len(self)), np.where(inside, index, 0)], NOTHING)

    def truth(self, fact: Fact) -> np.ndarray:
        """(B,); whether a fact holds in every situation."""
        match fact:
            case Compare("<=", left, right):
                return self.value(left) <= self.value(right)
            case Compare("<", left, right):
                return self.value(left) < self.value(right)
            case Compare(_, left, right):
                return self.value(left) == self.value(right)
            case Not(inner):
                return ~self.truth(inner)
            case And(facts):
                return np.logical_and.reduce([np.ones(len(self), bool), *map(self.truth, facts)])
            case Or(facts):
                return np.logical_or.reduce([np.zeros(len(self), bool), *map(self.truth, facts)])
            case Implies(condition, conclusion):
                return ~self.truth(condition) | self.truth(conclusion)
            case ForAll(name, low, high, body):
                return self._everywhere(name, self.value(low), self.value(high), body)
        raise TypeError(f"no fact: {fact!r}")

    def _everywhere(self, name: str, low: np.ndarray, high: np.ndarray, body: Fact) -> np.ndarray:
        found = np.ones(len(self), bool)
        for value in range(int(low.min()), int(high.max())):
            inner = self.with_integer(name, np.full(len(self), value))
            found &= ~((low <= value) & (value < high)) | inner.truth(body)
        return found

    def with_integer(self, name: str, values: np.ndarray) -> Rows:
        """The same situations with one more variable."""
        return Rows({**self.integers, name: values}, self.functions)

    def holds(self, fact: Fact) -> bool:
        """Whether a fact holds in all situations."""
        return bool(self.truth(fact).all())
