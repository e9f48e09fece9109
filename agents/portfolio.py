"""A portfolio: populations of one task that differ in their settings and share the time by progress.

No setting wins everywhere. So islands have their turns: those whose members learn to stop more of them, then
those that come first in the list. Levels do not count, since who rises at an error of a third is not further
than who waits for a tenth. Whose turn it is follows from the islands alone, so that a run that was stopped
goes on as if it had not been.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agents.generic import islands_of
from agents.population_file import SavedRun, load_run, save_run
from agents.trainer import Progress, Trainer

if TYPE_CHECKING:
    import torch

    from agents.checkpoint import Agent
    from agents.config import TrainConfig
    from agents.population import Population

TURN = 100
"""Updates of an island before it is asked again whose turn it is."""


class Portfolio:
    """What a run trains: islands, each a population with its trainer; often there is one alone.

    Of K islands the k-th in order gets 1 / k of the first one's updates, counted by examples: first those
    with members that learn to stop, each kind in the order of the list. One with a solved member keeps the
    turn.

    Args:
        config: Hyper-parameters; those of the islands follow from them, see `agents.generic`.
        device: What computes, see `Trainer`.

    Attributes:
        config: As above.
        islands: The trainers.
        active: The one that did the last update.

    Raises:
        ValueError: As for a trainer.

    Example:
        >>> from agents import TrainConfig
        >>> portfolio = Portfolio(TrainConfig(task="access", population=2, batch_size=4))
        >>> portfolio.advance().island, len(portfolio.islands)
        (1, 1)
    """

    def __init__(self, config: TrainConfig, device: str | torch.device = "cpu") -> None:
        self.config = config
        self.islands = [Trainer(island, device) for island in islands_of(config)]
        self.active = self.islands[0]

    def advance(self, most: int | None = None) -> Progress:
        """Let the island whose turn it is do an update, on a device several; see `Trainer.advance`."""
        self.active = self._next()
        if len(self.islands) > 1:
            left = TURN - self.active.update % TURN
            most = left if most is None else min(most, left)
        progress = self.active.advance(most)
        return replace(progress, update=self.update, island=self.islands.index(self.active) + 1)

    def _next(self) -> Trainer:
        """Whose turn it is."""
        order = sorted(self.islands, key=lambda island: island.standing[:2])
        if order[0].has_solved:
            return order[0]
        begun = [island for island in self.islands if island.update % TURN]
        if begun:
            return begun[0]
        spent = [place * _examples(island) for place, island in enumerate(order, 1)]
        return order[spent.index(min(spent))]

    def ranking(self) -> list[Trainer]:
        """The islands from best to worst."""
        return sorted(self.islands, key=lambda island: island.standing)

    @property
    def leader(self) -> Trainer:
        """The best island."""
        return self.ranking()[0]

    @property
    def place(self) -> int:
        """Which island is the leader, from 1."""
        return self.islands.index(self.leader) + 1

    @property
    def update(self) -> int:
        """Updates of all islands."""
        return sum(island.update for island in self.islands)

    @property
    def attempt(self) -> int:
        """Number of the leader's population, from 1."""
        return self.leader.attempt

    @property
    def population(self) -> Population:
        """The leader's members."""
        return self.leader.population

    def agents(self) -> list[Agent]:
        """The leader's members from best to worst, see `Trainer.agents`."""
        return self.leader.agents()

    def agent(self, index: int) -> Agent:
        """A member of the leader's, see `Trainer.agent`."""
        return self.leader.agent(index)

    def refute(self, index: int) -> None:
        """Count a solved member of the leader's as one with errors, see `Trainer.refute`."""
        self.leader.refute(index)

    def save(self, path: str | Path) -> None:
        """Write everything that a resumed run needs, atomically."""
        save_run(path, SavedRun(self.config, tuple(island.saved for island in self.islands)))

    @classmethod
    def load(cls, path: str | Path, device: str | torch.device = "cpu") -> Portfolio:
        """Continue from what `save` wrote; on the same device exactly as if the run had not been stopped.

        Raises:
            FileError: See `load_run`.
            ValueError: As for a new trainer.
        """
        saved = load_run(path)
        portfolio = cls.__new__(cls)
        portfolio.config = saved.config
        portfolio.islands = [Trainer.restored(island, device) for island in saved.islands]
        portfolio.active = portfolio.islands[0]
        return portfolio


def _examples(island: Trainer) -> int:
    """What an island has trained on so far."""
    return island.update * island.config.population * island.config.batch_size
