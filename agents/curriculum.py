"""The curriculum: which difficulties a member trains on, and when it rises (paper, Appendix B)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from agents.config import TrainConfig
from agents.losses import cell_losses, mastered
from agents.population import UNKNOWN, UNKNOWN_LOSS, Population
from agents.rollout import Rollout
from nram_env.tasks import TaskBatch

RUNNING_DECAY = 0.9
"""Weight of the past in the running error and loss."""

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


def rise(population: Population, batch: TaskBatch, rollout: Rollout, config: TrainConfig) -> Population:
    """Update the running errors and losses at exactly the current levels, and raise the levels mastered.

    Easy examples are for finding the loop: a member that masters the top level, and its clones, get no more.

    Args:
        population: P members.
        batch: The (P x B) examples that they played, member by member.
        rollout: What came of it.
        config: Threshold, patience and highest level.
    """
    shape = rollout.returns.shape
    at_level = torch.from_numpy(batch.difficulty).view(shape) == population.level[:, None]
    error = _running(population.error, rollout.wrong.float(), at_level)
    loss = _running(population.loss, cell_losses(rollout, batch), at_level)
    rises = (error < config.level_threshold) & (population.level_age >= config.level_patience)
    rises &= population.level < config.max_level
    masters = mastered(replace(population, error=error), config)
    return replace(
        population,
        easy_share=population.easy_share.masked_fill(masters, 0.0),
        error=error.masked_fill(rises, UNKNOWN),
        loss=loss.masked_fill(rises, UNKNOWN_LOSS),
        level=population.level + rises.long(),
        level_age=population.level_age.masked_fill(rises, 0),
    )


def _running(before: Tensor, values: Tensor, chosen: Tensor) -> Tensor:
    """The running mean (P,), moved on by the mean of a member's chosen finite values (P, B), if any."""
    chosen = chosen & values.isfinite()  # a member just restarted has played as its broken predecessor
    count = chosen.sum(1)
    mean = values.masked_fill(~chosen, 0.0).sum(1) / count.clamp_min(1)
    return torch.where(count > 0, RUNNING_DECAY * before + (1 - RUNNING_DECAY) * mean, before)
