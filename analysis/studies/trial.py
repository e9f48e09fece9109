"""A trial: what one training run of a study is to do, and what came out of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from agents.config import CONFIG, TrainConfig
from agents.run import Budget, usual_budget
from agents.zoo import usual_config
from nram_env.checks import anything, boolean, built, choice, integer, mapping, nullable, number, record, text
from nram_env.files import read_json_lines
from nram_env.support import unknown_name

SUCCESSES = ("solved", "halting", "checked", "proved")
"""What a trial may have to reach: a solved member; one that stops by itself; one whose program passes every
check, as `nram train` asks; one whose program is proved right besides."""


@dataclass(frozen=True)
class Goal:
    """What a trial has to reach, and what it may take.

    Attributes:
        success: One of SUCCESSES.
        minutes: Limit of the training time, that before an interruption included, or None; where updates
            have none either, that of `nram train`.
        updates: Limit of the updates, or None.

    Raises:
        ValueError: The name is unknown, or a limit is negative or no number.
    """

    success: str = "checked"
    minutes: float | None = None
    updates: int | None = None

    def __post_init__(self) -> None:
        if self.success not in SUCCESSES:
            raise unknown_name("success", self.success, SUCCESSES)
        object.__setattr__(self, "minutes", usual_budget(self.updates, self.minutes).minutes)

    def budget(self, seconds: float) -> Budget:
        """What is left after so many seconds of training."""
        minutes = None if self.minutes is None else max(0.0, self.minutes - seconds / 60)
        return Budget(self.updates, minutes, solved=1)


_usual = cache(usual_config)


@dataclass(frozen=True)
class Trial:
    """One training run of a study.

    Attributes:
        config: All its hyper-parameters, task and seed among them.
        goal: What it has to reach, and what it may take.
        settings: The hyper-parameters that the study sets, a label: the others are those of `nram train`.

    Raises:
        ValueError: A program that stops is wanted of members that do not learn to.
    """

    config: TrainConfig
    goal: Goal
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.goal.success == "halting" and not self.config.halting:
            raise ValueError("success = halting needs members that learn to stop, got halting = false")

    @classmethod
    def make(cls, task: str, seed: int, goal: Goal, settings: Mapping[str, Any]) -> Trial:
        """The trial that trains as `nram train` does but for some settings.

        Raises:
            ValueError: A task or a setting is unknown, or a value is out of its range.
        """
        usual = _usual(task, settings.get("controller")).to_json()
        return cls(TrainConfig.from_json({**usual, **settings, "seed": seed}), goal, dict(settings))

    @cached_property
    def key(self) -> str:
        """Its name: task, seed, and a digest of all that its outcome depends on."""
        content = {**self.to_json(), "settings": None}
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
        return f"{self.config.task}-{self.config.seed}-{digest}"

    @property
    def identity(self) -> str:
        """What its row says of it."""
        return identity(self.config.task, self.config.seed, self.goal, self.settings)

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON values."""
        return {
            "config": json.loads(json.dumps(self.config.to_json())),  # tuples as lists
            "goal": asdict(self.goal),
            "settings": dict(self.settings),
        }


@dataclass(frozen=True)
class Result:
    """What came out of a trial.

    Attributes:
        success: Whether it reached what it had to.
        reason: Why training ended: "solved", "updates" or "minutes".
        updates: Updates done, in all attempts.
        attempts: Populations begun.
        seconds: Seconds of training, the reading and checking of programs included.
        solved: Solved members; where programs were judged, those whose program passed.
        program: Canonical hash of the program, where there is one.
        proof: Verdict on the program, where a proof was wanted.
        island: Which of a portfolio's populations was the best, from 1.
    """

    success: bool
    reason: str
    updates: int
    attempts: int
    seconds: float
    solved: int
    program: str | None = None
    proof: str | None = None
    island: int = 1


_COUNT = integer(0)
_LIMITS = {"minutes": nullable(number(0)), "updates": nullable(_COUNT)}
SETTINGS = mapping(anything())
"""Check of hyper-parameters by name."""

GOAL = built(record({"success": choice(*SUCCESSES), **_LIMITS}), lambda values: Goal(**values))
"""Check of a goal as JSON; returns it."""

TRIAL = built(record({"config": CONFIG, "goal": GOAL, "settings": SETTINGS}), lambda values: Trial(**values))
"""Check of what `Trial.to_json` writes; returns the trial."""

_RESULT = {
    "reason": choice("solved", "updates", "minutes"),
    "updates": _COUNT,
    "attempts": _COUNT,
    "seconds": number(0),
    "solved": _COUNT,
}
_LATER = {
    "success": boolean(),
    "program": nullable(text()),
    "proof": nullable(text()),
    "island": integer(1),
}


def _result(values: dict[str, Any]) -> Result:
    return Result(**{"success": values["solved"] > 0, **values})


RESULT = built(record(_RESULT, optional=_LATER), _result)
"""Check of a result as JSON; returns it."""

Row = tuple[str, Result]
"""The identity of a trial, see `identity`, and what came out of it."""


def identity(task: str, seed: int, goal: Goal, settings: Mapping[str, Any]) -> str:
    """What a trial is called by a row: the same in all versions, whatever recipes and defaults become."""
    return json.dumps([task, seed, asdict(goal), dict(settings)], sort_keys=True)


def named(identity: str) -> tuple[str, int, Mapping[str, Any]]:
    """Task, seed and settings of an identity."""
    task, seed, _, settings = json.loads(identity)
    return task, seed, settings


def row_of(trial: Trial, result: Result) -> dict[str, Any]:
    """A finished trial as a line of JSON, for a repository to keep and for another study to take over."""
    return {
        "task": trial.config.task,
        "seed": trial.config.seed,
        "settings": dict(trial.settings),
        "wanted": trial.goal.success,
        "minutes": trial.goal.minutes,
        "most_updates": trial.goal.updates,
        **asdict(result),
    }


def _row(values: dict[str, Any]) -> Row:
    kept = {name: values[name] for name in values if name in (*_RESULT, *_LATER)}
    goal = Goal(values.get("wanted", "checked"), values["minutes"], values.get("most_updates"))
    return identity(values["task"], values["seed"], goal, values.get("settings", {})), _result(kept)


ROW = built(
    record(
        {"task": text(), "seed": _COUNT, "minutes": nullable(number(0)), **_RESULT},
        optional={
            "settings": SETTINGS,
            "wanted": choice(*SUCCESSES),
            "most_updates": nullable(_COUNT),
            **_LATER,
        },
    ),
    _row,
)
"""Check of a row; returns the trial's identity and its result."""

MOST_ROWS_BYTES = 1 << 27


def read_rows(file: Path) -> dict[str, Result]:
    """The results beside the report of a study, by the identity of their trials; of two the last.

    Raises:
        FileError: The file is missing, or a line is no row; the message names the field.
    """
    return dict(read_json_lines(file, ROW, MOST_ROWS_BYTES))
