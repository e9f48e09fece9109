"""What one sees of a study: while it runs on standard error, and how it stands."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table as Grid

from analysis.commands.display import PLAIN_SECONDS, Display, clock
from analysis.commands.output import say
from analysis.studies.driver import is_driven
from analysis.studies.progress import Standings, last_seen
from analysis.studies.summary import Summary, by_task, counts

LIVE_SECONDS = 1.0
"""Seconds between two looks at the folders of what runs."""

MOST_SHOWN = 20
"""Running trials that are shown one by one; of more, those that were begun first."""


class SearchView(Display):
    """Live table of a study on a terminal; a line every ten seconds elsewhere.

    Args:
        folder: Folder of the study.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._begin, self._shown, self._finished = time.monotonic(), -PLAIN_SECONDS, -1

    def watch(self, standings: Standings, running: Sequence[str]) -> None:
        """Show how the study stands, not too often."""
        now = time.monotonic()
        if now - self._shown < (LIVE_SECONDS if self._live else PLAIN_SECONDS):
            return
        self._shown = now
        finished = counts(standings)["finished"]
        if self._finished < 0:
            self._finished = finished
        line = self._line(standings, len(running), finished - self._finished, now - self._begin)
        if self._live:
            self._live.update(Group(line, running_table(self._folder, running)), refresh=True)
        else:
            say(line)

    def _line(self, standings: Standings, running: int, done: int, seconds: float) -> str:
        found = counts(standings)
        left = ""
        if done:
            rate = done / seconds
            left = f", {3600 * rate:.0f} trials/h, about {clock(found['open'] / rate)} left"
        return (
            f"{found['finished']} of {found['trials']} trials finished, {found['succeeded']} succeeded, "
            f"{found['given_up']} given up, {running} running{left}"
        )


def running_table(folder: Path, running: Sequence[str]) -> Grid:
    """The trials that workers have, with their last updates."""
    grid = _grid("running", "update", "level", "error", "solved", "updates/s")
    for key in running[:MOST_SHOWN]:
        found = last_seen(folder, key)
        grid.add_row(key, *(["-"] * 5 if found is None else _progress(found)))
    if len(running) > MOST_SHOWN:
        grid.add_row(f"and {len(running) - MOST_SHOWN} more")
    return grid


def _progress(found: dict[str, Any]) -> list[str]:
    error = "-" if found["error"] is None else f"{found['error']:.3f}"
    rate = found["update"] / found["seconds"] if found["seconds"] else 0.0
    return [str(found["update"]), str(found["level"]), error, str(found["solved"]), f"{rate:.1f}"]


def status_view(folder: Path, standings: Standings) -> RenderableType:
    """How a study stands, task by task, and what was given up."""
    grid = _grid("task", "trials", "open", "given up", "succeeded", "share", "median s")
    for task, found in by_task(standings).items():
        numbers, summary = counts({f.trial.key: f for f in found}), Summary.of(found)
        share = summary.share() if summary.results else ("-", "-")
        cells = [str(numbers[name]) for name in ("trials", "open", "given_up")]
        grid.add_row(task, *cells, *share, summary.times()[1])
    running = [key for key, standing in standings.items() if standing.is_begun]
    parts: list[RenderableType] = [grid]
    if running and is_driven(folder):
        parts += ["", running_table(folder, running)]
    elif any(standing.is_open for standing in standings.values()):
        parts += ["No driver is at work."]
    parts += [f"given up: {key}: {found.error}" for key, found in standings.items() if found.is_given_up]
    return Group(*parts)


def _grid(first: str, *headings: str) -> Grid:
    grid = Grid(box=None, padding=(0, 1))
    grid.add_column(first)
    for heading in headings:
        grid.add_column(heading, justify="right", no_wrap=True)
    return grid
