"""The folder of a demo: what a demo writes, and how an earlier one is told from anything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.metrics import EVENTS_FOLDER
from agents.run import lock_run
from agents.run_files import LOCK_FILE, RUN_FILES, RunError, own_files
from analysis.commands.output import say
from analysis.extraction.resolve import PROGRAM_FILE
from analysis.program.file import load_program
from nram_env.checks import anything, choice, lines, list_of, nullable, number, record
from nram_env.files import read_json
from nram_env.support import write_atomically

SUMMARY_FILE = "summary.json"
"""What the demo found, for machines; program and checks are empty if it found nothing."""

_REUSED = (SUMMARY_FILE, LOCK_FILE, EVENTS_FOLDER)
"""What a new demo goes on with."""

SUMMARY = record(
    {
        "task": choice("copy"),
        "controller": choice("lstm"),
        "train_seconds": number(0),
        "program": nullable(lines()),
        "checks": list_of(anything()),
    }
)
"""Check of what `write_summary` writes."""


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
    kind = "an earlier demo"
    if not (folder / SUMMARY_FILE).exists():
        raise RunError(f"{folder} holds something else than {kind}; name another folder with --run")
    return own_files(folder, _READERS, kind)


_READERS: dict[str, Callable[[Path], object]] = {
    **RUN_FILES,
    PROGRAM_FILE: load_program,
    SUMMARY_FILE: lambda file: read_json(file, SUMMARY),
}
