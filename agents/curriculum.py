"""The curriculum: which difficulties a member trains on, and when it rises (paper, Appendix B)."""

from __future__ import annotations

import numpy as np

UNIFORM_SHARE, EASY_SHARE = 0.10, 0.25


def draw_difficulties(
    rng: np.random.Generator, levels: np.ndarray, batch_size: int, lowest: int, highest: int, ahead: int
) -> np.ndarray:
    """Draw the difficulty of every example of an update.

    With D the member's level and e geometric from 0 with success probability 1/2: 10 % of the examples
    are uniform over all difficulties, 25 % uniform up to D + e, 65 % D + e. Ours: nothing lies more than
    `ahead` above D, which keeps updates at low levels cheap.

    Args:
        rng: Source of randomness.
        levels: D of every member, (P,).
        batch_size: Examples a member, B.
        lowest: The task's smallest difficulty.
        highest: Largest difficulty of the curriculum.
        ahead: See above.

    Returns:
        Integers (P, B).
    """
    shape = (len(levels), batch_size)
    ceiling = np.minimum(levels + ahead, highest)[:, None]
    reach = np.minimum(levels[:, None] + rng.geometric(0.5, shape) - 1, ceiling)
    kind = rng.random(shape)
    top = np.where(kind < UNIFORM_SHARE, ceiling, reach)
    spread = rng.integers(lowest, top, endpoint=True)
    return np.where(kind < UNIFORM_SHARE + EASY_SHARE, spread, reach)
