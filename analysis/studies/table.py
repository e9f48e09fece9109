"""The record of a study: one append-only table of what happened to its trials, which outlasts any crash.

It is a SQLite database in WAL mode. An event is there, flushed to the disk, when `add` returns, or it is not
there at all, whatever is killed when; others may read while the driver writes; the standard library reads
it, and no row is ever changed or deleted, which the database itself refuses. The price: all who open it must
be on one computer, since WAL needs memory that they share. So the driver alone writes; workers hand their
results to it, and never open it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nram_env.checks import FieldError, anything, choice, mapping
from nram_env.files import parse_json

TABLE_FILE = "study.sqlite"

KINDS = ("planned", "begun", "finished", "failed", "lost", "stopped", "taken")
"""What can happen to a trial: it joined the study; was handed to a worker; came to its end; raised an error;
lost its worker; was asked to stop, and saved; or its result was taken over from elsewhere."""

_MARK = 0x6E72616D  # "nram"
_VERSION = 1
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS event (
  number INTEGER PRIMARY KEY,
  time TEXT NOT NULL,
  trial TEXT NOT NULL,
  kind TEXT NOT NULL,
  details TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS no_change BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
CREATE TRIGGER IF NOT EXISTS no_loss BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
PRAGMA application_id = {_MARK};
PRAGMA user_version = {_VERSION};
COMMIT;
"""

_KIND, _DETAILS = choice(*KINDS), mapping(anything())


def trial_folder(study: Path, key: str) -> Path:
    """The run folder of a trial."""
    return study / "trials" / key


class StudyError(ValueError):
    """A study that cannot be used as asked; the message says what to do."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a trial.

    Attributes:
        trial: The trial's key.
        kind: One of KINDS.
        details: JSON values: of a planned trial the trial, of a finished or taken one the result, of a failed
            or lost one the error.
        time: When, in UTC.
    """

    trial: str
    kind: str
    details: dict[str, Any] = field(default_factory=dict)
    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))


class Table:
    """The events of a study in a file.

    Args:
        folder: Folder of the study; made where it is missing.
        new: Whether the table may be made; otherwise it has to be there.

    Raises:
        StudyError: There is no table, or the file is none, or is damaged.
        OSError: The disk is full or cannot be written.
    """

    def __init__(self, folder: Path, new: bool = False) -> None:
        self._file = folder / TABLE_FILE
        if not new and not self._file.is_file():
            raise StudyError(f"{folder} holds no study: there is no {TABLE_FILE} in it")
        folder.mkdir(parents=True, exist_ok=True)
        with self._errors():
            self._link = sqlite3.connect(self._file, timeout=30.0, isolation_level=None)
            self._open()

    def _open(self) -> None:
        mark, version = self._pragma("application_id"), self._pragma("user_version")
        is_empty = not self._link.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if not is_empty and (mark, version) != (_MARK, _VERSION):
            raise StudyError(f"{self._file} is no table of a study, or one of another version")
        self._link.execute("PRAGMA journal_mode = WAL")
        self._link.execute("PRAGMA synchronous = FULL")
        if is_empty:
            self._link.executescript(_SCHEMA)
        if (found := self._pragma("quick_check")) != "ok":
            raise StudyError(f"{self._file} is damaged: {found}")

    def _pragma(self, name: str) -> Any:
        return self._link.execute(f"PRAGMA {name}").fetchone()[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._link.close()

    def add(self, events: Iterable[Event]) -> None:
        """Write down events, all or none; they are on the disk when this returns.

        Raises:
            OSError: The disk is full or cannot be written.
        """
        rows = [(e.time, e.trial, e.kind, json.dumps(e.details, allow_nan=False)) for e in events]
        if rows:
            with self._errors(), self._transaction():
                self._link.executemany(
                    "INSERT INTO event (time, trial, kind, details) VALUES (?, ?, ?, ?)", rows
                )

    def events(self) -> list[Event]:
        """All events, in the order in which they were written.

        Raises:
            StudyError: The table is damaged.
        """
        with self._errors():
            rows = self._link.execute(
                "SELECT trial, kind, details, time FROM event ORDER BY number"
            ).fetchall()
        return [self._event(*row) for row in rows]

    def _event(self, trial: str, kind: str, details: str, time: str) -> Event:
        try:
            return Event(trial, _KIND(kind, "kind"), _DETAILS(parse_json(details), "details"), time)
        except FieldError as error:
            raise StudyError(f"{self._file} is damaged: event of {trial}: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._link.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._link.in_transaction:  # a full disk has rolled it back already
                self._link.execute("ROLLBACK")
            raise
        self._link.execute("COMMIT")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn what SQLite says into an error that names the file."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise OSError(f"cannot use {self._file}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise StudyError(f"{self._file} is damaged, or no table of a study: {error}") from error
