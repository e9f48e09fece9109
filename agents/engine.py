"""What an update of a population is, and where it is computed: by the processor here, elsewhere by others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from agents import losses, optimiser
from agents.config import TrainConfig
from agents.controllers import Controller
from agents.curriculum import Lesson, draw_lesson, rise
from agents.hard import hard_failures
from agents.held_out import held_out_errors
from agents.population import Population, renew
from agents.population_file import Pause
from agents.rollout import Rollout, make_envs, unroll
from agents.selection import forget_halting
from nram_env.envs import NRAMVectorEnv
from nram_env.envs.vector_arguments import device_of
from nram_env.tasks import MixedBatch

if TYPE_CHECKING:
    from agents.device.lesson import DeviceLesson

WORD = 0xFFFFFFFF
"""Seed and update, as the key of the gradient noise, have 32 bits each."""


@dataclass(frozen=True)
class Moment:
    """Where a run stands as an update begins.

    Attributes:
        seed: Seed of the population's chance.
        age: Updates of the population.
        examples: Chance of the examples.
        chance: All other chance.
        event: Age at which the run has to look at the population, as to test or select members; above `age`.
    """

    seed: int
    age: int
    examples: np.random.Generator
    chance: torch.Generator
    event: int


@dataclass(frozen=True)
class Step:
    """What an update gives.

    Attributes:
        population: The members after it.
        loss: (P,); their losses.
        cell_loss: (P, B); minus log-likelihood of an output cell, in nats.
        risen: (P,) booleans; members that have left the first level, or master the only one there is.
    """

    population: Population
    loss: Tensor
    cell_loss: Tensor
    risen: Tensor


class Engine(ABC):
    """Updates a population, and tests its members; the subclasses say where and with whose chance.

    Args:
        config: Hyper-parameters.

    Attributes:
        pause: Where an engine has stopped between two looks at the members; None where it looks after each
            update, or has just done so.
    """

    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.pause: Pause | None = None

    @abstractmethod
    def place(self, population: Population) -> Population:
        """The members where this engine has them."""

    @abstractmethod
    def advance(self, population: Population, moment: Moment, most: int | None) -> tuple[Step, int]:
        """Do one update or several, at most `most`; returns the last, and how many."""

    @abstractmethod
    def held_out_errors(self, controller: Controller, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """As `agents.held_out.held_out_errors`; what counts as free of errors is decided there."""

    @abstractmethod
    def failures(
        self, controller: Controller, batch: MixedBatch, limit: np.ndarray, must_stop: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """As `agents.hard.hard_failures`, for members where this engine has them."""

    @abstractmethod
    def play(
        self, controller: Controller, population: Population, moment: Moment
    ) -> tuple[Lesson | DeviceLesson, Rollout]:
        """Draw a lesson and play it, with graph."""

    @abstractmethod
    def restart(self, population: Population, broken: Tensor, moment: Moment) -> Population:
        """See to it that members (P,) start afresh whose loss, gradient or parameters are not finite."""

    @abstractmethod
    def forget(self, population: Population, entered: Tensor, moment: Moment) -> Population:
        """Let members (P,) that come to learn to stop begin with an open mind."""

    def update(self, population: Population, moment: Moment) -> Step:
        """One update of all members."""
        config = self.config
        parameters = population.parameters.detach().requires_grad_()
        controller = Controller(config.spec, parameters, config.backend)
        lesson, rollout = self.play(controller, population, moment)
        loss = losses.member_losses(rollout, population, config, lesson.beyond)
        (gradient,) = torch.autograd.grad(loss.sum(), parameters)
        population = self.learn(population, loss.detach(), gradient, moment)
        population = self._rise(population, lesson, rollout, moment)
        risen = (population.level > config.lowest_level) | losses.mastered(population, config)
        return Step(population, loss.detach(), losses.cell_losses(rollout, lesson.batch), risen)

    @torch.no_grad()
    def learn(self, population: Population, loss: Tensor, gradient: Tensor, moment: Moment) -> Population:
        """Step along the gradient (P, N) of the losses (P,); what is not finite begins afresh."""
        config, key = self.config, (moment.seed & WORD, moment.age & WORD)
        population, finite = optimiser.step(population, gradient, config.gradient_clip, key, config.backend)
        return self.restart(population, ~(finite & loss.isfinite()), moment)

    def _rise(
        self, population: Population, lesson: Lesson | DeviceLesson, rollout: Rollout, moment: Moment
    ) -> Population:
        """Raise the levels mastered; who comes to learn to stop begins with an open mind."""
        highest, before = self.config.max_level, population.level
        population = rise(population, lesson, rollout, self.config)
        return self.forget(population, (population.level > highest) & (before <= highest), moment)


class HostEngine(Engine):
    """Updates one at a time on the processor, with the chance of the run."""

    def __init__(self, config: TrainConfig) -> None:
        super().__init__(config)
        self.envs = training_envs(config, config.population * config.batch_size)

    def place(self, population: Population) -> Population:
        """The members on the processor."""
        return population.to("cpu")

    def advance(self, population: Population, moment: Moment, most: int | None = None) -> tuple[Step, int]:
        """Do one update."""
        self.pause = None
        return self.update(population, moment), 1

    def held_out_errors(self, controller: Controller, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """See `agents.held_out`."""
        return held_out_errors(controller, self.config, rng)

    def failures(
        self, controller: Controller, batch: MixedBatch, limit: np.ndarray, must_stop: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `agents.hard`."""
        return hard_failures(controller, batch, limit, must_stop)

    def play(self, controller: Controller, population: Population, moment: Moment) -> tuple[Lesson, Rollout]:
        """Play examples that the run's own chance draws."""
        lesson = draw_lesson(moment.examples, self.config.task_object, population, self.config)
        options = {"instance": lesson.batch, "horizon": lesson.horizon, "chance": lesson.chance}
        return lesson, unroll(controller, self.envs, **options)

    def restart(self, population: Population, broken: Tensor, moment: Moment) -> Population:
        """Put fresh members, drawn by the run's own chance, at the places of broken ones."""
        counted = replace(population, restarts=population.restarts + broken.long())
        return renew(counted, broken.nonzero()[:, 0].tolist(), self.config, moment.chance)

    def forget(self, population: Population, entered: Tensor, moment: Moment) -> Population:
        """Use chance only where a member enters."""
        if not entered.any():
            return population
        return forget_halting(population, entered, self.config, moment.chance)


def training_envs(config: TrainConfig, rows: int) -> NRAMVectorEnv:
    """The environment that members are trained in.

    Raises:
        ValueError: The backend or a number is not one that there is.
    """
    return make_envs(
        config.task_object,
        config.machine,
        rows,
        loss=config.loss,
        activation_clip=config.activation_clip,
        log_floor=config.log_floor,
        backend=config.backend,
        sharp_registers=config.sharp_registers,
        noisy_registers=config.noisy_registers,
    )


def make_engine(config: TrainConfig, device: str | torch.device) -> Engine:
    """The engine of a device, in torch's words.

    Raises:
        ValueError: The device cannot be used, or has too little memory.
    """
    place = device_of(device)
    if place.type == "cpu":
        return HostEngine(config)
    if place.type != "cuda":
        raise ValueError(f"training runs on cpu and cuda devices, got {place}")
    from agents.device.engine import DeviceEngine
    from agents.device.memory import check_memory

    check_memory(config, place)
    return DeviceEngine(config, place)
