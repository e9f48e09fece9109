"""Trained controllers that come with the package, each with the recipe that trained it from nothing.

An entry is a folder: `agent.safetensors`, the controller; `recipe.json`, the hyper-parameters, when to stop,
and what happened when the recipe was followed; and `program.json`, the program that `analysis` read out of
the controller, which is made anew by `nram reproduce --programs`.

Example:
    >>> from agents import zoo
    >>> sorted(zoo.entries())[:3]
    ['access', 'access-feedforward', 'copy']
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from agents.checkpoint import AGENT_FILE, Agent, load_agent
from agents.config import TrainConfig
from agents.generic import generic_settings, islands_of
from agents.run import Budget
from nram_env.checks import (
    anything,
    boolean,
    built,
    choice,
    integer,
    list_of,
    mapping,
    nullable,
    number,
    record,
    text,
)
from nram_env.files import read_json
from nram_env.support import unknown_name, write_atomically

_Found = TypeVar("_Found")

RECIPE_FORMAT = "nram-recipe/1"
RECIPE_FILE = "recipe.json"

CARD_FACTOR = 16
"""How many times a recipe's members a GPU trains: an update of 64 takes it as long as one of 500."""

PLACE = Path(__file__).parent
"""The folder of the entries."""


@dataclass(frozen=True)
class Recipe:
    """How a controller is trained from nothing, and what came out.

    Attributes:
        settings: Hyper-parameters that differ from TrainConfig's defaults.
        budget: When to stop.
        records: By the kind of run, "population" or "independent" (no selection, so that every member is
            one fresh start): date, minutes, updates, members, solved members, best hard and soft errors.
        card: Hyper-parameters that a GPU has instead, besides more members.
    """

    settings: Mapping[str, Any]
    budget: Budget
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config(self) -> TrainConfig:
        """All hyper-parameters, on a processor."""
        return _complete(self.settings)

    def on(self, device: str) -> TrainConfig:
        """All hyper-parameters on a device, in torch's words; see `on_device`.

        Example:
            >>> [find_recipe("merge").on(device).max_level for device in ("cpu", "cuda")]
            [5, 8]
        """
        there = {} if device == "cpu" else self.card
        return on_device(_complete({**self.settings, **there}), device)

    def with_record(self, kind: str, record: Mapping[str, Any]) -> Recipe:
        """The same recipe with one record added or replaced."""
        return replace(self, records={**self.records, kind: record})


@dataclass(frozen=True)
class ZooEntry:
    """A shipped controller; nothing is read before it is asked for.

    Attributes:
        name: As in "copy" or "copy-feedforward".
        place: Its folder.
    """

    name: str
    place: Path

    @property
    def agent(self) -> Agent:
        """The controller."""
        return load_agent(self.place)

    @property
    def recipe(self) -> Recipe:
        """How it was trained.

        Raises:
            FileError: The recipe is missing, damaged or of another version.
        """
        return load_recipe(self.place / RECIPE_FILE)

    @property
    def size(self) -> int:
        """Bytes of the controller's file."""
        return (self.place / AGENT_FILE).stat().st_size


def entries() -> dict[str, ZooEntry]:
    """All shipped controllers by name."""
    places = sorted(path.parent for path in PLACE.glob(f"*/{AGENT_FILE}"))
    return {place.name: ZooEntry(place.name, place) for place in places}


def find_entry(name: str) -> ZooEntry:
    """The entry of a name.

    Raises:
        ValueError: There is none; the message lists those that there are.
    """
    return _named("zoo entry", name, entries())


def recipes() -> dict[str, Recipe]:
    """All recipes by name, those that have not yielded a controller included."""
    return {path.parent.name: load_recipe(path) for path in sorted(PLACE.glob(f"*/{RECIPE_FILE}"))}


def find_recipe(name: str) -> Recipe:
    """The recipe of a name.

    Raises:
        ValueError: There is none; the message lists those that there are.
    """
    return _named("recipe", name, recipes())


def recipe_of(task: str, controller: str | None = None) -> str | None:
    """Name of the recipe of a task, and of a kind of controller if one is asked for; None if there is none.

    Where a task has recipes for both kinds, the usual one has the task's own name.

    Example:
        >>> recipe_of("copy"), recipe_of("copy", "feedforward"), recipe_of("merge", "lstm")
        ('copy', 'copy-feedforward', None)
    """
    fitting = [
        name
        for name, recipe in recipes().items()
        if recipe.config.task == task and controller in (None, recipe.config.controller)
    ]
    return min(fitting, key=lambda name: (name != task, name), default=None)


