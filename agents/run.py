"""A training run in a folder: locked, logged, saved atomically, resumed exactly, stopped politely."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from agents.checkpoint import AGENT_FILE, Agent, save_agent
from agents.config import TrainConfig
from agents.metrics import open_metrics
from agents.run_files import (
    CONFIG_FILE,
    LOCK_FILE,
    OUTCOME_FILE,
    POPULATION_FILE,
    RUN_FILES,
    Ending,
    RunError,
    own_files,
)
from agents.signals import polite_stop
from nram_env.support import sweep, write_atomically

if TYPE_CHECKING:
    from agents.portfolio import Portfolio
    from agents.trainer import Progress

SAVE_UPDATES, SAVE_SECONDS = 200, 30.0
"""A run is saved after so many updates, or so long, since it was last saved: where an update takes less than
that, a kill loses less than a minute."""

SLOW_SAVE = 1.0
"""Where saving takes so many seconds, as of thousands of members, the clock alone says when."""


@dataclass(frozen=True)
class Budget:
    """When a run stops; the first limit that is reached counts.

    Attributes:
        updates: Updates in all, those before a resume included, or None for no limit.
        minutes: Minutes of this call, or None for no limit.
        solved: Members without any hard held-out error, or None to go on whatever is solved.

    Raises:
        ValueError: A limit is negative or no number, or no member is to be solved.
    """

    updates: int | None = None
    minutes: float | None = None
    solved: int | None = None

    def __post_init__(self) -> None:
        for name, least in (("updates", 0), ("minutes", 0), ("solved", 1)):
            value = getattr(self, name)
            if value is not None and not least <= value < math.inf:
                raise ValueError(f"{name} must be at least {least} and finite, got {value}")

    def reached(self, updates: int, solved: int, seconds: float | None = None) -> str | None:
        """Name of the limit that is reached, or None; no time counts before a call has trained."""
        if self.solved is not None and solved >= self.solved:
            return "solved"
        if self.updates is not None and updates >= self.updates:
            return "updates"
        if self.minutes is None or seconds is None:
            return None
        return "minutes" if seconds >= 60 * self.minutes else None


USUAL_MINUTES = 30.0
"""Limit of a run that is given none."""


def usual_budget(updates: int | None, minutes: float | None, solved: int | None = 1) -> Budget:
    """A budget of these limits; of the usual minutes where neither updates nor minutes have one.

    Example:
        >>> usual_budget(None, None).minutes, usual_budget(100, None).minutes
        (30.0, None)
    """
    return Budget(updates, USUAL_MINUTES if updates is None and minutes is None else minutes, solved)


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        trainer: What was trained, as it was saved.
        reason: "solved", "updates", "minutes" or "interrupted" (by SIGINT, SIGTERM or SIGHUP).
        seconds: Time that this call spent training.
        solved: Solved members; where a judge was asked, those that it accepted.
        best: The member whose agent was saved: the first in the ranking, an accepted one if there are any.
    """

    trainer: Portfolio
    reason: str
    seconds: float
    solved: int
    best: int


Judge = Callable[[Agent], bool]
"""Asked about solved members, the best first: whether the run may end with this one."""

JUDGED_AT_ONCE = 3
"""After so many refusals training goes on before more members are judged."""

Watch = Callable[["Portfolio", "Progress", float], None]
"""Called after each update, or after the few that a device does at a time, with the trainer, what the last
update showed, and the seconds since the start."""


def start_run(
    folder: Path,
    config: TrainConfig,
    budget: Budget,
    watch: Watch,
    save_every: int = SAVE_UPDATES,
    save_seconds: float = SAVE_SECONDS,
    judge: Judge | None = None,
    device: str = "cpu",
) -> Outcome:
    """Train from nothing in a new folder, which is made only once there is something to train.

    Args:
        folder: Place of the run; must not hold one already, nor another's files of the names of a run's.
        config: Hyper-parameters.
        budget: When to stop.
        watch: Told of every update.
        save_every: Updates between two saves, at most.
        save_seconds: Seconds between two saves, at most; an update that runs is finished first.
        judge: Asked about solved members before the run ends with them; those that it refuses do not count.
        device: What computes; see `Trainer`.

    Raises:
        RunError: The folder holds a run, or files that are not a run's, or another process works in it.
        ValueError: The device cannot be used, or has too little memory.
        OSError: The disk is full or cannot be written.
    """
    from agents.portfolio import Portfolio

    trainer = Portfolio(config, device)
    own_files(folder, RUN_FILES, "a run")
    with lock_run(folder):
        if (folder / POPULATION_FILE).exists():
            raise RunError(
                f"{folder} already holds a run; add --resume to go on with it, or name another folder"
            )
        write_atomically(folder / CONFIG_FILE, json.dumps(config.to_json(), indent=2) + "\n")
        return _train(folder, trainer, budget, watch, save_every, save_seconds, judge)


