"""What members are worth hardened, on sizes that they train at: who is right softly alone shall not lead.

A soft machine can go two ways at once and let a later step keep the right one. Such a member makes no error
in training, rises, and is wrong on most of what it does hardened; a population led by it comes to nothing.
So, where `hardened_cost` is not 0, members are hardened and run whenever they are tested: they fall back to
the smallest size that they are wrong on, and what they are wrong on counts in the ranking.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from agents.config import TrainConfig
from agents.controllers import Controller
from agents.curriculum import draw_examples
from agents.held_out import Failures
from agents.population import UNKNOWN, UNKNOWN_LOSS, Population
from nram_env.tasks import MixedBatch
from nram_env.tasks.sizes import join

FALLS = 0.25
"""A member falls that is wrong on a larger share of a size than this."""

EXAMPLES = 6
"""Of each size and each slack of M."""


def hardened(
    population: Population, config: TrainConfig, rng: np.random.Generator, failures: Failures
) -> Population:
    """The members with what their hardened runs cost, and on the levels that these allow.

    Args:
        population: P members.
        config: Sizes, horizons and the cost.
        rng: Source of the examples, which are as those of training.
        failures: Runs hardened stacks, as `agents.hard.hard_failures`.
    """
    share = _shares(population, config, rng, failures)
    lowest = config.task_object.smallest_difficulty
    bad = torch.cat([share > FALLS, torch.ones_like(share[:, :1], dtype=torch.bool)], dim=1)
    reach = lowest + bad.int().argmax(1)
    falls = (reach < population.level) & ~population.solved
    level = torch.where(falls, reach, population.level)
    at_level = share.gather(1, level.clamp_max(config.max_level)[:, None] - lowest)[:, 0]
    return replace(
        population,
        level=level,
        level_age=population.level_age.masked_fill(falls, 0),
        error=population.error.masked_fill(falls, UNKNOWN),
        loss=population.loss.masked_fill(falls, UNKNOWN_LOSS),
        hard_loss=config.hardened_cost * at_level,
    )


def _shares(
    population: Population, config: TrainConfig, rng: np.random.Generator, failures: Failures
) -> torch.Tensor:
    """Share of the examples of every size on which every member is wrong, (P, sizes)."""
    batch = _examples(config, rng)
    controller = Controller(config.spec, population.parameters)
    failed, _ = failures(controller, batch, batch.horizon + config.horizon_slack, False)
    sizes = np.unique(batch.difficulty)
    shares = np.stack([failed[:, batch.difficulty == n].mean(1) for n in sizes], axis=1)
    return torch.from_numpy(shares).float().to(population.device)


def _examples(config: TrainConfig, rng: np.random.Generator) -> MixedBatch:
    """Some of every size that a member may start at or rise to, in every M that training has for it."""
    task = config.task_object
    sizes = range(task.smallest_difficulty, config.max_level + 1)
    slacks = range(config.memory_slack + 1)
    parts = [
        draw_examples(
            rng, config, np.full(EXAMPLES, n), task.smallest_memory_size(n) + slack, config.easy_share
        )
        for n in sizes
        for slack in slacks
    ]
    return join(task, parts)
