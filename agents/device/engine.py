"""Updates of a population whose numbers stay on a device; the host looks at them every few updates.

Nothing in an update makes the host wait, so that it can be ahead of the device. What it must know of the
members, it knows from the last time that it looked: see `agents.device.lesson`. All chance of an update is
made of the run's seed and the population's age, so that it does not depend on when the host looked, or on
what was saved and loaded in between.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from agents.config import TrainConfig
from agents.controllers import Controller
from agents.cuda.episodes import Examples
from agents.device.chance import chance as chance_of
from agents.device.episodes import play, prepare
from agents.device.lesson import Chance, DeviceLesson, Lessons
from agents.device.memory import faults_explained
from agents.device.screen import failures, screened_errors
from agents.engine import Engine, Moment, Step, training_envs
from agents.population import Population, renew
from agents.population_file import Pause
from agents.rollout import Rollout, rollout_of
from agents.selection import forget_halting
from nram_env.machine.ambient import full_precision
from nram_env.tasks import MixedBatch

SYNC_EVERY = 10
"""The host looks at the members whenever the population's age is a multiple of this."""


class DeviceEngine(Engine):
    """Does up to `SYNC_EVERY` updates at a time on a device.

    Args:
        config: Hyper-parameters.
        device: Any device of torch's.
    """

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        super().__init__(config)
        self.device = device
        self._lessons = Lessons(config, device)
        self._rules = training_envs(config, 1).settings.rules

    def place(self, population: Population) -> Population:
        """The members on the device."""
        return population.to(self.device)

    def advance(self, population: Population, moment: Moment, most: int | None = None) -> tuple[Step, int]:
        """Do updates until the host looks, or `most`."""
        age = moment.age
        look = min(age - age % SYNC_EVERY + SYNC_EVERY, moment.event)
        end = look if most is None else min(look, age + most)
        before = self.pause or Pause(int(population.level.max()), ())
        prepare(self.config, self._rules, self._lessons.memory_sizes(before.highest), self.device)
        with full_precision(population.parameters), faults_explained(self.config, self.device):
            step = self._updates(population, moment, end, before)
        broken = tuple(self._broken.nonzero()[:, 0].tolist())
        chance = moment.chance if end == look else chance_of("cpu", moment.seed, end)
        self.pause = None if end == look else Pause(before.highest, broken)
        return replace(step, population=self._renewed(step.population, before, broken, chance)), end - age

    def _updates(self, population: Population, moment: Moment, end: int, before: Pause) -> Step:
        """Updates up to an age; at the places `_broken` there are members to be renewed after them."""
        number = torch.arange(self.config.population, dtype=torch.int64, device=self.device)
        places = torch.tensor(before.broken, dtype=torch.int64, device=self.device)
        self._highest, self._broken = before.highest, torch.isin(number, places)
        risen = torch.zeros_like(self._broken)
        for now in range(moment.age, end):
            self._chance = Chance.of(moment.seed, now, self.device)
            step = self.update(population, replace(moment, age=now))
            population, risen = step.population, risen | (step.risen & ~self._broken)
        return replace(step, risen=risen)

    def _renewed(
        self, population: Population, before: Pause, broken: tuple[int, ...], chance: torch.Generator
    ) -> Population:
        """The members with fresh ones at the places of those that broke; some had been counted before."""
        restarts = population.restarts.clone()
        restarts[[place for place in broken if place not in before.broken]] += 1
        return renew(replace(population, restarts=restarts), list(broken), self.config, chance)

    def play(
        self, controller: Controller, population: Population, moment: Moment
    ) -> tuple[DeviceLesson, Rollout]:
        """Play examples drawn on the device."""
        lesson = self._lessons.draw(population, self._highest, self._chance)
        batch, times = lesson.batch, (lesson.horizon, lesson.timesteps)
        examples = Examples(batch.memory, batch.target, batch.mask, *times, lesson.chance)
        return lesson, rollout_of(play(controller, self._rules, examples), self._rules, lesson.horizon)

    def restart(self, population: Population, broken: Tensor, moment: Moment) -> Population:
        """Remember who breaks: until the host looks, their numbers stay as they are, and disturb no other."""
        self._broken = self._broken | broken
        return population

    def forget(self, population: Population, entered: Tensor, moment: Moment) -> Population:
        """Let members forget, without looking whether there are any that must, where there may be."""
        config = self.config
        rises = 1 + (SYNC_EVERY - 1) // config.level_patience  # of a member between two looks
        if self._highest + rises <= config.max_level:
            return population
        return forget_halting(population, entered, config, self._chance.device)

    def held_out_errors(self, controller: Controller, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """See `agents.device.screen`."""
        with faults_explained(self.config, self.device):
            return screened_errors(controller, self.config, rng)

    def failures(
        self, controller: Controller, batch: MixedBatch, limit: np.ndarray, must_stop: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `agents.device.screen`."""
        with faults_explained(self.config, self.device):
            return failures(controller, batch, limit, must_stop)
