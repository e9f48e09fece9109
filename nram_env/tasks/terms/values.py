"""The first reading of terms: their values in Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from nram_env.tasks.terms.nodes import (
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

Values = Mapping[str, int | Sequence[int]]
"""What a term is read with: the integer of every variable, and the entries of every function from 0 on."""


def evaluate(tree: Term | Fact, values: Values) -> Any:
    """The value of a term, an integer, or of a fact, a bool.

    Conditions are looked at first, and parts that no longer matter are not looked at.

    Raises:
        IndexError: A function has no entry at an index that matters.
        KeyError: A name has no value.
    """
    return compiled(tree)(values)


@lru_cache(maxsize=2**14)
def compiled(tree: Term | Fact) -> Callable[[Values], Any]:
    """`evaluate` for one tree and many values, faster."""
    match tree:
        case Number(value):
            return lambda values: value
        case Variable(name):
            return lambda values: values[name]
        case Sum(parts, constant):
            return _summing([(compiled(part), factor) for part, factor in parts], constant)
        case Apply(function, index):
            return _reading(function, compiled(index))
        case Choice(condition, then, otherwise):
            test, first, second = compiled(condition), compiled(then), compiled(otherwise)
            return lambda values: first(values) if test(values) else second(values)
        case Compare(relation, left, right):
            return _comparing(relation, compiled(left), compiled(right))
        case ForAll(name, low, high, body):
            return _every(name, compiled(low), compiled(high), compiled(body))
    return _joined(tree)


def _joined(tree: Term | Fact) -> Callable[[Values], bool]:
    match tree:
        case Not(fact):
            test = compiled(fact)
            return lambda values: not test(values)
        case And(facts):
            tests = [compiled(fact) for fact in facts]
            return lambda values: all(test(values) for test in tests)
        case Or(facts):
            tests = [compiled(fact) for fact in facts]
            return lambda values: any(test(values) for test in tests)
        case Implies(condition, conclusion):
            first, second = compiled(condition), compiled(conclusion)
            return lambda values: not first(values) or second(values)
    raise TypeError(f"no term and no fact: {tree!r}")


def _summing(parts: Sequence[tuple[Callable[[Values], int], int]], constant: int) -> Callable[[Values], int]:
    return lambda values: constant + sum(factor * part(values) for part, factor in parts)


def _reading(function: str, index: Callable[[Values], int]) -> Callable[[Values], int]:
    def read(values: Any) -> int:
        at = index(values)
        if at < 0:
            raise IndexError(f"{function} has no entry {at}")
        return values[function][at]

    return read


def _comparing(
    relation: str, left: Callable[[Values], int], right: Callable[[Values], int]
) -> Callable[[Values], bool]:
    if relation == "<=":
        return lambda values: left(values) <= right(values)
    if relation == "<":
        return lambda values: left(values) < right(values)
    return lambda values: left(values) == right(values)


def _every(
    name: str,
    low: Callable[[Values], int],
    high: Callable[[Values], int],
    body: Callable[[Values], bool],
) -> Callable[[Values], bool]:
    def every(values: Values) -> bool:
        inner = dict(values)
        return all(body(inner) for inner[name] in range(low(values), high(values)))

    return every
