"""What a run writes down of every update, of every few on a GPU: JSON lines, TensorBoard events where that
is installed."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nram_env.checks import integer, nullable, number, record
from nram_env.files import parse_json, read_json_lines, read_text, reading
from nram_env.support import write_atomically

if TYPE_CHECKING:
    from agents.trainer import Progress

METRICS_FILE, EVENTS_FOLDER = "metrics.jsonl", "tensorboard"

MOST_METRICS_BYTES = 1 << 28

_LONGEST_LINE = 4096
"""Bytes; more than a line has."""

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
    optional={"cell_loss": _NUMBER, "attempt": _COUNT, "stopping": _COUNT, "island": _COUNT},
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


def last_update(folder: Path) -> dict[str, Any] | None:
    """The last update of a run, from the end of its metrics; None if there is none yet.

    Raises:
        FileError: That line is no update of a run.
    """
    try:
        with (folder / METRICS_FILE).open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - _LONGEST_LINE))
            whole = stream.read().split(b"\n")[:-1]
    except FileNotFoundError:
        return None
    with reading(folder / METRICS_FILE):
        return _LINE(parse_json(whole[-1].decode()), "") if whole else None


def call_seconds(folder: Path) -> list[float]:
    """Seconds from the begin of each call of a run to the last of its updates that is kept."""
    seconds = [line["seconds"] for line in read_metrics(folder)]
    return [now for now, after in zip(seconds, [*seconds[1:], 0.0], strict=False) if after < now]


@contextmanager
def open_metrics(folder: Path, update: int) -> Iterator[MetricsLog]:
    """Continue the metrics of a run after `update` updates; later ones will be done again and are dropped."""
    file = folder / METRICS_FILE
    text = read_text(file, MOST_METRICS_BYTES) if os.path.lexists(file) else ""
    lines = takewhile(lambda line: _update_of(line) <= update, text.splitlines(keepends=True))
    write_atomically(file, "".join(lines))
    events = _event_writer(folder / EVENTS_FOLDER, update)
    try:
        yield MetricsLog(file, events)
    finally:
        if events is not None:
            events.close()


def _update_of(line: str) -> float:
    """The update that a line tells of; infinite if its end is missing."""
    found = re.match(r'{"update": (\d+),.*\n', line)
    return int(found[1]) if found else math.inf


def _event_writer(folder: Path, update: int) -> Any:
    if not tensorboard_installed():
        return None
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=update + 1)
