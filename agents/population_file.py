"""A run's population as a file: everything that an exact resume needs, checked when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.bounds import RANGES
from agents.config import CONFIG, TrainConfig
from agents.population import Population
from agents.tensors import TensorRule, open_tensors, save_tensors
from nram_env.checks import boolean, built, choice, integer, list_of, record
from nram_env.files import reading

POPULATION_FORMAT = "nram-population/10"
"""Format and version of a run's population, or populations, in a file."""

MOST_POPULATION_BYTES = 1 << 33


@dataclass(frozen=True)
class Pause:
    """What must be known of a run on a device that was stopped between two looks at its members.

    Attributes:
        highest: Their highest level when the host last looked.
        broken: Places of members that have broken since. Others are there already, so that the run may go on
            anywhere; on a device, the next look puts those there that it would have put without a stop.
    """

    highest: int
    broken: tuple[int, ...]


@dataclass(frozen=True)
class SavedPopulation:
    """What a population is saved as.

    Attributes:
        config: Its hyper-parameters.
        update: Updates done.
        attempt: Number of the population, from 1.
        began: Updates that were done when it was started.
        has_risen: Whether a member of it has ever left the first level.
        examples: Chance of the examples.
        chance: All other chance.
        population: The members.
        pause: Where a device has stopped between two looks.
    """

    config: TrainConfig
    update: int
    attempt: int
    began: int
    has_risen: bool
    examples: np.random.Generator
    chance: torch.Generator
    population: Population
    pause: Pause | None = None


@dataclass(frozen=True)
class SavedRun:
    """All that a run is saved as: a population, or several that share the time.

    Attributes:
        config: The hyper-parameters that were asked for.
        islands: The populations, each with hyper-parameters of its own; one at least.
    """

    config: TrainConfig
    islands: tuple[SavedPopulation, ...]

    @property
    def update(self) -> int:
        """Updates done, of all populations."""
        return sum(island.update for island in self.islands)


def save_run(path: str | Path, saved: SavedRun) -> None:
    """Write a run, atomically."""
    header = {
        "config": saved.config.to_json(),
        "islands": [_island_header(island) for island in saved.islands],
    }
    tensors = {
        f"{place}.{name}": tensor
        for place, island in enumerate(saved.islands)
        for name, tensor in {**vars(island.population), "chance": island.chance.get_state()}.items()
    }
    save_tensors(path, POPULATION_FORMAT, header, tensors)


def _island_header(saved: SavedPopulation) -> dict[str, Any]:
    header = {
        "config": saved.config.to_json(),
        **{name: getattr(saved, name) for name in _PROGRESS},
        "examples": saved.examples.bit_generator.state,
    }
    return header if saved.pause is None else {**header, "pause": vars(saved.pause)}


def load_run(path: str | Path) -> SavedRun:
    """Read what `save_run` wrote.

    Raises:
        FileError: The file is missing, foreign, damaged or of another version, or its parts contradict
            each other; the message names the file and the part.
    """
    file = open_tensors(path, POPULATION_FORMAT, _HEADER, MOST_POPULATION_BYTES)
    headers = file.header["islands"]
    rules = {
        f"{place}.{name}": rule
        for place, header in enumerate(headers)
        for name, rule in {**_rules(header["config"]), "chance": _CHANCE}.items()
    }
    tensors = file.tensors(rules)
    with reading(path):
        islands = tuple(_island(header, _tensors_of(place, tensors)) for place, header in enumerate(headers))
        _check_islands(file.header["config"], islands)
    return SavedRun(file.header["config"], islands)


def _tensors_of(place: int, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.partition(".")[2]: tensor for name, tensor in tensors.items() if name.startswith(f"{place}.")
    }


def _island(header: dict[str, Any], tensors: dict[str, Tensor]) -> SavedPopulation:
    examples, chance = np.random.default_rng(), torch.Generator()
    progress = {name: header[name] for name in _PROGRESS}
    _check_progress(header["config"], **progress)
    _check_pause(header["config"], header.get("pause"))
    examples.bit_generator.state = header["examples"]
    _set_state(chance, tensors.pop("chance"))
    return SavedPopulation(
        config=header["config"],
        **progress,
        examples=examples,
        chance=chance,
        population=Population(**tensors),
        pause=header.get("pause"),
    )


