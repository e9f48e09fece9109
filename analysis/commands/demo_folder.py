"""The folder of a demo: what a demo writes, and how an earlier one is told from anything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.checkpoint import AGENT_FILE, load_agent
from agents.config import TrainConfig
from agents.metrics import EVENTS_FOLDER, METRICS_FILE
from agents.run import CONFIG_FILE, LOCK_FILE, POPULATION_FILE, RunError, lock_run
from analysis.commands.output import say
from analysis.program_file import load_program
from analysis.resolve import PROGRAM_FILE
from nram_env.support import write_atomically

SUMMARY_FILE = "summary.json"
"""What the demo found, for machines; program and checks are empty if it found nothing."""

_REUSED = (SUMMARY_FILE, LOCK_FILE, EVENTS_FOLDER)
"""What a new demo goes on with."""

_SUMMARY = {"task": str, "controller": str, "train_seconds": float, "program": str | None, "checks": list}


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
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise RunError(f"{_foreign(folder)}: {file.name} cannot be read back: {error}") from error
    return files


def _foreign(folder: Path) -> str:
    return f"{folder} holds something else than an earlier demo; name another folder with --run"


def _read_population(file: Path) -> None:
    from agents.trainer import Trainer

    Trainer.load(file)


def _read_metrics(file: Path) -> None:
    for line in file.read_text(encoding="utf-8").splitlines():
        json.loads(line)["update"]


def _read_config(file: Path) -> None:
    TrainConfig.from_json(json.loads(file.read_text(encoding="utf-8")))


def _read_summary(file: Path) -> None:
    found = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or found.keys() != _SUMMARY.keys():
        raise ValueError(f"it does not hold exactly {', '.join(_SUMMARY)}")
    if odd := [name for name, kind in _SUMMARY.items() if not isinstance(found[name], kind)]:
        raise ValueError(f"its {odd[0]} is {found[odd[0]]!r}")


_READERS: dict[str, Callable[[Path], object]] = {
    AGENT_FILE: load_agent,
    PROGRAM_FILE: load_program,
    POPULATION_FILE: _read_population,
    CONFIG_FILE: _read_config,
    METRICS_FILE: _read_metrics,
    SUMMARY_FILE: _read_summary,
}
