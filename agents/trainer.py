"""The training loop: one update of the whole population, tests on held-out sizes, selection.

Chance comes from two generators that belong to the trainer, and the gradient noise from the seed and the
number of the update, so that the same configuration gives the same run, also across a save and a load.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from agents import losses
from agents.checkpoint import Agent
from agents.config import TrainConfig
from agents.controllers import Controller
from agents.engine import Moment, Step, make_engine
from agents.hardened import hardened
from agents.population import start
from agents.population_file import SavedPopulation, SavedRun, load_run, save_run
from agents.selection import next_generation, select
from nram_env.machine.ambient import training

REFUTED = 1 / 3
"""Hard error of a member that passes all tests here, but not what it is asked besides."""


@dataclass(frozen=True)
class Progress:
    """What an update shows to whoever watches.

    Attributes:
        update: Updates done so far.
        attempt: Number of the population, from 1.
        island: Which of a run's populations did it, from 1.
        level: Highest level of any member.
        error: Least running error among the members at that level.
        loss: Mean loss of the members, with what their entropies are worth: it rises as their bonus fades.
        cell_loss: Mean minus log-likelihood of an output cell over the members' examples, in nats.
        stopping: Members that have risen to the level on which they learn to stop.
        solved: Members whose hardened form makes no error on held-out sizes.
        restarts: Members started anew because a number was not finite, so far.
    """

    update: int
    attempt: int
    level: int
    error: float
    loss: float
    cell_loss: float
    stopping: int
    solved: int
    restarts: int
    island: int = 1


class Trainer:
    """Trains a population on one task, from input-output examples alone.

    Args:
        config: Hyper-parameters; P = 1 is a single trainer. Of a portfolio it trains one island: this one.
        device: What computes, in torch's words: "cpu", "cuda", "cuda:1". A GPU does up to ten updates in an
            `advance`, and draws other examples; the files are the same.

    Raises:
        ValueError: The device cannot be used, or has too little memory.

    Example:
        >>> trainer = Trainer(TrainConfig(task="access", population=2, batch_size=4))
        >>> progress = [trainer.advance() for _ in range(2)]
        >>> progress[-1].update
        2
    """

    @training()
    def __init__(self, config: TrainConfig, device: str | torch.device = "cpu") -> None:
        self.config = config
        self.task = config.task_object
        self.engine = make_engine(config, device)
        self.update = 0
        self._begin(attempt=1)

    def _begin(self, attempt: int) -> None:
        """Start a population; that of attempt k is the one with which a run k - 1 seeds later starts."""
        self.attempt, self.began, self.has_risen = attempt, self.update, False
        self.examples = np.random.default_rng(self.seed)
        self.chance = torch.Generator().manual_seed(self.seed)
        self.population = self.engine.place(start(self.config, self.config.population, self.chance))

    @property
    def seed(self) -> int:
        """Seed of the population's chance."""
        return self.config.seed + self.attempt - 1

    @property
    def has_solved(self) -> bool:
        """Whether a member is solved."""
        return bool(self.population.solved.any())

    @property
    def standing(self) -> tuple[float, ...]:
        """How far the population has come, less where it is further: by solved members, by members that learn
        to stop, by level, by the least running error there."""
        level = int(self.population.level.max())
        return (not self.has_solved, level <= self.config.max_level, -level, self._error_at(level))

    def _error_at(self, level: int) -> float:
        return float(self.population.error[self.population.level == level].min())

    @property
    def age(self) -> int:
        """Updates of the population."""
        return self.update - self.began

    @training()
    def advance(self, most: int | None = None) -> Progress:
        """Do an update, on a device several; every so often also test, select, or restart all members.

        Args:
            most: Updates to do at most, where an engine does several at once; None for no limit.
        """
        moment = Moment(self.seed, self.age, self.examples, self.chance, self._next_event())
        step, updates = self.engine.advance(self.population, moment, most)
        self.population = step.population
        self.update += updates
        self.has_risen |= bool(step.risen.any())
        if self.age % self.config.evaluate_every == 0:
            self.evaluate()
        if self.config.cull_every and self.age % self.config.cull_every == 0:
            self.population = select(self.population, self.config, self.chance)
        if self._is_stuck():
            self.population = next_generation(self.population, self.config, self.chance)
        if self._is_hopeless():
            self._begin(self.attempt + 1)
        return self._progress(step)

    def _next_event(self) -> int:
        """Age at which members will be tested or selected, or may be stuck or hopeless, whichever is next."""
        config, age = self.config, self.age
        periods = (config.evaluate_every, config.cull_every, config.generation_every)
        limits = (config.attempt_updates, config.unsolved_updates)
        ends = [age - age % period + period for period in periods if period]
        return min(ends + [limit for limit in limits if limit > age])

    def _is_stuck(self) -> bool:
        """Whether it is time for a new generation, and members master the top level, but none is solved."""
        every, population = self.config.generation_every, self.population
        if not every or self.age % every:
            return False
        return bool(losses.mastered(population, self.config).any()) and not self.has_solved

    def _is_hopeless(self) -> bool:
        """Whether it is time for another population: no member has risen, or none is solved."""
        config = self.config
        flat = not self.has_risen and self.age >= config.attempt_updates
        late = 0 < config.unsolved_updates <= self.age and not self.has_solved
        return (flat or late) and self.attempt < config.attempts

    @training()
    def evaluate(self) -> None:
        """Test the unsolved members at the top level on held-out sizes; keep the parameters that did best.

        With a `hardened_cost` see first what all are worth hardened, see `agents.hardened`.
        """
        if self.config.hardened_cost:
            rng = np.random.default_rng([self.seed, self.age, 1])
            self.population = hardened(self.population, self.config, rng, self.engine.failures)
        on_top = self.population.level >= self.config.top_level
        tested = on_top & losses.mastered(self.population, self.config) & ~self.population.solved
        places = tested.nonzero()[:, 0]
        if not len(places):
            return
        members = self.population.take(places)
        rng = np.random.default_rng([self.seed, self.age])
        controller = Controller(self.config.spec, members.parameters, self.config.backend)
        errors, steps = (found.to(members.device) for found in self.held_out_errors(controller, rng))
        before = members.best_error
        better = (errors[:, 0] < before[:, 0]) | (
            (errors[:, 0] == before[:, 0]) & (errors[:, 1] <= before[:, 1])
        )
        kept = replace(
            members,
            best_parameters=torch.where(better[:, None], members.parameters, members.best_parameters),
            best_error=torch.where(better[:, None], errors, before),
            best_steps=torch.where(better, steps, members.best_steps),
        )
        self.population = self.population.put(places, kept)

    def held_out_errors(self, controller: Controller, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Hard and soft exact error of every member, (P, 2), and mean timesteps at the larger sizes, (P,).

        See `agents.held_out`.
        """
        return self.engine.held_out_errors(controller, rng)

    def agents(self) -> list[Agent]:
        """All members from best to worst, each with the parameters that did best on held-out sizes."""
        return [self.agent(index) for index in self.population.ranking()]

    def refute(self, index: int) -> None:
        """Count a solved member as one with errors, since a stricter test than ours has found some.

        It is tested again, and counts as solved again if it passes our tests; it then is another by some
        updates.
        """
        error = self.population.best_error.clone()
        error[index, 0] = REFUTED
        self.population = replace(self.population, best_error=error)

    @property
    def saved(self) -> SavedPopulation:
        """Everything that a resumed run needs."""
        return SavedPopulation(
            config=self.config,
            update=self.update,
            attempt=self.attempt,
            began=self.began,
            has_risen=self.has_risen,
            examples=self.examples,
            chance=self.chance,
            population=self.population,
            pause=self.engine.pause,
        )

    def save(self, path: str | Path) -> None:
        """Write everything that a resumed run needs, atomically."""
        save_run(path, SavedRun(self.config, (self.saved,)))

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> Trainer:
        """Continue from what `save` wrote; on the same device exactly as if the run had not been stopped.

        Raises:
            FileError: See `load_run`.
            ValueError: The run has several populations; or as for a new trainer.
        """
        saved = load_run(path)
        if len(saved.islands) > 1:
            raise ValueError(f"{path} holds {len(saved.islands)} populations; go on with nram train --resume")
        return cls.restored(saved.islands[0], device)

    @classmethod
    @training()
    def restored(cls, saved: SavedPopulation, device: str | torch.device = "cpu") -> Trainer:
        """The trainer that was saved as `saved`.

        Raises:
            ValueError: As for a new trainer.
        """
        trainer = cls(saved.config, device=device)
        trainer.update, trainer.attempt, trainer.began = saved.update, saved.attempt, saved.began
        trainer.has_risen = saved.has_risen
        trainer.population, trainer.examples = trainer.engine.place(saved.population), saved.examples
        trainer.chance, trainer.engine.pause = saved.chance, saved.pause
        return trainer

    def agent(self, index: int) -> Agent:
        """A member, with the parameters that did best on held-out sizes."""
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
        return Agent(Controller(spec, parameters[index : index + 1].cpu().clone()), self.config.task, info)

    def _progress(self, step: Step) -> Progress:
        population = self.population
        level = int(population.level.max())
        return Progress(
            update=self.update,
            attempt=self.attempt,
            level=level,
            error=self._error_at(level),
            loss=float(step.loss.nanmean()),
            cell_loss=float(step.cell_loss.nanmean()),
            stopping=int((population.level > self.config.max_level).sum()),
            solved=int(population.solved.sum()),
            restarts=int(population.restarts.sum()),
        )
