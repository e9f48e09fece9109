"""The files of a run folder: what they are called, and how each is told from a stranger's of that name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from agents.checkpoint import AGENT_FILE, load_agent
from agents.config import CONFIG
from agents.metrics import METRICS_FILE, MOST_METRICS_BYTES, read_metrics
from nram_env.checks import built, choice, integer, number, record
from nram_env.files import read_json, read_text

POPULATION_FILE, CONFIG_FILE, LOCK_FILE = "population.safetensors", "config.json", "run.lock"
OUTCOME_FILE = "outcome.json"


class RunError(ValueError):
    """A run folder that cannot be used as asked; the message names it and says what to do."""


@dataclass(frozen=True)
class Ending:
    """How the last call of a run ended.

    Attributes:
        update: Updates done by then.
        attempt: Number of the population, from 1.
        reason: "solved", "updates", "minutes" or "interrupted".
        solved: Solved members; where a judge was asked, those that it accepted.
        seconds: Time that the call spent training.
        island: Which of the run's populations was the best, from 1.
    """

    update: int
    attempt: int
    reason: str
    solved: int
    seconds: float
    island: int = 1


def ending_of(folder: Path) -> Ending | None:
    """How a run ended that is saved as it ended; None where there is more, or less, than that.

    A kill may come before the end is saved, or after a later call has gone on from there.

    Raises:
        FileError: A file is damaged.
    """
    if not (folder / OUTCOME_FILE).exists() or not (folder / POPULATION_FILE).exists():
        return None
    from agents.population_file import load_run  # needs torch

    ending: Ending = read_json(folder / OUTCOME_FILE, ENDING)
    return ending if load_run(folder / POPULATION_FILE).update == ending.update else None


def own_files(
    folder: Path,
    readers: Mapping[str, Callable[[Path], object]],
    kind: str,
    instead: str = "folder with --run",
) -> list[Path]:
    """The files of certain names that a folder holds, each of them read back: they may be replaced.

    Args:
        folder: The folder.
        readers: By the name of a file: reads it, and raises a ValueError if it is not one of ours.
        kind: What the folder should hold, as in "a run".
        instead: What to name instead, as the error says.

    Raises:
        RunError: A file of such a name is not ours; nothing has been touched.
    """
    files = [folder / name for name in readers if (folder / name).exists()]
    for file in files:
        try:
            readers[file.name](file)
        except ValueError as error:
            raise RunError(
                f"{folder} holds something else than {kind}; name another {instead}: {file.name} cannot be "
                f"read back: {error}"
            ) from error
    return files


def _read_population(file: Path) -> None:
    from agents.population_file import load_run  # needs torch

    load_run(file)


def _read_metrics(file: Path) -> None:
    if (text := read_text(file, MOST_METRICS_BYTES)) and not text.startswith('{"update": '):
        raise ValueError("its first line is no update of a run")
    read_metrics(file.parent)


_COUNT = integer(0)
_REASON = choice("solved", "updates", "minutes", "interrupted")
ENDING = built(
    record(
        {"update": _COUNT, "attempt": _COUNT, "reason": _REASON, "solved": _COUNT, "seconds": number(0)},
        optional={"island": integer(1)},
    ),
    lambda values: Ending(**values),
)
"""Check of what a run's last file holds; returns the ending."""

RUN_FILES: dict[str, Callable[[Path], object]] = {
    POPULATION_FILE: _read_population,
    AGENT_FILE: load_agent,
    CONFIG_FILE: lambda file: read_json(file, CONFIG),
    METRICS_FILE: _read_metrics,
    OUTCOME_FILE: lambda file: read_json(file, ENDING),
}
"""How the files that training writes are read back."""
