"""Small trials, and workers that do as they are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from analysis.studies.driver import Driver, driven, plan
from analysis.studies.progress import Standings, standings
from analysis.studies.scheduler import Ended, Job, Scheduler
from analysis.studies.trial import Goal, Trial
from analysis.studies.work import work
from benchmarks.kill_search import SETTINGS

GOAL = Goal("solved", updates=24)


def trial(seed: int = 0, goal: Goal = GOAL, settings: Mapping[str, Any] = SETTINGS) -> Trial:
    """A trial of a fraction of a second."""
    return Trial.make("access", seed, goal, settings)


def ignore(*_: object) -> None:
    """Watch nothing."""


class Here:
    """A worker in this process; what it says of a job may be made up.

    Args:
        capacity: Jobs at once.
        answers: What it says of its first jobs, in turn; a job for which none is left is done.
    """

    def __init__(self, capacity: int = 1, answers: list[dict[str, Any]] | None = None) -> None:
        self.capacity, self.answers = capacity, answers or []
        self.begun: list[str] = []
        self._jobs: list[Job] = []

    def begin(self, job: Job) -> None:
        self.begun.append(job.key)
        self._jobs.append(job)

    def wait(self, seconds: float) -> list[Ended]:
        job = self._jobs.pop(0)
        answer = self.answers.pop(0) if self.answers else work(job.study, job.content, job.imports, ignore)
        return [Ended.said(job.key, answer)]

    def stop(self) -> None:
        pass

    def close(self) -> None:
        pass


def drive(
    folder: Path, trials: list[Trial], workers: Scheduler, view: Callable[..., None] = ignore
) -> Standings:
    """Plan trials and do them."""
    with driven(folder, new=True) as table:
        plan(table, trials)
        Driver(folder, table, workers, view).run()
        return standings(table.events())
