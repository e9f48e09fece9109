"""What a run writes down of every update: JSON lines, and TensorBoard events where that is installed."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nram_env.checks import integer, nullable, number, record
from nram_env.files import read_json_lines, read_text
from nram_env.support import write_atomically

if TYPE_CHECKING:
    from agents.trainer import Progress

METRICS_FILE, EVENTS_FOLDER = "metrics.jsonl", "tensorboard"

MOST_METRICS_BYTES = 1 << 28

_COUNT, _NUMBER = integer(0), nullable(number())
_LINE = record(
    {
        "update": _COUNT,
        "level": _COUNT,
        "error": nullable(number(0, 1)),
        "loss": _NUMBER,
        "solved": _COUNT,
        "restarts": _COUNT,
        "seconds": number(0),
    },
    optional={"cell_loss": _NUMBER, "attempt": _COUNT, "stopping": _COUNT},
)
"""A line of the metrics: a `Progress`, and the seconds since this call of the run began. Runs of earlier
versions lack what is optional."""


def tensorboard_installed() -> bool:
    """Whether event files are written; `pip install nram[tensorboard]` makes it so."""
    return find_spec("tensorboard") is not None


class MetricsLog:
    """The metrics of a run as they are being written; see `open_metrics`."""

    def __init__(self, file: Path, events: Any) -> None:
        self._file, self._events = file, events

    def write(self, progress: Progress, seconds: float) -> None:
        """Note an update, `seconds` after this call of the run began; what is not finite becomes null.

        Raises:
            OSError: The disk is full or cannot be written; the message names the file.
        """
        values = asdict(progress)
        finite = {name: value if math.isfinite(value) else None for name, value in values.items()}
        line = json.dumps({**finite, "seconds": round(seconds, 3)}, allow_nan=False) + "\n"
        try:
            with self._file.open("a") as lines:
                lines.write(line)
        except OSError as error:
            raise type(error)(error.errno, f"cannot write {self._file}: {error.strerror}") from error
        if self._events is not None:
            for name in sorted(values.keys() - {"update"}):
                self._events.add_scalar(name, values[name], progress.update)


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """The updates of a run; none if it has no metrics yet. What was not finite is None.

    A last line without its end is still being written, or was cut by a kill, and does not count.

    Raises:
        FileError: A line is no update of a run; the message names file, line and field.
    """
    file = folder / METRICS_FILE
    return read_json_lines(file, _LINE, MOST_METRICS_BYTES) if os.path.lexists(file) else []


@contextmanager
def open_metrics(folder: Path, update: int) -> Iterator[MetricsLog]:
    """Continue the metrics of a run after `update` updates; later ones will be done again and are dropped."""
    file = folder / METRICS_FILE
    lines = read_text(file, MOST_METRICS_BYTES).splitlines(keepends=True) if os.path.lexists(file) else []
    write_atomically(file, "".join(lines[:update]))
    events = _event_writer(folder / EVENTS_FOLDER, update)
    try:
        yield MetricsLog(file, events)
    finally:
        if events is not None:
            events.close()


def _event_writer(folder: Path, update: int) -> Any:
    if not tensorboard_installed():
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=update + 1)
