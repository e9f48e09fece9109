"""Linear equations that hold of given integer vectors, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm

import numpy as np

LARGEST_COEFFICIENT = 8
"""Equations with larger coefficients are left out: they are accidents of few examples."""

_PRIME = 2**31 - 1


def equations(columns: Sequence[np.ndarray]) -> list[tuple[int, ...]]:
    """A basis of the linear equations that hold of given columns in every row.

    Args:
        columns: V integer arrays (B,); later ones are expressed by earlier ones.

    Returns:
        Coefficients (V,), coprime integers whose sum of products with the columns is 0 in every row.

    Example:
        >>> equations([np.array([1, 1, 1]), np.array([0, 1, 2]), np.array([3, 5, 7])])
        [(-3, -2, 1)]
    """
    rows = np.unique(np.stack(columns, axis=1), axis=0)
    reduced, pivots = _reduced([[Fraction(int(value)) for value in row] for row in _independent(rows)])
    found = []
    for free in range(len(columns)):
        if free not in pivots:
            vector = [Fraction(0)] * len(columns)
            vector[free] = Fraction(1)
            for row, pivot in zip(reduced, pivots, strict=True):
                vector[pivot] = -row[free]
            found.append(_coprime(vector))
    small = [vector for vector in found if max(map(abs, vector)) <= LARGEST_COEFFICIENT]
    return [vector for vector in small if not (rows @ np.array(vector)).any()]


def _independent(rows: np.ndarray) -> np.ndarray:
    """Rows that all others are combinations of, modulo a prime: as a rule all that count."""
    left, places = rows % _PRIME, list[int]()
    for column in range(rows.shape[1]):
        lead = int(np.argmax(left[:, column] != 0))
        if left[lead, column]:
            scaled = left[lead] * pow(int(left[lead, column]), -1, _PRIME) % _PRIME
            left = (left - left[:, column, None] * scaled) % _PRIME
            places.append(lead)
    return rows[places]


def _reduced(rows: list[list[Fraction]]) -> tuple[list[list[Fraction]], list[int]]:
    """Reduced row echelon form without its zero rows, built row by row, and the columns of its pivots."""
    basis: dict[int, list[Fraction]] = {}
    for row in rows:
        for pivot, known in basis.items():
            if row[pivot]:
                row = _less(row, row[pivot], known)
        lead = next((column for column, value in enumerate(row) if value), None)
        if lead is not None:
            row = [value / row[lead] for value in row]
            basis = {
                pivot: _less(known, known[lead], row) if known[lead] else known
                for pivot, known in basis.items()
            }
            basis[lead] = row
    pivots = sorted(basis)
    return [basis[pivot] for pivot in pivots], pivots


def _less(row: list[Fraction], factor: Fraction, known: list[Fraction]) -> list[Fraction]:
    return [value - factor * other for value, other in zip(row, known, strict=True)]


def _coprime(vector: list[Fraction]) -> tuple[int, ...]:
    scale = lcm(*(value.denominator for value in vector))
    whole = [int(value * scale) for value in vector]
    return tuple(value // gcd(*whole) for value in whole)
