"""The curriculum: which difficulties a member trains on, and when it rises (paper, Appendix B).

Ours: behind the level of the largest sizes lies one more, on which members learn to stop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from agents.config import TrainConfig
from agents.losses import cell_losses
from agents.population import UNKNOWN, UNKNOWN_LOSS, Population
from agents.rollout import Rollout
from nram_env.envs.options import draw_chance
from nram_env.tasks import Task, TaskBatch

if TYPE_CHECKING:
    from agents.device.lesson import DeviceLesson

RUNNING_DECAY = 0.9
"""Weight of the past in the running error and loss."""

UNIFORM_SHARE, EASY_SHARE = 0.10, 0.25

UNFINISHED = 0.5
"""Probability of no early end from which on a run counts as one that does not stop."""


@dataclass(frozen=True)
class Lesson:
    """What P members play in an update.

    Attributes:
        batch: (P x B) examples, member by member.
        horizon: Their timesteps, (P x B,).
        beyond: (P,) booleans; members whose horizon exceeds the task's, so that they have time to stop.
        chance: (P x B,) words of 31 bits that the noise of registers is a function of; None for no noise.
    """

    batch: TaskBatch
    horizon: np.ndarray
    beyond: Tensor
    chance: np.ndarray | None = None


def draw_lesson(rng: np.random.Generator, task: Task, population: Population, config: TrainConfig) -> Lesson:
    """Draw examples and horizons for an update; all examples share one M."""
    stopping = population.level.numpy() > config.max_level
    patient = bool(stopping.any()) and rng.random() < config.halting_share
    highest = bound(rng, config, int(population.level.max()), config.max_level)
    difficulty = _difficulties(rng, task, population, stopping, highest, config)
    slack, horizon_slack = rng.integers([config.memory_slack, config.horizon_slack], endpoint=True).tolist()
    share = rng.choice([config.horizon_share, 1.0])
    steps = np.array([ceil(share * task.horizon(int(n))) for n in difficulty.max(1)])
    memory_size = task.smallest_memory_size(int(difficulty.max())) + slack
    easy_share = np.repeat(population.easy_share.numpy(), config.batch_size)
    batch = draw_examples(rng, config, difficulty.ravel(), memory_size, easy_share)
    if patient:
        steps += stopping * int(rng.uniform(1, config.halting_slack) * memory_size)
    horizon = np.repeat(steps, config.batch_size) + horizon_slack
    beyond = torch.from_numpy(stopping & patient)
    return Lesson(batch, horizon, beyond, _chance(rng, population, config))


def _chance(rng: np.random.Generator, population: Population, config: TrainConfig) -> np.ndarray | None:
    if not config.noisy_registers:
        return None
    hears = np.repeat(hears_noise(population, config).numpy(), config.batch_size)
    return draw_chance(rng, len(hears)) * hears


def hears_noise(population: Population, config: TrainConfig) -> Tensor:
    """Whether a member's registers are noisy, if any are: on the largest sizes, (P,)."""
    return population.level >= config.max_level


def bound(rng: np.random.Generator, config: TrainConfig, level: int, usual: int) -> int:
    """The largest n of an update: the usual one, or now and then, to the highest `level`, a smaller one."""
    if not config.small_share or rng.random() >= config.small_share:
        return usual
    lowest, highest = config.task_object.smallest_difficulty, min(level, config.max_level)
    return int(rng.integers(lowest, highest, endpoint=True))


def _difficulties(
    rng: np.random.Generator,
    task: Task,
    population: Population,
    stopping: np.ndarray,
    highest: int,
    config: TrainConfig,
) -> np.ndarray:
    """Difficulties (P, B): by level, but some of any size for members that learn to stop, `stopping` (P,)."""
    lowest = task.smallest_difficulty
    levels = population.level.clamp_max(highest).numpy()
    drawn = draw_difficulties(rng, levels, config.batch_size, lowest, highest, config.ahead)
    if not stopping.any():
        return drawn
    anything = rng.integers(lowest, highest, drawn.shape, endpoint=True)
    spread = rng.random(drawn.shape) < config.halting_spread
    return np.where(stopping[:, None] & spread, anything, drawn)


def draw_examples(
    rng: np.random.Generator,
    config: TrainConfig,
    difficulty: np.ndarray,
    memory_size: int,
    easy_share: np.ndarray | float,
) -> TaskBatch:
    """Examples of the given difficulties (N,), some of them easy, by one share or one for each, (N,)."""
    task = config.task_object
    batch = task.sample(rng, difficulty, memory_size)
    if not config.easy_share:
        return batch
    easy = task.sample_easy(rng, difficulty, memory_size)
    return easy.where(rng.random(len(difficulty)) < easy_share, batch)


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


def rise(
    population: Population, lesson: Lesson | DeviceLesson, rollout: Rollout, config: TrainConfig
) -> Population:
    """Update the running errors and losses at the current levels, and raise the levels mastered.

    A run that more likely than not reaches the end of a horizon beyond the task's counts as wrong. Easy
    examples are for finding the loop: a member that masters the largest sizes, and its clones, get no more.

    Args:
        population: P members.
        lesson: What they played.
        rollout: What came of it.
        config: Threshold, patience and highest level.
    """
    shape = rollout.returns.shape
    sizes = population.level.clamp_max(config.max_level)
    difficulty = torch.as_tensor(lesson.batch.difficulty, dtype=torch.int64, device=sizes.device)
    above = difficulty.view(shape) - sizes[:, None]
    at_level = above <= 0 if config.count_smaller else above == 0
    wrong = rollout.wrong | (lesson.beyond[:, None] & (rollout.unfinished.detach() > UNFINISHED))
    error = _running(population.error, wrong.float(), at_level)
    loss = _running(population.loss, cell_losses(rollout, lesson.batch), at_level)
    below = error < config.level_threshold
    ready = below & ((population.level < config.max_level) | (error < config.halting_threshold))
    rises = ready & (population.level_age >= config.level_patience) & (population.level < config.top_level)
    weaned = (error < config.mastery) & (population.level >= config.max_level)
    return replace(
        population,
        easy_share=population.easy_share.masked_fill(weaned, 0.0),
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
