"""Formulas in n, M and the task's parameters that bound a number seen at many sizes."""

from __future__ import annotations

from itertools import product

import numpy as np

from analysis.proofs.affine import equations
from analysis.proofs.rows import Rows
from nram_env.tasks.terms import Term, Variable, term_of

MOST = 4
"""Formulas that are tried."""

_FACTORS = {"n": (0, 1, -1, 2, -2, 3, -3, 4, -4), "M": (0, 1, -1, 2, -2)}
_OTHER = (0, 1, -1, 2, -2)
_PRICE = 0.25


def upper_bounds(values: np.ndarray, rows: Rows, names: list[str]) -> list[Term]:
    """Linear formulas that are at least the values at every row, the closest and simplest first.

    Args:
        values: (B,) integers.
        rows: What M and the parameters were.
        names: Those that a formula may speak of.

    Example:
        >>> from nram_env.tasks.terms import text
        >>> n, M = np.array([1, 2, 3, 4]), np.array([9, 7, 8, 9])
        >>> [text(bound) for bound in upper_bounds(2 * n + 1, Rows({"n": n, "M": M}, {}), ["n", "M"])][:1]
        ['2*n + 1']
    """
    columns = [rows.integers[name] for name in names]
    exact = [
        vector
        for vector in equations([np.ones(len(values), np.int64), *columns, values])
        if abs(vector[-1]) == 1
    ]
    found = [
        _formula([-vector[-1] * factor for factor in vector[1:-1]], -vector[-1] * vector[0], names)
        for vector in exact
    ]
    once = {rows.value(bound).tobytes(): bound for bound in reversed(found + _bounds(values, columns, names))}
    return list(reversed(once.values()))[:MOST]


def lower_bounds(values: np.ndarray, rows: Rows, names: list[str]) -> list[Term]:
    """The same from below."""
    return [-bound for bound in upper_bounds(-values, rows, names)]


def _bounds(values: np.ndarray, columns: list[np.ndarray], names: list[str]) -> list[Term]:
    scored = []
    for factors in product(*(_FACTORS.get(name, _OTHER) for name in names)):
        rest = values - sum(
            (factor * column for factor, column in zip(factors, columns, strict=True)), np.int64(0)
        )
        distance = (rest.max() - rest).mean() + _PRICE * sum(map(abs, factors))
        scored.append((float(distance), _formula(list(factors), int(rest.max()), names)))
    return [term for _, term in sorted(scored, key=lambda pair: pair[0])[: MOST**2]]


def _formula(factors: list[int], constant: int, names: list[str]) -> Term:
    terms = (factor * Variable(name) for factor, name in zip(factors, names, strict=True))
    return sum(terms, term_of(constant))
