"""How the trials of a study stand, from the events of its table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agents.metrics import last_update
from analysis.studies.table import Event, trial_folder
from analysis.studies.trial import RESULT, TRIAL, Result, Trial
from nram_env.files import FileError

MOST_FAILURES = 3
"""Errors after which a trial is given up."""

MOST_LOSSES = 10
"""Workers that a trial may lose without moving on, before it is given up: it may be what ends them."""


@dataclass(frozen=True)
class Standing:
    """How a trial stands.

    Attributes:
        trial: The trial.
        result: What came out, once it is finished.
        is_begun: Whether a worker has it, or had it when the driver was killed.
        failures: How often it raised an error.
        losses: How many workers it has lost since it last moved on.
        update: Updates that it had done when it lost a worker.
        error: What it raised last, or how it lost its worker.
    """

    trial: Trial
    result: Result | None = None
    is_begun: bool = False
    failures: int = 0
    losses: int = 0
    update: int = 0
    error: str = ""

    @property
    def is_given_up(self) -> bool:
        """Whether it has failed for good."""
        return self.result is None and (self.failures >= MOST_FAILURES or self.losses >= MOST_LOSSES)

    @property
    def is_open(self) -> bool:
        """Whether it still has to be done."""
        return self.result is None and not self.is_given_up

    def after(self, event: Event) -> Standing:
        """How it stands after an event."""
        details, error = event.details, event.details.get("error", "")
        match event.kind:
            case "begun":
                return replace(self, is_begun=True)
            case "finished" | "taken":
                return replace(self, is_begun=False, result=RESULT(details["result"], "result"))
            case "failed":
                return replace(self, is_begun=False, failures=self.failures + 1, error=error)
            case "lost":
                update = details.get("update", 0)
                losses = 1 if update > self.update else self.losses + 1
                return replace(self, is_begun=False, losses=losses, update=update, error=error)
        return replace(self, is_begun=False)


def last_seen(study: Path, key: str) -> dict[str, Any] | None:
    """The last update of a trial, as its metrics have it; None if there is none, or it cannot be read now."""
    try:
        return last_update(trial_folder(study, key))
    except (OSError, FileError):  # a storage of many computers shows what is being written late, or in parts
        return None


Standings = dict[str, Standing]
"""By the trials' keys, in the order in which they joined the study."""


def standings(events: Iterable[Event]) -> Standings:
    """How all trials stand.

    Raises:
        ValueError: An event is none of this version's.
    """
    found: Standings = {}
    for event in events:
        if event.kind == "planned":
            found.setdefault(event.trial, Standing(TRIAL(event.details["trial"], "trial")))
        else:
            found[event.trial] = found[event.trial].after(event)
    return found
