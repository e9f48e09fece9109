"""A study as it is written down: tasks x seeds x settings, and what a trial may take and has to reach."""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from agents.bounds import RANGES
from agents.config import TrainConfig
from analysis.studies.trial import SUCCESSES, Goal, Trial
from nram_env.checks import (
    Check,
    anything,
    built,
    choice,
    integer,
    list_of,
    mapping,
    number,
    record,
    shown,
    text,
    tuple_of,
)
from nram_env.files import parse_json, read_text, reading

MOST_TRIALS = 100_000
"""Trials of a study."""

_SEED = integer(0, 2**63 - 1)
_SEEDS = record({"first": _SEED, "count": integer(1, MOST_TRIALS)}, optional={"step": integer(1)})


@dataclass(frozen=True)
class Study:
    """Trials of every task with every seed and all settings.

    Attributes:
        tasks: Names of tasks.
        seeds: Seeds.
        goal: What each trial has to reach, and what it may take.
        settings: Fields of `TrainConfig` that all trials share; whatever is not set is as in `nram train`.
        grid: Fields with all their values, each of which is tried with each of the others.
        ranges: Fields with the ends of a range, from which `draws` values are drawn log-uniformly; where
            members draw for themselves from a range, as a learning rate, all get the value.
        draws: How often all ranges are drawn from; the first draws stay as they are if it grows.

    Raises:
        ValueError: There are no trials or too many, or a field is set twice, or cannot be drawn.

    Example:
        >>> study = Study(("copy", "access"), (0, 1), grid={"sharpening": (0.0, 0.1)})
        >>> [trial.key.rpartition("-")[0] for trial in study.trials()][:3]
        ['copy-0', 'access-0', 'copy-0']
    """

    tasks: tuple[str, ...]
    seeds: tuple[int, ...] = (0,)
    goal: Goal = field(default_factory=Goal)
    settings: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    draws: int = 1

    def __post_init__(self) -> None:
        if not self.tasks or not self.seeds:
            raise ValueError("a study needs at least one task and one seed")
        names = [*self.settings, *self.grid, *self.ranges, "task", "seed"]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"set twice, or as what the study itself sets: {', '.join(sorted(twice))}")
        for name, (low, high) in self.ranges.items():
            if not 0 < low <= high:
                raise ValueError(f"range of {name} must be LOW HIGH with 0 < LOW <= HIGH, got {low} {high}")
        if (count := self._count()) > MOST_TRIALS:
            raise ValueError(f"a study has at most {MOST_TRIALS:,} trials, this one {count:,}")

    def _count(self) -> int:
        count = len(self.tasks) * len(self.seeds) * (self.draws if self.ranges else 1)
        for values in self.grid.values():
            count *= len(values)
        return count

    def trials(self) -> Iterator[Trial]:
        """All trials: the first seed of every task and setting before the second of any.

        Raises:
            ValueError: A task or a setting is unknown, or a value is out of its range.
        """
        variants = list(self._variants())
        for seed, variant, task in itertools.product(self.seeds, variants, self.tasks):
            yield Trial.make(task, seed, self.goal, {**self.settings, **variant})

    def _variants(self) -> Iterator[dict[str, Any]]:
        for values in itertools.product(*self.grid.values()):
            for draw in range(self.draws if self.ranges else 1):
                yield {**dict(zip(self.grid, values, strict=True)), **self._drawn(draw)}

    def _drawn(self, draw: int) -> dict[str, Any]:
        chance = np.random.default_rng(draw)
        return {name: _drawn(chance, name, *self.ranges[name]) for name in sorted(self.ranges)}


def _drawn(chance: np.random.Generator, name: str, low: float, high: float) -> Any:
    """A value of a field, log-uniform in a range, of three digits."""
    drawn = np.exp(chance.uniform(np.log(low), np.log(high)))
    value = min(high, max(low, float(f"{drawn:.3g}")))
    usual = getattr(TrainConfig(), name, None)
    if name in RANGES:
        return [value, value]
    if type(usual) is int:
        return round(value)
    if type(usual) is float:
        return value
    raise ValueError(f"{name} cannot be drawn from a range: it is no number of the settings")


def _seeds(value: Any, where: str) -> tuple[int, ...]:
    """Seeds as a list, or as the first, how many, and how far apart."""
    if type(value) is not dict:
        return list_of(_SEED, MOST_TRIALS, least=1)(value, where)
    given = _SEEDS(value, where)
    step = given.get("step", 1)
    return tuple(given["first"] + step * index for index in range(given["count"]))


_LIMITS: dict[str, Check] = {"success": choice(*SUCCESSES), "minutes": number(0), "updates": integer(0)}


def _study(values: dict[str, Any]) -> Study:
    goal = Goal(**{name: values.pop(name) for name in _LIMITS if name in values})
    return Study(goal=goal, **values)


STUDY = built(
    record(
        {"tasks": list_of(text(), least=1)},
        optional={
            "seeds": _seeds,
            **_LIMITS,
            "settings": mapping(anything()),
            "grid": mapping(list_of(anything(), least=1)),
            "ranges": mapping(tuple_of(number(), number())),
            "draws": integer(1, MOST_TRIALS),
        },
    ),
    _study,
)
"""Check of a study as JSON has it, or TOML; returns the study."""


def read_study(path: Path) -> dict[str, Any]:
    """What a study file holds, TOML or, by its name, JSON; not checked yet.

    Raises:
        FileError: There is no such file, or it is neither.
    """
    content = read_text(path)
    with reading(path):
        values = parse_json(content) if path.suffix == ".json" else parse_toml(content)
        return mapping(anything())(values, "")


def parse_toml(content: str) -> dict[str, Any]:
    """The values of a TOML text.

    Raises:
        ValueError: It is none, or is nested too deeply.

    Example:
        >>> parse_toml("tasks = ['copy']")
        {'tasks': ['copy']}
    """
    try:
        return tomllib.loads(content)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def parse_setting(word: str) -> tuple[str, Any]:
    """A field and its value from a word of a command line, the value as TOML has it.

    Raises:
        ValueError: It is not NAME=VALUE; the message shows one that is.

    Example:
        >>> parse_setting("sharpening=[0.0, 0.1]"), parse_setting("controller=lstm")
        (('sharpening', [0.0, 0.1]), ('controller', 'lstm'))
    """
    name, sign, value = word.partition("=")
    if not sign or not name.isidentifier():
        raise ValueError(f"{shown(word)} is not NAME=VALUE, as in population=8")
    try:
        return name, parse_toml(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name, value
