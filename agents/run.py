"""A training run in a folder: locked, logged, saved atomically, resumed exactly, stopped politely."""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from filelock import FileLock, Timeout

from agents.checkpoint import AGENT_FILE, save_agent
from agents.config import TrainConfig
from agents.metrics import open_metrics
from agents.trainer import Progress, Trainer
from nram_env.support import sweep, write_atomically

POPULATION_FILE, CONFIG_FILE = "population.safetensors", "config.json"


class RunError(ValueError):
    """A run folder that cannot be used as asked; the message names it and says what to do."""


@dataclass(frozen=True)
class Budget:
    """When a run stops; the first limit that is reached counts.

    Attributes:
        updates: Updates in all, those before a resume included, or None for no limit.
        minutes: Minutes of this call, or None for no limit.
        solved: Members without any hard held-out error, or None to go on whatever is solved.
    """

    updates: int | None = None
    minutes: float | None = None
    solved: int | None = None

    def reached(self, progress: Progress, seconds: float) -> str | None:
        """Name of the limit that is reached, or None."""
        if self.solved is not None and progress.solved >= self.solved:
            return "solved"
        if self.updates is not None and progress.update >= self.updates:
            return "updates"
        return "minutes" if self.minutes is not None and seconds >= 60 * self.minutes else None


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        trainer: The trainer as it was saved.
        reason: "solved", "updates", "minutes" or "interrupted".
        seconds: Time that this call spent training.
    """

    trainer: Trainer
    reason: str
    seconds: float


Watch = Callable[[Trainer, Progress, float], None]
"""Called after each update with the trainer, what the update showed, and the seconds since the start."""


def start_run(
    folder: Path, config: TrainConfig, budget: Budget, watch: Watch, save_every: int = 200
) -> Outcome:
    """Train from nothing in a new folder.

    Args:
        folder: Place of the run; must not hold one already.
        config: Hyper-parameters.
        budget: When to stop.
        watch: Told of every update.
        save_every: Updates between two saves; a kill loses no more than that.

    Raises:
        RunError: The folder holds a run, or another process works in it.
        OSError: The disk is full or cannot be written.
    """
    with _locked(folder):
        if (folder / POPULATION_FILE).exists():
            raise RunError(
                f"{folder} already holds a run; add --resume to go on with it, or name another folder"
            )
        write_atomically(folder / CONFIG_FILE, json.dumps(config.to_json(), indent=2) + "\n")
        return _train(folder, Trainer(config), budget, watch, save_every)


def resume_run(folder: Path, budget: Budget, watch: Watch, save_every: int = 200) -> Outcome:
    """Go on with a saved run, exactly as if it had never stopped; arguments as in `start_run`.

    Raises:
        RunError: The folder holds no run, or another process works in it.
        CheckpointError: The saved population is damaged.
    """
    if not (folder / POPULATION_FILE).is_file():
        raise RunError(f"{folder} holds no run to resume: there is no {POPULATION_FILE} in it")
    with _locked(folder):
        trainer = Trainer.load(folder / POPULATION_FILE)
        return _train(folder, trainer, budget, watch, save_every)


def _train(folder: Path, trainer: Trainer, budget: Budget, watch: Watch, save_every: int) -> Outcome:
    begin = time.monotonic()
    reason = "updates" if budget.updates is not None and trainer.update >= budget.updates else None
    with _polite_stop() as stopped, open_metrics(folder, trainer.update) as metrics:
        while reason is None:
            progress = trainer.advance()
            seconds = time.monotonic() - begin
            metrics.write(progress, seconds)
            watch(trainer, progress, seconds)
            reason = "interrupted" if stopped() else budget.reached(progress, seconds)
            if reason is None and trainer.update % save_every == 0:
                trainer.save(folder / POPULATION_FILE)
    save_agent(folder / AGENT_FILE, trainer.agents()[0])
    trainer.save(folder / POPULATION_FILE)
    return Outcome(trainer, reason, time.monotonic() - begin)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "run.lock", timeout=0)
    try:
        with lock:
            sweep(folder)
            yield
    except Timeout as error:
        raise RunError(
            f"another process is training in {folder}; wait for it or name another folder"
        ) from error


@contextmanager
def _polite_stop() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C or termination into a request to stop after the update; the second interrupts."""
    asked = threading.Event()

    def ask(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
