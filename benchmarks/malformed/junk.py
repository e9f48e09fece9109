"""Values that no argument expects: of every type, of absurd sizes, and of types that only look right."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import torch


class Hostile:
    """An object that answers every question with an error."""

    def __array__(self, *arguments: Any, **keywords: Any) -> np.ndarray:
        raise ValueError("no array")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("not comparable")

    __hash__ = object.__hash__


def _endless() -> list[Any]:
    values: list[Any] = []
    values.append(values)
    return values


def _deep(levels: int) -> list[Any]:
    values: list[Any] = []
    for _ in range(levels):
        values = [values]
    return values


INTEGERS = [-(2**70), -(2**63), -1, 0, 2**31, 2**32, 2**63 - 1, 2**63, 2**64, 2**70, 10**400]
FLOATS = [float("nan"), float("inf"), -float("inf"), -0.5, 0.5, 2.0, 1e39, 1e308, 5e-324, -1e-50]
WORDS = ["", " ", "3", "left", "x" * 10**5, "\x00\x1b[31m", "\ud800", "ünï", "READ", "None", "nan", "[1, 2]"]
ARRAYS = [
    np.array([]),
    np.array(3.5),
    np.zeros((0, 4)),
    np.zeros((2, 3, 4), np.float32),
    np.array(["a", "b"]),
    np.array([None, 1], dtype=object),
    np.array([1 + 2j]),
    np.array(["2001-01-01"], dtype="datetime64[D]"),
    np.zeros(3, dtype=[("a", int), ("b", float)]),
    np.ma.masked_array([1.0, 2.0], mask=[True, False]),
    np.array([2**63], dtype=np.uint64),
]
TENSORS = [
    torch.zeros(0),
    torch.tensor(float("nan")),
    torch.zeros(2, 3, dtype=torch.complex64),
    torch.zeros(2, 3, device="meta"),
    torch.eye(3).to_sparse(),
    torch.zeros(3, requires_grad=True),
    torch.zeros(3, dtype=torch.bfloat16),
    torch.ones(2, dtype=torch.bool),
]
OTHERS = [
    True,
    False,
    b"bytes",
    1j,
    Decimal("NaN"),
    Fraction(1, 3),
    (),
    [],
    [[1], [2, 3]],
    _endless(),
    _deep(500),
    [0] * 10**5,
    {},
    {"a": 1},
    {1, 2},
    range(3),
    slice(None),
    Ellipsis,
    NotImplemented,
    object(),
    object,
    len,
    Hostile(),
    np,
    np.float32,
    np.bool_(True),
    np.datetime64("NaT"),
    np.float16(1),
    torch.float16,
    torch.device("cpu"),
    ValueError("a value"),
    itertools.count,
]
JUNK: list[Any] = [*INTEGERS, *FLOATS, *WORDS, *ARRAYS, *TENSORS, *OTHERS]


def pick(rng: np.random.Generator, values: Sequence[Any]) -> Any:
    """One of the values, as it is."""
    return values[int(rng.integers(len(values)))]


def junk(rng: np.random.Generator, accepted: Callable[[Any], bool]) -> Any:
    """A value that the argument does not accept; a wrong integer or float may be a random one."""
    while True:
        value = pick(rng, JUNK) if rng.random() < 0.7 else _random_number(rng)
        if not accepted(value):
            return value


def _random_number(rng: np.random.Generator) -> Any:
    size = 10.0 ** rng.uniform(-3, 40) * rng.choice([-1, 1])
    return int(size) if rng.random() < 0.5 else float(size)


def whole(smallest: int, largest: float = 2**31 - 1) -> Callable[[Any], bool]:
    """Accepts whole numbers of a range, Python's and numpy's."""
    return lambda value: (
        isinstance(value, int | np.integer) and not isinstance(value, bool) and smallest <= value <= largest
    )


def number(smallest: float, largest: float) -> Callable[[Any], bool]:
    """Accepts numbers of a range, Python's and numpy's."""
    kinds = int | float | np.integer | np.floating
    return lambda value: (
        isinstance(value, kinds) and not isinstance(value, bool) and smallest <= value <= largest
    )


def one_of(*words: Any) -> Callable[[Any], bool]:
    """Accepts these very words."""
    return lambda value: isinstance(value, str) and value in words


def nothing(value: Any) -> bool:
    """Accepts nothing."""
    return False
