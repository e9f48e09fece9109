"""What does trials: the small interface between the driver of a study and its workers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

LONGEST_ERROR = 500
"""Characters of an error in the table."""


def plain(text: str) -> str:
    """A text on one line and of bounded length, with escapes for what would steer a terminal."""
    line = " ".join(text.split())[:LONGEST_ERROR]
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line)


def error_text(error: Exception) -> str:
    """An error as the table has it.

    Example:
        >>> error_text(ValueError("two\\nlines"))
        'ValueError: two lines'
    """
    return plain(f"{type(error).__name__}: {error}")


@dataclass(frozen=True)
class Job:
    """A trial for a worker, in plain values: the arguments of `analysis.studies.work.work`.

    Attributes:
        key: The trial's key.
        study: Absolute path of the study's folder.
        content: The trial as JSON values.
        imports: Files and modules that register tasks.
    """

    key: str
    study: str
    content: dict[str, Any]
    imports: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ended:
    """A job that a worker has no more.

    Attributes:
        key: The trial's key.
        kind: "finished", "failed", "lost", "stopped" or "storage".
        details: The result, or the error.
    """

    key: str
    kind: str
    details: dict[str, Any]

    @classmethod
    def said(cls, key: str, answer: dict[str, Any]) -> Ended:
        """What a worker said of its job."""
        return cls(key, answer["kind"], {name: answer[name] for name in answer if name != "kind"})


class Scheduler(Protocol):
    """Workers on this computer or on many."""

    @property
    def capacity(self) -> int:
        """How many jobs are done at once."""

    def begin(self, job: Job) -> None:
        """Hand a job to a worker; the driver asks for no more than `capacity` at once."""

    def wait(self, seconds: float) -> list[Ended]:
        """The jobs that have ended since the last call, after so many seconds at most if there are none."""

    def stop(self) -> None:
        """Ask all workers to save and to end their jobs, which `wait` still reports."""

    def close(self) -> None:
        """End all workers at once."""
