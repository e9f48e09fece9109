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
from agents.device.episodes import play, prepare
from agents.device.lesson import Chance, DeviceLesson, Lessons
from agents.device.memory import faults_explained
from agents.device.screen import screened_errors
from agents.engine import Engine, Moment, Step, training_envs
from agents.library import finite_rows
from agents.population import Population, start
from agents.rollout import Rollout, rollout_of
from agents.selection import forget_halting
from nram_env.machine.ambient import full_precision

SYNC_EVERY = 10
"""The host looks at the members whenever the population's age is a multiple of this."""

RENEWED_AT_ONCE = 16
"""So many broken members are started afresh in an update; more wait for the next."""


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
        end = min(age - age % SYNC_EVERY + SYNC_EVERY, moment.event)
        last = end if most is None else min(end, age + most)
        self._highest = int(population.level.max()) if self.known_level is None else self.known_level
        prepare(self.config, self._lessons.memory_sizes(self._highest), self.device)
        risen = torch.zeros((), dtype=torch.bool, device=self.device)
        with full_precision(population.parameters), faults_explained(self.config, self.device):
            for now in range(age, last):
                step = self._update(population, replace(moment, age=now))
                population, risen = step.population, risen | step.risen
            population = self._mended(population, moment)
        self.known_level = None if last == end else self._highest
        return replace(step, population=population, risen=risen), last - age

    def _update(self, population: Population, moment: Moment) -> Step:
        self._chance = Chance.of(moment.seed, moment.age, self.device)
        return self.update(population, moment)

    def _mended(self, population: Population, moment: Moment) -> Population:
        """The members once none is left that is broken: the host looks, and may save them."""
        while (broken := ~finite_rows(population.parameters)).any():
            population = self.restart(population, broken, moment)
        return population

    def play(
        self, controller: Controller, population: Population, moment: Moment
    ) -> tuple[DeviceLesson, Rollout]:
        """Play examples drawn on the device."""
        lesson = self._lessons.draw(population, self._highest, self._chance)
        batch = lesson.batch
        examples = Examples(batch.memory, batch.target, batch.mask, lesson.horizon, lesson.timesteps)
        return lesson, rollout_of(play(controller, self._rules, examples), self._rules, lesson.horizon)

    def restart(self, population: Population, broken: Tensor, moment: Moment) -> Population:
        """Put fresh members at the places of broken ones, where there are any, without looking."""
        most = min(RENEWED_AT_ONCE, population.size)
        number = torch.arange(population.size, dtype=torch.int64, device=self.device)
        places = (broken.long() * population.size + number).topk(most).indices
        old = population.take(places)
        fresh = replace(start(self.config, most, self._chance.device), restarts=old.restarts + 1)
        return population.put(places, fresh.where(broken[places], old))

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
