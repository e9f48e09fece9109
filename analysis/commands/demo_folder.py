"""The folder of a demo: what a demo writes, and how an earlier one is told from anything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.checkpoint import AGENT_FILE, load_agent
from agents.config import CONFIG
from agents.metrics import EVENTS_FOLDER, METRICS_FILE, read_metrics
from agents.run import CONFIG_FILE, LOCK_FILE, POPULATION_FILE, RunError, lock_run
from analysis.commands.output import say
from analysis.program_file import load_program
from analysis.resolve import PROGRAM_FILE
from nram_env.checks import anything, choice, lines, list_of, nullable, number, record
from nram_env.files import read_json
from nram_env.support import write_atomically

SUMMARY_FILE = "summary.json"
"""What the demo found, for machines; program and checks are empty if it found nothing."""

_REUSED = (SUMMARY_FILE, LOCK_FILE, EVENTS_FOLDER)
"""What a new demo goes on with."""

_SUMMARY = record(
    {
        "task": choice("copy"),
        "controller": choice("lstm"),
        "train_seconds": number(0),
        "program": nullable(lines()),
        "checks": list_of(anything()),
    }
)


def write_summary(
    folder: Path, seconds: float, program: str | None, checks: list[dict[str, Any]]
) -> dict[str, Any]:
    """Write the summary, which is also the first file of a demo, and return it."""
    summary = {
        "task": "copy",
        "controller": "lstm",
        "train_seconds": round(float(seconds), 2),
        "program": program,
        "checks": checks,
    }
    write_atomically(folder / SUMMARY_FILE, json.dumps(summary, indent=2) + "\n")
    return summary


def clear(folder: Path) -> None:
    """Remove an earlier demo: the files that a demo writes, each only after all were read back as such.

    The summary stays, to be written over: it tells the folder of a demo that was killed from any other.
    Everything else in the folder stays as well.

    Raises:
        RunError: The folder holds something else than an earlier demo, or a demo is at work there; nothing
            was removed.
    """
    if not folder.exists() or not any(folder.iterdir()):
        return
    _own_files(folder)  # before the lock leaves its file in a folder that is not ours
    with lock_run(folder):
        for file in _own_files(folder):
            if file.name != SUMMARY_FILE:
                file.unlink()
    if kept := [path.name for path in sorted(folder.iterdir()) if path.name not in _REUSED]:
        say(f"Left as it was in {folder}: {', '.join(kept)}")


def _own_files(folder: Path) -> list[Path]:
    """The files of an earlier demo, every one of them read back."""
    if not (folder / SUMMARY_FILE).exists():
        raise RunError(_foreign(folder))
    files = [folder / name for name in _READERS if (folder / name).exists()]
    for file in files:
        try:
            _READERS[file.name](file)
        except ValueError as error:
            raise RunError(f"{_foreign(folder)}: {file.name} cannot be read back: {error}") from error
    return files


def _foreign(folder: Path) -> str:
    return f"{folder} holds something else than an earlier demo; name another folder with --run"


def _read_population(file: Path) -> None:
    from agents.population_file import load_population

    load_population(file)


_READERS: dict[str, Callable[[Path], object]] = {
    AGENT_FILE: load_agent,
    PROGRAM_FILE: load_program,
    POPULATION_FILE: _read_population,
    CONFIG_FILE: lambda file: read_json(file, CONFIG),
    METRICS_FILE: lambda file: read_metrics(file.parent),
    SUMMARY_FILE: lambda file: read_json(file, _SUMMARY),
}