def _check_islands(config: TrainConfig, islands: tuple[SavedPopulation, ...]) -> None:
    if len(islands) > 1 and not config.portfolio:
        raise ValueError(f"islands has {len(islands)} entries; config has no portfolio")
    if strange := [island.config.task for island in islands if island.config.task != config.task]:
        raise ValueError(f"islands names task {strange[0]}; that of config is {config.task}")


def _check_progress(config: TrainConfig, update: int, attempt: int, began: int, has_risen: bool) -> None:
    if attempt > config.attempts:
        raise ValueError(f"attempt is {attempt}; must be at most config.attempts, {config.attempts}")
    if began > update or (attempt == 1 and began > 0):
        raise ValueError(f"began is {began}; attempt {attempt} cannot have begun then, at update {update}")


def _check_pause(config: TrainConfig, pause: Pause | None) -> None:
    if pause is None:
        return
    if not config.lowest_level <= pause.highest <= config.top_level:
        levels = f"{config.lowest_level}..{config.top_level}"
        raise ValueError(f"pause.highest is {pause.highest}; the levels of config are {levels}")
    if max(pause.broken, default=0) >= config.population:
        raise ValueError(f"pause.broken names member {max(pause.broken)} of {config.population}")


_COUNT = integer(0, 2**62)
_PROGRESS = {"update": _COUNT, "attempt": integer(1, 2**62), "began": _COUNT, "has_risen": boolean()}
_WIDE = integer(0, 2**128 - 1)
_PAUSE = built(
    record({"highest": _COUNT, "broken": list_of(_COUNT)}),
    lambda values: Pause(values["highest"], tuple(values["broken"])),
)
_ISLAND = record(
    {
        "config": CONFIG,
        **_PROGRESS,
        "examples": record(
            {
                "bit_generator": choice("PCG64"),
                "state": record({"state": _WIDE, "inc": _WIDE}),
                "has_uint32": integer(0, 1),
                "uinteger": integer(0, 2**32 - 1),
            }
        ),
    },
    optional={"pause": _PAUSE},
)
MOST_ISLANDS = 64
_HEADER = record({"config": CONFIG, "islands": list_of(_ISLAND, MOST_ISLANDS, least=1)})
_CHANCE = TensorRule(tuple(torch.Generator().get_state().shape), ("uint8",), 0, 255)
_TINY = torch.finfo(torch.float32).tiny


def _rules(config: TrainConfig) -> dict[str, TensorRule]:
    """What the tensors of a population must be that was trained as `config` says, by name."""
    members, stack = (config.population,), (config.population, config.spec.num_parameters)
    count = TensorRule(members, ("int64",), 0, 2**62)
    share, positive = TensorRule(members, low=0, high=1), TensorRule(members, low=_TINY)
    return {
        **dict.fromkeys(("parameters", "momentum", "best_parameters"), TensorRule(stack)),
        "variance": TensorRule(stack, low=0),
        **dict.fromkeys(("age", "tenure", "level_age", "family", "restarts"), count),
        "level": TensorRule(members, ("int64",), config.lowest_level, config.top_level),
        **dict.fromkeys(("error", "easy_share"), share),
        "loss": TensorRule(members),
        **dict.fromkeys(RANGES, positive),
        "best_error": TensorRule((config.population, 2), low=0, high=1),
        **dict.fromkeys(("best_steps", "hard_loss"), TensorRule(members, low=0)),
    }


def _set_state(generator: torch.Generator, state: Tensor) -> None:
    try:
        generator.set_state(state)
    except RuntimeError as error:
        raise ValueError(f"the tensor chance is no state of a generator: {error}") from error
    if not torch.equal(generator.get_state(), state):
        raise ValueError("the tensor chance is no state of a generator: parts of it mean nothing")
