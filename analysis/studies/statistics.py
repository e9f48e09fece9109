"""Shares with intervals, and times of which some were never seen to end."""

from __future__ import annotations

import math
from collections.abc import Sequence

Z = 1.959964
"""Of 95 %."""


def wilson(good: int, runs: int) -> tuple[float, float]:
    """Wilson's interval of a share, 95 %.

    Example:
        >>> [round(end, 2) for end in wilson(9, 10)]
        [0.6, 0.98]
    """
    middle, spread = good + Z * Z / 2, Z * math.sqrt(good * (runs - good) / runs + Z * Z / 4)
    return (middle - spread) / (runs + Z * Z), (middle + spread) / (runs + Z * Z)


def survival(times: Sequence[tuple[float, bool]]) -> list[tuple[float, float]]:
    """Share that has not succeeded yet against time, by Kaplan and Meier.

    Args:
        times: Of every run its seconds, and whether it succeeded then; one that did not may have later.

    Returns:
        Steps (seconds, share from then on), from (0, 1).

    Example:
        >>> survival([(10, True), (20, False), (30, True)])
        [(0.0, 1.0), (10, 0.6666666666666667), (30, 0.0)]
    """
    steps, share = [(0.0, 1.0)], 1.0
    for moment in sorted({seconds for seconds, is_success in times if is_success}):
        at_risk = sum(seconds >= moment for seconds, _ in times)
        share *= 1 - times.count((moment, True)) / at_risk
        steps.append((moment, share))
    return steps


def quantile(steps: Sequence[tuple[float, float]], share: float) -> float | None:
    """Time by which a share has succeeded; None where too few were seen to.

    Example:
        >>> quantile([(0.0, 1.0), (10, 0.6), (30, 0.3)], 0.5)
        30
    """
    return next((seconds for seconds, left in steps if left <= 1 - share + 1e-12), None)
