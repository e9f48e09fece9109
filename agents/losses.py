"""The loss of a member: its mean negative return and what its entropies are worth (paper, Section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from agents.config import TrainConfig
from agents.population import Population
from agents.rollout import Rollout
from nram_env.tasks import TaskBatch

if TYPE_CHECKING:
    from agents.device.samplers import DeviceBatch


def member_losses(rollout: Rollout, population: Population, config: TrainConfig, beyond: Tensor) -> Tensor:
    """Loss of every member, (P,): mean negative return, minus the entropy bonus, plus the cost of timesteps.

    Late sharpening also counts the entropy of the halting choice: a small constant willingness to finish
    does no harm at the trained horizons, but adds up over longer ones.

    Args:
        rollout: What was played.
        population: P members.
        config: Costs and the bonus.
        beyond: (P,) booleans; members whose horizon exceeded the task's, so that they had time to stop.
    """
    weight = entropy_weight(population, config)
    entropy = weight * rollout.entropy.mean(1) + weight.clamp_max(0) * rollout.halting_entropy.mean(1)
    cost = config.step_cost * rollout.steps.mean(1) + config.unfinished_cost * rollout.unfinished.mean(1)
    return -rollout.returns.mean(1) - entropy + cost.masked_fill(~beyond, 0.0)


def cell_losses(rollout: Rollout, batch: TaskBatch | DeviceBatch) -> Tensor:
    """What an output cell costs every example, (P, B): minus its log-likelihood, without entropies."""
    returns = rollout.returns.detach()
    cells = torch.as_tensor(batch.mask.sum(1), dtype=torch.int64, device=returns.device)
    return -returns / cells.view(returns.shape)


def entropy_weight(population: Population, config: TrainConfig) -> Tensor:
    """Coefficient of the entropy bonus, (P,); it halves every half-life.

    Negative, a penalty, for members that master the top level: late sharpening, which the paper suggests
    and did not try.
    """
    bonus = population.entropy_bonus * torch.exp2(-population.age.float() / config.entropy_half_life)
    return bonus.masked_fill(mastered(population, config), -config.sharpening)


def mastered(population: Population, config: TrainConfig) -> Tensor:
    """(P,) booleans: members at the largest sizes with an error below that of mastery.

    Those that have yet to learn to stop count once they could have risen, had their error been low enough.
    """
    waits = (population.level == config.max_level) & (population.level_age >= config.level_patience)
    ripe = waits | (population.level >= config.top_level)
    return ripe & (population.error < config.mastery)
