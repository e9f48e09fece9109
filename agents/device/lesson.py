"""The lesson of an update, drawn on a device as `agents.curriculum.draw_lesson` draws it on the processor.

The host must know M and the number of timesteps without asking the device, so it goes by the highest level
that it last saw. Nothing is drawn above what a member at that level may meet; a member that has risen beyond
is held to that until the host looks again. M is the smallest for the largest n that may be drawn, where
`draw_lesson` takes the largest that was.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import ceil

import numpy as np
import torch
from torch import Tensor

from agents.config import TrainConfig
from agents.curriculum import EASY_SHARE, UNIFORM_SHARE, bound, hears_noise
from agents.device.chance import chance as chance_of
from agents.device.samplers import DeviceBatch, has_sampler, sample, sample_easy
from agents.noise import uniform
from agents.population import Population
from nram_env.envs.options import LARGEST_COUNT
from nram_env.tasks import TaskBatch

LESSON = 1
"""Sets a lesson's chance apart from that of the tests on held-out sizes."""


@dataclass(frozen=True)
class DeviceLesson:
    """What P members play in an update, on one device.

    Attributes:
        batch: (P x B) examples, member by member.
        horizon: Their timesteps, (P x B,) int64.
        beyond: (P,) booleans; members whose horizon exceeds the task's, so that they have time to stop.
        timesteps: No horizon is larger; known to the host.
        chance: (P x B,) words of 31 bits that the noise of registers is a function of; None for no noise.
    """

    batch: DeviceBatch
    horizon: Tensor
    beyond: Tensor
    timesteps: int
    chance: Tensor | None = None


@dataclass(frozen=True)
class Chance:
    """The chance of one update, a function of seed and age alone.

    Attributes:
        host: What all members share.
        device: What is drawn for every member or example.
    """

    host: np.random.Generator
    device: torch.Generator

    @classmethod
    def of(cls, seed: int, age: int, device: torch.device) -> Chance:
        """That of an update of a population of this age."""
        return cls(np.random.default_rng([seed, age, LESSON]), chance_of(device, seed, age))


