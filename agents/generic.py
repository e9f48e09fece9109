"""The settings of tasks that have no recipe: those of one population, and of islands that differ from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from agents.config import TrainConfig
from nram_env.tasks import get_task

GENERIC: Mapping[str, Any] = {
    "controller": "feedforward",
    "sharp_tests": True,
    "sharp_registers": True,
    "noisy_registers": True,
    "second_read": True,
    "population": 64,
    "batch_size": 8,
    "first_level": 1,
    "count_smaller": True,
    "small_share": 0.2,
    "horizon_slack": 3,
    "level_threshold": 0.3,
    "mastery_threshold": 0.1,
    "loss": "mixture",
    "learning_rate": (0.001, 0.02),
    "attempts": 100,
    "unsolved_updates": 8000,
    "generation_every": 2000,
    "portfolio": True,
}
"""The settings of a task without a recipe. It gets the registers that it suggests, six at least."""

ISLANDS: Sequence[Mapping[str, Any]] = (
    {},
    {"num_registers": 8, "memory_slack": 8},
    {"sharp_registers": False, "noisy_registers": False, "level_threshold": 0.1, "batch_size": 16},
    {"controller": "lstm", "population": 32},
)
"""What the islands of a portfolio have instead of the generic settings, the best first."""

_REGISTERS = 6


def generic_settings(task: str) -> Mapping[str, Any]:
    """The generic settings, for the registers that a task suggests.

    Raises:
        ValueError: There is no such task.
    """
    return {**GENERIC, "num_registers": max(_REGISTERS, get_task(task).num_registers)}


def islands_of(config: TrainConfig) -> tuple[TrainConfig, ...]:
    """The settings of every population of a run, the first to play first.

    Where the settings asked for are not the generic ones, they hold on all islands; islands that become equal
    are one.

    Args:
        config: What was asked for; without a portfolio it is the only one.

    Example:
        >>> from agents.zoo import usual_config
        >>> [(island.controller, island.num_registers) for island in islands_of(usual_config("x-max"))]
        [('feedforward', 6), ('feedforward', 8), ('feedforward', 6), ('lstm', 6)]
    """
    if not config.portfolio:
        return (config,)
    usual = {**vars(TrainConfig()), **generic_settings(config.task)}
    varied = (
        {name: value for name, value in island.items() if getattr(config, name) == usual[name]}
        for island in ISLANDS
    )
    return tuple(dict.fromkeys(replace(config, portfolio=False, **settings) for settings in varied))
