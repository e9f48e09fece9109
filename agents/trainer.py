"""The training loop: one update of the whole population, tests on held-out sizes, selection.

Chance comes from two generators that belong to the trainer, and the gradient noise from the seed and the
number of the update, so that the same configuration gives the same run, also across a save and a load.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from agents import losses, optimiser
from agents.checkpoint import Agent
from agents.config import TrainConfig
from agents.controllers import Controller
from agents.curriculum import draw_difficulties, rise
from agents.hard import hard_wrong
from agents.population import renew, start
from agents.population_file import SavedPopulation, load_population, save_population
from agents.rollout import Rollout, make_envs, soft_wrong, unroll
from agents.selection import next_generation, select
from nram_env.machine.ambient import training
from nram_env.tasks import SizePlan, TaskBatch, draw_plan, horizons

CONFIRMING = 16
"""A member without a hard error is tested again on so many times the examples."""

WORD = 0xFFFFFFFF
"""Seed and update, as the key of the gradient noise, have 32 bits each."""


@dataclass(frozen=True)
class Progress:
    """What an update shows to whoever watches.

    Attributes:
        update: Updates done so far.
        level: Highest level of any member.
        error: Least running error among the members at that level.
        loss: Mean loss of the members, with what their entropies are worth: it rises as their bonus fades.
        cell_loss: Mean minus log-likelihood of an output cell over the members' examples, in nats.
        solved: Members whose hardened form makes no error on held-out sizes.
        restarts: Members started anew because a number was not finite, so far.
    """

    update: int
    level: int
    error: float
    loss: float
    cell_loss: float
    solved: int
    restarts: int


class Trainer:
    """Trains a population on one task, from input-output examples alone.

    Args:
        config: Hyper-parameters; P = 1 is a single trainer.

    Example:
        >>> trainer = Trainer(TrainConfig(task="access", population=2, batch_size=4))
        >>> progress = [trainer.advance() for _ in range(2)]
        >>> progress[-1].update
        2
    """

    @training()
    def __init__(self, config: TrainConfig) -> None:
        self.config = config
        self.task = config.task_object
        self.update = 0
        self.examples = np.random.default_rng(config.seed)
        self.chance = torch.Generator().manual_seed(config.seed)
        self.population = start(config, config.population, self.chance)
        self._envs = make_envs(
            self.task,
            config.machine,
            config.population * config.batch_size,
            loss=config.loss,
            activation_clip=config.activation_clip,
            log_floor=config.log_floor,
            backend=config.backend,
        )

    @training()
    def advance(self) -> Progress:
        """Do one update; every so often also test, select, or restart members."""
        parameters = self.population.parameters.detach().requires_grad_()
        controller = Controller(self.config.spec, parameters, self.config.backend)
        batch, rollout = self._play(controller)
        member_loss = losses.member_losses(rollout, self.population, self.config)
        (gradient,) = torch.autograd.grad(member_loss.sum(), controller.parameters)
        self._learn(member_loss, gradient)
        self.population = rise(self.population, batch, rollout, self.config)
        self.update += 1
        if self.update % self.config.evaluate_every == 0:
            self.evaluate()
        if self.config.cull_every and self.update % self.config.cull_every == 0:
            self.population = select(self.population, self.config, self.chance)
        if self._is_stuck():
            self.population = next_generation(self.population, self.config, self.chance)
        return self._progress(member_loss, losses.cell_losses(rollout, batch))

    def _is_stuck(self) -> bool:
        """Whether it is time for a new generation, and members master the top level, but none is solved."""
        every, population = self.config.generation_every, self.population
        if not every or self.update % every:
            return False
        return bool(losses.mastered(population, self.config).any()) and not bool(population.solved.any())

    @training()
    def evaluate(self) -> None:
        """Test the members at the top level on held-out sizes and keep the parameters that did best."""
        places = losses.mastered(self.population, self.config).nonzero()[:, 0]
        if not len(places):
            return
        members = self.population.take(places)
        rng = np.random.default_rng([self.config.seed, self.update])
        controller = Controller(self.config.spec, members.parameters, self.config.backend)
        errors = self.held_out_errors(controller, rng)
        before = members.best_error
        better = (errors[:, 0] < before[:, 0]) | (
            (errors[:, 0] == before[:, 0]) & (errors[:, 1] <= before[:, 1])
        )
        kept = replace(
            members,
            best_parameters=torch.where(better[:, None], members.parameters, members.best_parameters),
            best_error=torch.where(better[:, None], errors, before),
        )
        self.population = self.population.put(places, kept)

    def held_out_errors(self, controller: Controller, rng: np.random.Generator) -> Tensor:
        """Hard and soft exact error of every member, (P, 2).

        The hard error is the mean over every size of the curriculum and the larger sizes, in memories of
        many sizes each; members without one are tested again on more examples, since a few may miss what is
        rare. The soft error is measured, at the first of the larger sizes, for members without a hard
        error; it counts as 1 for the others.
        """
        config, top = self.config, self.config.max_level
        beyond = [factor * top for factor in config.evaluation_factors]
        sizes = [*range(self.task.smallest_difficulty, top + 1), *beyond]
        hard = torch.zeros(controller.num_members, dtype=torch.float32, device="cpu")
        for examples in (config.evaluation_examples, CONFIRMING * config.evaluation_examples):
            places, exact = _exact_members(controller, hard)
            if len(places):
                hard[places] = self._hard_error(exact, rng, draw_plan(self.task, rng, sizes, examples))
        soft = torch.ones_like(hard)
        places, exact = _exact_members(controller, hard)
        if len(places):
            plan = draw_plan(self.task, rng, (beyond or [top])[:1], config.evaluation_examples)
            soft[places] = self._soft_error(exact, rng, plan)
        return torch.stack([hard, soft], dim=1)

    def agents(self) -> list[Agent]:
        """All members from best to worst, each with the parameters that did best on held-out sizes."""
        return [self._agent(index) for index in self.population.ranking()]

    def save(self, path: str | Path) -> None:
        """Write everything that a resumed run needs, atomically."""
        save_population(
            path, SavedPopulation(self.config, self.update, self.examples, self.chance, self.population)
        )

    @classmethod
    @training()
    def load(cls, path: str | Path) -> Trainer:
        """Continue from what `save` wrote; the run goes on exactly as if it had not been stopped.

        Raises:
            FileError: See `load_population`.
        """
        saved = load_population(path)
        trainer = cls(saved.config)
        trainer.update, trainer.population = saved.update, saved.population
        trainer.examples, trainer.chance = saved.examples, saved.chance
        return trainer

    def _play(self, controller: Controller) -> tuple[TaskBatch, Rollout]:
        """Draw (P x B) examples, member by member, and unroll."""
        config, lowest = self.config, self.task.smallest_difficulty
        difficulty = draw_difficulties(
            self.examples,
            self.population.level.numpy(),
            config.batch_size,
            lowest,
            config.max_level,
            config.ahead,
        )
        memory_slack, horizon_slack = self.examples.integers(
            [config.memory_slack, config.horizon_slack], endpoint=True
        ).tolist()
        share = self.examples.choice([config.horizon_share, 1.0])
        steps = [ceil(share * self.task.horizon(int(n))) for n in difficulty.max(1)]
        memory_size = self.task.smallest_memory_size(int(difficulty.max())) + memory_slack
        batch = self._draw(difficulty.ravel(), memory_size)
        horizon = np.repeat(steps, config.batch_size) + horizon_slack
        return batch, unroll(controller, self._envs, instance=batch, horizon=horizon)

    def _draw(self, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        batch = self.task.sample(self.examples, difficulty, memory_size)
        if not self.config.easy_share:
            return batch
        easy = self.task.sample_easy(self.examples, difficulty, memory_size)
        share = np.repeat(self.population.easy_share.numpy(), self.config.batch_size)
        return easy.where(self.examples.random(len(difficulty)) < share, batch)

    @torch.no_grad()
    def _learn(self, member_loss: Tensor, gradient: Tensor) -> None:
        config, key = self.config, (self.config.seed & WORD, self.update & WORD)
        self.population, finite = optimiser.step(
            self.population, gradient, config.gradient_clip, key, config.backend
        )
        self._restart((~(finite & member_loss.isfinite())).nonzero()[:, 0].tolist())

    def _restart(self, broken: list[int]) -> None:
        """Start members afresh whose loss, gradient or parameters are not finite."""
        counted = self.population.restarts.clone()
        counted[broken] += 1
        counted_population = replace(self.population, restarts=counted)
        self.population = renew(counted_population, broken, self.config, self.chance)

    def _hard_error(self, controller: Controller, rng: np.random.Generator, plan: SizePlan) -> Tensor:
        batches = plan.mixed(self.task, rng, rows=controller.num_members)
        return _share([np.any(hard_wrong(controller, b, b.horizon), axis=2) for b in batches])

    def _soft_error(self, controller: Controller, rng: np.random.Generator, plan: SizePlan) -> Tensor:
        members, wrong = controller.num_members, []
        for batch in plan.batches(self.task, rng):
            rows = np.tile(np.arange(batch.batch_size), members)
            horizon = horizons(self.task, batch.difficulty[rows])
            cells = soft_wrong(controller, self.task, batch.rows(rows), horizon, self.config.backend)
            wrong.append(cells.any(1).reshape(members, -1))
        return _share(wrong)

    def _agent(self, index: int) -> Agent:
        population, spec = self.population, self.config.spec
        hard, soft = population.best_error[index].tolist()
        tested = hard < 1
        parameters = population.best_parameters if tested else population.parameters
        info = {
            "config": self.config.to_json(),
            "member": index,
            "update": self.update,
            "level": int(population.level[index]),
            "held_out_hard_exact_error": hard,
            "held_out_soft_exact_error": soft,
        }
        return Agent(Controller(spec, parameters[index : index + 1].clone()), self.config.task, info)

    def _progress(self, member_loss: Tensor, cell_loss: Tensor) -> Progress:
        population = self.population
        level = int(population.level.max())
        return Progress(
            update=self.update,
            level=level,
            error=float(population.error[population.level == level].min()),
            loss=float(member_loss.detach().nanmean()),
            cell_loss=float(cell_loss.nanmean()),
            solved=int(population.solved.sum()),
            restarts=int(population.restarts.sum()),
        )


def _exact_members(controller: Controller, errors: Tensor) -> tuple[Tensor, Controller]:
    """Places of the members without error, (k,), and a stack of them."""
    places = (errors == 0).nonzero()[:, 0]
    return places, Controller(controller.spec, controller.parameters[places])


def _share(wrong: list[np.ndarray]) -> Tensor:
    """Share of wrong examples of every member, (P,), from parts (P, B)."""
    return torch.from_numpy(np.concatenate(wrong, axis=1).mean(1)).float()