class Lessons:
    """Draws lessons of a run on a device.

    Args:
        config: Hyper-parameters.
        device: Where the population is.
    """

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self._config, self._task, self._device = config, config.task_object, device
        sizes = [max(n, self._task.smallest_difficulty) for n in range(config.max_level + 1)]
        self._steps = {share: [ceil(share * self._task.horizon(n)) for n in sizes] for share in self._shares}
        self._tables = {
            share: torch.tensor(steps, dtype=torch.int64, device=device)
            for share, steps in self._steps.items()
        }

    @property
    def _shares(self) -> tuple[float, float]:
        return self._config.horizon_share, 1.0

    def memory_sizes(self, highest: int) -> list[int]:
        """Every M that may be drawn while no level is higher than `highest`, those of the next level last."""
        lowest = self._task.smallest_difficulty if self._config.small_share else highest
        levels = range(min(lowest, highest), highest + 2)
        needed = [self._task.smallest_memory_size(self._ceiling(level)) for level in levels]
        slacks = range(self._config.memory_slack + 1)
        return list(dict.fromkeys(size + slack for size in needed for slack in slacks))

    def _ceiling(self, highest: int) -> int:
        """The largest n that is drawn."""
        return min(highest + self._config.ahead, self._config.max_level)

    def draw(self, population: Population, highest: int, chance: Chance) -> DeviceLesson:
        """Draw examples and horizons for an update; all examples share one M.

        Args:
            population: P members.
            highest: Their highest level when the host last looked.
            chance: That of the update.
        """
        config, rng = self._config, chance.host
        ceiling = bound(rng, config, highest, self._ceiling(highest))
        stopping = (population.level > config.max_level) & (highest > config.max_level)
        patient = highest > config.max_level and rng.random() < config.halting_share
        slacks = rng.integers([config.memory_slack, config.horizon_slack], endpoint=True)
        slack, horizon_slack = slacks.tolist()
        share = self._shares[rng.integers(2)]
        memory_size = self._task.smallest_memory_size(ceiling) + slack
        wait = int(rng.uniform(1, config.halting_slack) * memory_size) if patient else 0
        difficulty = self._difficulties(population, stopping, ceiling, chance.device)
        steps = self._tables[share][difficulty.amax(1)] + wait * stopping
        return DeviceLesson(
            self._batch(difficulty.flatten(), ceiling, memory_size, population, chance),
            steps.repeat_interleave(config.batch_size) + horizon_slack,
            stopping & patient,
            max(self._steps[share][: ceiling + 1]) + wait + horizon_slack,
            self._words(population, chance.device),
        )

    def _words(self, population: Population, chance: torch.Generator) -> Tensor | None:
        """Of noisy registers, as `agents.curriculum` draws them."""
        if not self._config.noisy_registers:
            return None
        shape = (population.size, self._config.batch_size)
        most = torch.full(shape, LARGEST_COUNT, dtype=torch.int64, device=self._device)
        return (_integers(1, most, chance) * hears_noise(population, self._config)[:, None]).flatten()

    def _difficulties(
        self, population: Population, stopping: Tensor, ceiling: int, chance: torch.Generator
    ) -> Tensor:
        """Difficulties (P, B), as `agents.curriculum` draws them."""
        config, lowest = self._config, self._task.smallest_difficulty
        shape = (population.size, config.batch_size)
        levels = population.level.clamp_max(ceiling)[:, None]
        most = (levels + config.ahead).clamp_max(ceiling)
        ahead = -(1 - uniform(chance, *shape)).log2()  # at least e with probability 1 / 2^e
        reach = torch.minimum(levels + ahead.long(), most)
        kind = uniform(chance, *shape)
        top = torch.where(kind < UNIFORM_SHARE, most, reach)
        drawn = torch.where(kind < UNIFORM_SHARE + EASY_SHARE, _integers(lowest, top, chance), reach)
        anything = _integers(lowest, torch.full_like(drawn, ceiling), chance)
        spread = stopping[:, None] & (uniform(chance, *shape) < config.halting_spread)
        return torch.where(spread, anything, drawn)

    def _batch(
        self, difficulty: Tensor, ceiling: int, memory_size: int, population: Population, chance: Chance
    ) -> DeviceBatch:
        """Examples of the given difficulties (P x B,), some of them easy for members that still get those."""
        config, task = self._config, self._task
        if has_sampler(task):
            sizes = (difficulty, ceiling, memory_size)
            batch = sample(task, chance.device, *sizes)
            easy = sample_easy(task, chance.device, *sizes) if config.easy_share else batch
        else:  # drawn by the task's own sampler in numpy, for which the host waits
            n = difficulty.numpy(force=True)
            batch = self._placed(task.sample(chance.host, n, memory_size))
            easy = self._placed(task.sample_easy(chance.host, n, memory_size)) if config.easy_share else batch
        if not config.easy_share:
            return batch
        share = population.easy_share.repeat_interleave(config.batch_size)
        return _where(uniform(chance.device, len(share)) < share, easy, batch)

    def _placed(self, batch: TaskBatch) -> DeviceBatch:
        parts = (batch.memory, batch.target, batch.mask, batch.difficulty)
        return DeviceBatch(*(torch.from_numpy(part).to(self._device) for part in parts))


def _integers(low: int, high: Tensor, chance: torch.Generator) -> Tensor:
    """Integers of low..high, by every place's own bound."""
    drawn = torch.randint(2**62, high.shape, generator=chance, dtype=torch.int64, device=high.device)
    return low + drawn % (high - low + 1)


def _where(rows: Tensor, chosen: DeviceBatch, others: DeviceBatch) -> DeviceBatch:
    """The chosen examples where `rows` (N,) is true, the others elsewhere."""
    pairs = [(getattr(chosen, field.name), getattr(others, field.name)) for field in fields(DeviceBatch)]
    return DeviceBatch(
        *(torch.where(rows.view(-1, *[1] * (one.ndim - 1)), one, other) for one, other in pairs)
    )
