"""Which values a hyper-parameter may have."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING

from nram_env.machine import MAX_GATES

if TYPE_CHECKING:
    from agents.config import TrainConfig

MAX_LEVEL = 1_000
"""Largest difficulty n that is trained at: a soft memory of M cells has M^2 numbers, times the batch."""

RANGES = ("learning_rate", "output_scale", "entropy_bonus", "gradient_noise")
"""Hyper-parameters that each member draws for itself."""

_SHARES = (
    "easy_share",
    "small_share",
    "horizon_share",
    "halting_share",
    "halting_spread",
    "cull_share",
    "family_share",
    "rescale_share",
)

_FACTOR, _MANY = 100, 2**16
_TINY, _HUGE = sys.float_info.min, sys.float_info.max

_BOUNDS: dict[str, tuple[float, float]] = {
    "population": (1, _MANY),
    "batch_size": (1, _MANY),
    "seed": (0, 2**63 - 1),
    "gate_repeats": (1, MAX_GATES),
    "first_level": (1, MAX_LEVEL),
    "max_level": (1, MAX_LEVEL),
    "level_threshold": (0, _HUGE),
    "mastery_threshold": (0, _HUGE),
    "level_patience": (1, _HUGE),
    "ahead": (0, MAX_LEVEL),
    "memory_slack": (0, MAX_LEVEL),
    "horizon_slack": (0, MAX_LEVEL),
    "halting_threshold": (0, _HUGE),
    "halting_slack": (1, 100),
    "unfinished_cost": (0, _HUGE),
    "step_cost": (0, _HUGE),
    "entropy_half_life": (_TINY, _HUGE),
    "gradient_clip": (0, _HUGE),
    "activation_clip": (0, _HUGE),
    "log_floor": (_TINY, 1),
    "sharpening": (0, _HUGE),
    "hardened_cost": (0, _HUGE),
    "cull_every": (0, _HUGE),
    "spare_age": (0, _HUGE),
    "perturbation": (0, _HUGE),
    "attempts": (1, _MANY),
    "attempt_updates": (1, _HUGE),
    "unsolved_updates": (0, _HUGE),
    "generation_every": (0, _HUGE),
    "generation_noise": (0, _HUGE),
    "evaluate_every": (1, _HUGE),
    "evaluation_examples": (1, _MANY),
}


def check_bounds(config: TrainConfig) -> None:
    """Reject a value that is out of its bounds, is no share, or no range.

    Raises:
        ValueError: The message names it and says what it has to be.
    """
    for name, (least, most) in _BOUNDS.items():
        value = getattr(config, name)
        if value is not None and not least <= value <= most:
            raise ValueError(f"{name} must be in {least:g}..{most:g}, got {value}")
    if not all(1 <= factor <= _FACTOR for factor in config.evaluation_factors):
        raise ValueError(f"evaluation_factors must be in 1..{_FACTOR}, got {config.evaluation_factors}")
    for name in _SHARES:
        if not 0 <= getattr(config, name) <= 1:
            raise ValueError(f"{name} must be a share in 0..1, got {getattr(config, name)}")
    for name in RANGES:
        low, high = getattr(config, name)
        if not 0 < low <= high < math.inf:
            raise ValueError(
                f"{name} must be a range LOW HIGH with 0 < LOW <= HIGH, both finite, got {low} {high}"
            )