def on_device(config: TrainConfig, device: str) -> TrainConfig:
    """The settings with as many members as suit a device, in torch's words: many times as many on a GPU.

    Example:
        >>> on_device(TrainConfig(population=64), "cuda").population
        1024
    """
    return config if device == "cpu" else replace(config, population=CARD_FACTOR * config.population)


def usual_config(task: str, controller: str | None = None, device: str = "cpu") -> TrainConfig:
    """The settings with which a task is trained if nothing else is said: its recipe's, or the generic ones.

    Args:
        task: Name of a task.
        controller: Kind of controller; default: the recipe's, or else a portfolio of several. Where there is
            no recipe, a kind that is asked for gets the first island of that kind, alone.
        device: What computes; see `on_device`.

    Raises:
        ValueError: There is no such task or controller.

    Example:
        >>> usual_config("merge").controller, usual_config("merge", "lstm").controller
        ('feedforward', 'lstm')
        >>> usual_config("x-max").portfolio, usual_config("x-max", "lstm").portfolio
        (True, False)
    """
    name = recipe_of(task, controller)
    if name is None:
        return on_device(_generic_config(task, controller), device)
    return find_recipe(name).on(device)


def _complete(settings: Mapping[str, Any]) -> TrainConfig:
    return TrainConfig.from_json({**TrainConfig().to_json(), **settings})


def _generic_config(task: str, controller: str | None) -> TrainConfig:
    config = _complete({"task": task, **generic_settings(task)})
    if controller is None:
        return config
    islands: dict[str, TrainConfig]
    islands = {island.controller: island for island in reversed(islands_of(config))}
    return _named("controller", controller, islands)


def where(record: Mapping[str, Any]) -> str:
    """On which GPU a training was, to be put behind its minutes; nothing of one on a processor.

    Example:
        >>> where({"device": "NVIDIA H200"}), where({})
        (' on one NVIDIA H200', '')
    """
    return f" on one {record['device']}" if "device" in record else ""


def _named(kind: str, name: str, known: Mapping[str, _Found]) -> _Found:
    if name not in known:
        raise unknown_name(kind, name, known)
    return known[name]


def load_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        FileError: The file is missing, damaged or of another version; the message names file and field.
    """
    return read_json(path, _RECIPE)


_COUNT = integer(0, 2**62)
_ERRORS = mapping(number(0, 1))
RECORD = record(
    {
        "date": text(),
        "seed": _COUNT,
        "minutes": number(0),
        "updates": _COUNT,
        "reason": text(),
        "members": _COUNT,
        "solved": _COUNT,
        "errors": record({"soft": _ERRORS, "hard": _ERRORS}),
        "exact": boolean(),
    },
    optional={"device": text(), "program_sizes": list_of(_COUNT)},
)
"""Check of what is noted of one training by a recipe."""

_LIMIT = nullable(integer(1, 2**62))
_BUDGET = record({"updates": _LIMIT, "minutes": nullable(number(0)), "solved": _LIMIT})


def _recipe(values: dict[str, Any]) -> Recipe:
    recipe = Recipe(values["settings"], values["budget"], values["records"], values.get("card", {}))
    for device in ("cpu", "cuda"):
        recipe.on(device)  # checks the settings
    return recipe


_RECIPE = built(
    record(
        {
            "format": choice(RECIPE_FORMAT),
            "settings": mapping(anything()),
            "budget": built(_BUDGET, lambda limits: Budget(**limits)),
            "records": mapping(RECORD),
        },
        optional={"card": mapping(anything())},
    ),
    _recipe,
)


def save_recipe(path: Path, recipe: Recipe) -> None:
    """Write a recipe as JSON, atomically."""
    values = {
        "format": RECIPE_FORMAT,
        "settings": dict(recipe.settings),
        **({"card": dict(recipe.card)} if recipe.card else {}),
        "budget": vars(recipe.budget),
        "records": {kind: dict(record) for kind, record in recipe.records.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(values, indent=2) + "\n")
