"""The driver of a study: hands open trials to workers and writes down what happens, until none is open."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout

from agents.signals import polite_stop
from analysis.studies.progress import Standings, last_seen, standings
from analysis.studies.scheduler import Ended, Job, Scheduler
from analysis.studies.table import Event, StudyError, Table
from analysis.studies.trial import Trial, read_rows
from nram_env.tasks import task_imports

DRIVER_LOCK = "driver.lock"

WAIT_SECONDS = 0.5
"""Seconds between two looks at a study if nothing ends."""

STOP_SECONDS = 120.0
"""How long workers may take to save when they are asked to stop; one may just be reading a program."""

View = Callable[[Standings, Sequence[str]], None]
"""Told how all trials stand, and the keys of those that workers have."""


@contextmanager
def driven(folder: Path, new: bool = False) -> Iterator[Table]:
    """The table of a study, for its only driver.

    Args:
        folder: Folder of the study.
        new: Whether it may be made.

    Raises:
        StudyError: There is no study, or another driver works on it.
        OSError: The disk is full or cannot be written.
    """
    if new:
        folder.mkdir(parents=True, exist_ok=True)
    elif not folder.is_dir():
        raise StudyError(f"there is no study in {folder}")
    try:
        with FileLock(folder / DRIVER_LOCK, timeout=0), Table(folder, new) as table:
            yield table
    except Timeout as error:
        raise StudyError(f"another driver works on {folder}; --status shows how it stands") from error


def is_driven(folder: Path) -> bool:
    """Whether a driver works on a study."""
    try:
        with FileLock(folder / DRIVER_LOCK, timeout=0):
            return False
    except Timeout:
        return True


def plan(table: Table, trials: Iterable[Trial]) -> None:
    """Add trials to a study; those that it has already stay as they are."""
    known = {event.trial for event in table.events()}
    new = {trial.key: trial for trial in trials if trial.key not in known}
    table.add(Event(key, "planned", {"trial": trial.to_json()}) for key, trial in new.items())


def take(table: Table, rows: Path) -> tuple[int, int]:
    """Take over results of trials that are still open.

    Args:
        table: The study's.
        rows: File of JSON lines, as the report of a study has beside it.

    Returns:
        How many were taken, and how many rows are of no trial of this study.

    Raises:
        FileError: The file is missing, or a line is no row; the message names the field.
    """
    found = read_rows(rows)
    known = {standing.trial.identity: (key, standing) for key, standing in standings(table.events()).items()}
    pairs = [(*known[name], result) for name, result in found.items() if name in known]
    events = [
        Event(key, "taken", {"result": asdict(result)})
        for key, standing, result in pairs
        if standing.result is None
    ]
    table.add(events)
    return len(events), len(found) - len(pairs)


class Driver:
    """Does the open trials of a study.

    An event is on the disk before anything follows from it, so that a driver that is killed leaves nothing
    but trials that were begun: the next one hands them to workers again, who go on from what was saved.

    Args:
        folder: Folder of the study.
        table: Its table.
        scheduler: The workers.
        view: Told at least twice a second how it stands.
        say: Told, in words, what is waited for once it is asked to stop.
    """

    def __init__(
        self,
        folder: Path,
        table: Table,
        scheduler: Scheduler,
        view: View,
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._folder, self._table, self._scheduler, self._view = folder.resolve(), table, scheduler, view
        self._say = say
        self._standings = standings(table.events())
        self._waiting = [key for key, standing in self._standings.items() if standing.is_open]
        self._running: dict[str, None] = {}

    def run(self) -> bool:
        """Do them; returns whether it was asked to stop before all were done.

        Raises:
            OSError: The disk is full or cannot be written.
            KeyboardInterrupt: A second Ctrl-C came, while workers were saving.
        """
        with polite_stop() as stopped:
            while (self._running or self._waiting) and not stopped():
                self._begin()
                self._look()
            if self._running:
                self._say(
                    f"asked to save: {len(self._running)}; a trial whose program is being read finishes that "
                    f"first, in {STOP_SECONDS:.0f} s at most; Ctrl-C again ends all at once"
                )
                self._scheduler.stop()
            last = time.monotonic() + STOP_SECONDS
            while self._running and time.monotonic() < last:
                self._look()
        return bool(self._waiting or self._running)

    def _begin(self) -> None:
        free = max(0, self._scheduler.capacity - len(self._running))
        keys, self._waiting = self._waiting[:free], self._waiting[free:]
        self._add(Event(key, "begun") for key in keys)
        for key in keys:
            trial = self._standings[key].trial
            self._running[key] = None
            imports = tuple(task_imports(trial.config.task))
            self._scheduler.begin(Job(key, str(self._folder), trial.to_json(), imports))

    def _note(self, ended: Sequence[Ended]) -> None:
        """Write down what has ended, and put back what has to be done again: what was lost comes first."""
        full = [end for end in ended if end.kind == "storage"]
        self._add(self._event(end) for end in ended)
        for end in ended:
            del self._running[end.key]
        again = [end for end in ended if self._standings[end.key].is_open]
        lost = [end.key for end in again if end.kind != "failed"]
        self._waiting = [*lost, *self._waiting, *(end.key for end in again if end.kind == "failed")]
        if full:
            error = full[0].details["error"]
            raise OSError(f"nothing can be stored: {error}; the same call goes on once that is mended")

    def _event(self, end: Ended) -> Event:
        if end.kind == "lost":
            reached = last_seen(self._folder, end.key) or {"update": 0}
            return Event(end.key, "lost", {**end.details, "update": reached["update"]})
        return Event(end.key, "stopped" if end.kind == "storage" else end.kind, end.details)

    def _add(self, events: Iterable[Event]) -> None:
        added = list(events)
        self._table.add(added)
        for event in added:
            self._standings[event.trial] = self._standings[event.trial].after(event)

    def _look(self) -> None:
        self._note(self._scheduler.wait(WAIT_SECONDS))
        self._view(self._standings, list(self._running))
