"""A run's population as a file: everything that an exact resume needs, checked when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from agents.config import CONFIG, RANGES, TrainConfig
from agents.population import Population
from agents.tensors import TensorRule, open_tensors, save_tensors
from nram_env.checks import boolean, built, choice, integer, list_of, record
from nram_env.files import reading

POPULATION_FORMAT = "nram-population/5"
"""Format and version of a population's file."""

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
    """What a run is saved as.

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


def save_population(path: str | Path, saved: SavedPopulation) -> None:
    """Write a population, atomically."""
    header = {
        "config": saved.config.to_json(),
        **{name: getattr(saved, name) for name in _PROGRESS},
        "examples": saved.examples.bit_generator.state,
    }
    if saved.pause is not None:
        header["pause"] = vars(saved.pause)
    tensors = {**vars(saved.population), "chance": saved.chance.get_state()}
    save_tensors(path, POPULATION_FORMAT, header, tensors)


def load_population(path: str | Path) -> SavedPopulation:
    """Read what `save_population` wrote.

    Raises:
        FileError: The file is missing, foreign, damaged or of another version, or its parts contradict
            each other; the message names the file and the part.
    """
    file = open_tensors(path, POPULATION_FORMAT, _HEADER, MOST_POPULATION_BYTES)
    config = file.header["config"]
    tensors = file.tensors({**_rules(config), "chance": _CHANCE})
    examples, chance = np.random.default_rng(), torch.Generator()
    progress = {name: file.header[name] for name in _PROGRESS}
    with reading(path):
        _check_progress(config, **progress)
        _check_pause(config, file.header.get("pause"))
        examples.bit_generator.state = file.header["examples"]
        _set_state(chance, tensors.pop("chance"))
    return SavedPopulation(
        config=config,
        **progress,
        examples=examples,
        chance=chance,
        population=Population(**tensors),
        pause=file.header.get("pause"),
    )


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
_HEADER = record(
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
        "best_steps": TensorRule(members, low=0),
    }


def _set_state(generator: torch.Generator, state: Tensor) -> None:
    try:
        generator.set_state(state)
    except RuntimeError as error:
        raise ValueError(f"the tensor chance is no state of a generator: {error}") from error
    if not torch.equal(generator.get_state(), state):
        raise ValueError("the tensor chance is no state of a generator: parts of it mean nothing")
