"""Numbers of steps in terms of n and M, or of a quantity of the task's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

MET = 0.8
"""A bound is told where this share of the sizes meets it: by chance some runs are done too early."""

_OF_SIZES = ((0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (0, 1), (-1, 1), (1, 1), (0, 2))


@dataclass(frozen=True)
class Linear:
    """Multiples of quantities and a constant.

    Attributes:
        times: Name of a quantity -> how many times it is taken.
        constant: What is added.

    Example:
        >>> str(Linear({"M": 1, "n": -2}, 1))
        'M - 2n + 1'
    """

    times: Mapping[str, int]
    constant: int

    def holds(self, quantities: Mapping[str, np.ndarray], values: np.ndarray) -> bool:
        """Whether it gives every value, (B,)."""
        rest = values - sum(factor * quantities[name] for name, factor in self.times.items())
        return bool((rest == self.constant).all())

    def __str__(self) -> str:
        parts = [(factor, _multiple(factor, name)) for name, factor in self.times.items() if factor]
        if self.constant or not parts:
            parts.append((self.constant, str(abs(self.constant))))
        text = " ".join(f"{'-' if factor < 0 else '+'} {word}" for factor, word in parts)
        return text.removeprefix("+ ")


def _multiple(factor: int, name: str) -> str:
    return name if abs(factor) == 1 else f"{abs(factor)}{' ' if len(name) > 1 else ''}{name}"


def bound_of(
    sizes: Sequence[tuple[int, int]], values: Sequence[int], bound: Callable[[Sequence[int]], int]
) -> Linear | None:
    """a n + b M + c, a bound that holds at every size and is met at all but a few; None if none does.

    Args:
        sizes: n and M.
        values: What is to be bounded, one for every size.
        bound: `max` for a bound from above, `min` for one from below.

    Example:
        >>> str(bound_of([(1, 5), (2, 9), (4, 9)], [3, 4, 6], max))
        'n + 2'
    """
    for a, b in _OF_SIZES:
        rest = [
            value - a * n - b * memory_size for (n, memory_size), value in zip(sizes, values, strict=True)
        ]
        if rest.count(bound(rest)) >= MET * len(rest):
            return Linear({"M": b, "n": a}, bound(rest))
    return None


def ceiling_of(sizes: Sequence[tuple[int, int]], values: Sequence[int]) -> Linear | None:
    """a n + b M + c that no value exceeds, and what is left to it does not shrink as n grows; None if none.

    Where values grow with M while n stays, b is not 0.

    Args:
        sizes: n and M, several M of every n.
        values: The largest value that was met at each.

    Example:
        >>> str(ceiling_of([(1, 5), (2, 9), (4, 9), (8, 19)], [3, 5, 10, 19]))
        '3n'
    """
    middle = sorted(n for n, _ in sizes)[len(sizes) // 2]
    grows = _grows_with_memory(sizes, values)
    for a, b in _OF_SIZES:
        if grows and not b:
            continue
        rest = [(n, value - a * n - b * memory) for (n, memory), value in zip(sizes, values, strict=True)]
        highest = max(value for _, value in rest)
        if any(value == highest for n, value in rest if n < middle):
            return Linear({"M": b, "n": a}, highest)
    return None


def _grows_with_memory(sizes: Sequence[tuple[int, int]], values: Sequence[int]) -> bool:
    """Whether at most n's the value is largest at the largest M, and there alone."""
    of_difficulty: dict[int, list[tuple[int, int]]] = {}
    for (n, memory), value in zip(sizes, values, strict=True):
        of_difficulty.setdefault(n, []).append((memory, value))
    several = [sorted(found) for found in of_difficulty.values() if len(found) > 1]
    larger = sum(found[-1][1] > max(value for _, value in found[:-1]) for found in several)
    return 2 * larger > len(several)


def equation_of(quantities: Mapping[str, np.ndarray], values: np.ndarray) -> Linear | None:
    """Small multiples of one or two quantities and a constant that make up every value; None if none do.

    Args:
        quantities: For every name what it is in each run, (B,); those that come first are preferred.
        values: (B,).

    Example:
        >>> str(equation_of({"n": np.array([1, 2, 4]), "M": np.array([5, 5, 9])}, np.array([5, 4, 6])))
        'M - n + 1'
    """
    for times in _multiples(list(quantities)):
        constant = values[0] - sum(factor * quantities[name][0] for name, factor in times.items())
        found = Linear(times, int(constant))
        if found.holds(quantities, values):
            return found
    return None


def _multiples(names: Sequence[str]) -> Iterator[dict[str, int]]:
    yield {}
    for name, factor in product(names, (1, 2, 3, 4)):
        yield {name: factor}
    for first, second in product(names, names):
        if first != second:
            yield from ({first: 1, second: factor} for factor in (-1, 1, 2, -2))