def resume_run(
    folder: Path,
    budget: Budget,
    watch: Watch,
    save_every: int = SAVE_UPDATES,
    save_seconds: float = SAVE_SECONDS,
    judge: Judge | None = None,
    device: str = "cpu",
) -> Outcome:
    """Go on with a saved run, on its device exactly as if it had never stopped; arguments as in `start_run`.

    Raises:
        RunError: The folder holds no run, or another process works in it.
        ValueError: The device cannot be used, or has too little memory.
        FileError: The saved population is damaged.
    """
    from agents.portfolio import Portfolio

    if not (folder / POPULATION_FILE).is_file():
        raise RunError(f"{folder} holds no run to resume: there is no {POPULATION_FILE} in it")
    with lock_run(folder):
        trainer = Portfolio.load(folder / POPULATION_FILE, device)
        return _train(folder, trainer, budget, watch, save_every, save_seconds, judge)


@contextmanager
def lock_run(folder: Path) -> Iterator[None]:
    """Work in a run folder alone; it is made where it is missing, and swept of what a kill left.

    Raises:
        RunError: Another process works in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK_FILE, timeout=0)
    try:
        with lock:
            sweep(folder)
            yield
    except Timeout as error:
        raise RunError(
            f"another process is training in {folder}; wait for it or name another folder"
        ) from error


def _train(
    folder: Path,
    trainer: Portfolio,
    budget: Budget,
    watch: Watch,
    save_every: int,
    save_seconds: float,
    judge: Judge | None,
) -> Outcome:
    begin = saved = time.monotonic()
    took = 0.0
    accepted: set[int] = set()
    with polite_stop() as stopped, open_metrics(folder, trainer.update) as metrics:
        # A run may have been saved in the update that solved it, by a call that failed before it could end.
        solved = _solved(trainer, judge, budget.solved, accepted)
        reason = budget.reached(trainer.update, solved)
        while reason is None:
            before = trainer.update
            progress = trainer.advance(None if budget.updates is None else budget.updates - before)
            now = time.monotonic()
            with _saved_on_failure(folder, trainer, accepted):
                metrics.write(progress, now - begin)
                watch(trainer, progress, now - begin)
                solved = progress.solved
                if judge is not None and solved:
                    solved = _solved(trainer, judge, budget.solved, accepted)
                    now = time.monotonic()
            reason = budget.reached(trainer.update, solved, now - begin)
            reason = reason or ("interrupted" if stopped() else None)
            due = trainer.update // save_every > before // save_every and took < SLOW_SAVE
            if reason is None and (due or now - saved >= save_seconds):
                trainer.save(folder / POPULATION_FILE)
                saved, took = now, time.monotonic() - now
    seconds = time.monotonic() - begin
    ending = Ending(trainer.update, trainer.attempt, reason, solved, seconds, trainer.place)
    best = _save(folder, trainer, accepted, ending)
    return Outcome(trainer, reason, seconds, solved, best)


def _solved(trainer: Portfolio, judge: Judge | None, wanted: int | None, accepted: set[int]) -> int:
    """How many members are solved; with a judge only those that it accepts count, which `accepted` keeps."""
    is_solved = trainer.population.solved.tolist()
    solved = [index for index in trainer.population.ranking() if is_solved[index]]
    if judge is None:
        return len(solved)
    accepted &= set(solved)
    refused = 0
    for index in solved:
        if refused == JUDGED_AT_ONCE or (wanted is not None and len(accepted) >= wanted):
            break
        if index not in accepted and judge(trainer.agent(index)):
            accepted.add(index)
        elif index not in accepted:
            trainer.refute(index)
            refused += 1
    return len(accepted)


def _save(folder: Path, trainer: Portfolio, accepted: Set[int], ending: Ending | None = None) -> int:
    """Save the population and the best member, an accepted one if there are any; returns which.

    The ending goes first: it counts once the population that it belongs to is there (`ending_of`).
    """
    population = trainer.population
    best = min(population.ranking(), key=lambda index: not (index in accepted and population.solved[index]))
    save_agent(folder / AGENT_FILE, trainer.agent(best))
    if ending is not None:
        write_atomically(folder / OUTCOME_FILE, json.dumps(vars(ending)) + "\n")
    trainer.save(folder / POPULATION_FILE)
    return best


@contextmanager
def _saved_on_failure(folder: Path, trainer: Portfolio, accepted: Set[int]) -> Iterator[None]:
    """Save if those that are told of an update fail, as on a terminal that is closed: training has not."""
    try:
        yield
    except BaseException:
        _save(folder, trainer, accepted)
        raise
