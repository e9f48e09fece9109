"""What the trials of a study amount to: shares, times, and what each setting does."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.studies.progress import Standing, Standings
from analysis.studies.statistics import quantile, survival, wilson
from analysis.studies.trial import Result

MOST_VALUES = 6
"""Values of a setting that are told apart; of one with more, as a range that was drawn from, thirds are."""


@dataclass(frozen=True)
class Summary:
    """Trials that belong together.

    Attributes:
        results: What came out of those that are finished.
        seeds: Their seeds.
    """

    results: tuple[Result, ...]
    seeds: tuple[int, ...]

    @classmethod
    def of(cls, standings: Iterable[Standing]) -> Summary:
        """That of the finished ones among some trials."""
        pairs = [(found.result, found.trial.config.seed) for found in standings if found.result is not None]
        return cls(tuple(result for result, _ in pairs), tuple(seed for _, seed in pairs))

    @property
    def good(self) -> int:
        """How many succeeded."""
        return sum(result.success for result in self.results)

    @property
    def steps(self) -> list[tuple[float, float]]:
        """Share without success against seconds."""
        return survival([(result.seconds, result.success) for result in self.results])

    @property
    def quartiles(self) -> tuple[float | None, ...]:
        """Seconds by which a quarter, a half, and three quarters have succeeded."""
        return tuple(quantile(self.steps, share) for share in (0.25, 0.5, 0.75))

    @property
    def interval(self) -> tuple[float, float]:
        """Between which shares of success the true one lies, with 95 % confidence."""
        return wilson(self.good, len(self.results)) if self.results else (0.0, 1.0)

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        low, high = self.interval
        names = ("finished", "succeeded", "low", "high", "quartiles")
        return dict(zip(names, (len(self.results), self.good, low, high, self.quartiles), strict=True))

    def share(self) -> tuple[str, str]:
        """Successes of trials, and the share with its interval."""
        low, high = self.interval
        share = self.good / len(self.results)
        return f"{self.good} of {len(self.results)}", f"{share:.0%} ({low:.0%} to {high:.0%})"

    def times(self) -> tuple[str, ...]:
        """The quartiles in words."""
        return tuple("-" if seconds is None else f"{seconds:.0f}" for seconds in self.quartiles)


def by_task(standings: Standings) -> dict[str, list[Standing]]:
    """The trials of each task."""
    found: dict[str, list[Standing]] = defaultdict(list)
    for standing in standings.values():
        found[standing.trial.config.task].append(standing)
    return dict(found)


def counts(standings: Standings) -> dict[str, int]:
    """How many trials there are, and how many of them are finished, succeeded, open and given up."""
    every = standings.values()
    return {
        "trials": len(every),
        "finished": sum(found.result is not None for found in every),
        "succeeded": sum(found.result is not None and found.result.success for found in every),
        "open": sum(found.is_open for found in every),
        "given_up": sum(found.is_given_up for found in every),
    }


def effects(standings: Standings) -> Iterator[tuple[str, str, str, Summary]]:
    """What each setting that varies does: task, name, value or range of values, and how its trials went."""
    for task, found in by_task(standings).items():
        for name in dict.fromkeys(name for standing in found for name in standing.trial.settings):
            groups = _grouped(name, found)
            if len(groups) > 1:
                yield from ((task, name, value, Summary.of(group)) for value, group in groups.items())


def _grouped(name: str, found: Sequence[Standing]) -> dict[str, list[Standing]]:
    """Trials by the value of a setting, or by the third of its values in which that lies."""
    values = [_value(standing, name) for standing in found]
    words = [json.dumps(value) for value in values]
    numbers = [value for value in values if type(value) in (int, float)]
    if len(set(words)) > MOST_VALUES and len(numbers) == len(values):
        edges = np.quantile(numbers, [0, 1 / 3, 2 / 3, 1])
        thirds = np.searchsorted(edges[1:-1], numbers, side="left")
        words = [f"{edges[third]:.3g} to {edges[third + 1]:.3g}" for third in thirds]
    groups: dict[str, list[Standing]] = defaultdict(list)
    for word, standing in sorted(zip(words, found, strict=True), key=lambda pair: _order(pair[0])):
        groups[word].append(standing)
    return dict(groups)


def _value(standing: Standing, name: str) -> Any:
    """What a trial has for a setting; of a range without width its only value."""
    value = standing.trial.config.to_json()[name]
    is_point = isinstance(value, list | tuple) and len(value) == 2 and value[0] == value[1]
    return value[0] if is_point else value


def _order(word: str) -> tuple[float, str]:
    try:
        return float(word.split(" ")[0]), word
    except ValueError:
        return float("inf"), word
