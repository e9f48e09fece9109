"""Malformed arguments of `gym.make`, `gym.make_vec` and the wrappers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import torch

import nram_env
from malformed.calls import Call, family, refused
from malformed.junk import JUNK, junk, number, one_of, pick, whole
from nram_env.checks import shown
from nram_env.envs import ChoiceActions, NamedActions, NRAMEnv

gym.register_envs(nram_env)

IDS = ["NRAM/Copy-v0", "NRAM/Merge-v0", "NRAM/WalkBST-v0"]
Accepted = Callable[[Any], bool]


def _or_none(accepted: Accepted) -> Accepted:
    return lambda value: value is None or accepted(value)


SHARED: dict[str, Accepted] = {
    "num_registers": _or_none(whole(1, 63)),
    "gates": _or_none(lambda value: False),
    "memory_size": _or_none(whole(1, 10**6)),
    "horizon": _or_none(whole(1)),
    "difficulty": _or_none(whole(1)),
    "loss": one_of("expected", "mixture"),
    "observation": one_of("controller", "full"),
    "hard": lambda value: isinstance(value, bool),
    "backend": one_of("auto", "reference", "fused", "compiled", "cuda"),
    "logit_scale": number(1.2e-38, 1e30),
    "log_floor": number(1.2e-38, 1.0),
    "activation_clip": _or_none(number(1.2e-38, 3.4e38)),
    "task": lambda value: False,
}
SINGLE = SHARED | {"render_mode": _or_none(one_of("human", "ansi", "rgb_array"))}
VECTOR = SHARED | {
    "num_envs": whole(1),
    "differentiable": lambda value: isinstance(value, bool),
    "device": lambda value: isinstance(value, torch.device),
    "dtype": one_of("float32", "float64"),
    "autoreset_mode": _or_none(one_of("next_step", "same_step", "disabled")),
    "render_mode": _or_none(one_of("human", "ansi", "rgb_array", "rgb_array_grid")),
}
GATES = [["READ", "WRTE"], [], ["READ", None], ["READ", 3], [[["READ"]]], "READ", {}.values, [np.nan]]


def _bad(rng: np.random.Generator, table: dict[str, Accepted]) -> dict[str, Any]:
    """Keyword arguments with one that is wrong in name or value."""
    name = pick(rng, list(table))
    kind = rng.random()
    if kind < 0.15:
        misspelt = pick(rng, [name + "s", name.upper(), name[1:], "frameskip", "env", "M", "é" + name])
        return {misspelt: pick(rng, JUNK)}
    if name == "gates" and kind < 0.6:
        return {name: pick(rng, GATES)}
    return {name: junk(rng, table[name])}


def _make(id_: str, **keywords: Any) -> gym.Env:
    """`gym.make`, but a render mode goes past Gymnasium, which takes it for a string without a look."""
    if "render_mode" in keywords:
        return NRAMEnv(gym.spec(id_).kwargs["task"], **keywords)
    return gym.make(id_, **keywords)


def _made(function: Callable[..., Any], rng: np.random.Generator, table: dict[str, Accepted]) -> Call:
    id_, keywords = pick(rng, IDS), _bad(rng, table)
    given = ", ".join(f"{name}={shown(value)}" for name, value in keywords.items())
    return refused(f"{function.__name__}({id_!r}, {given})", lambda: function(id_, **keywords))


@family("gym.make")
def make(rng: np.random.Generator) -> Call:
    if rng.random() < 0.1:
        name = pick(rng, ["num_envs", "differentiable", "autoreset_mode", "device", "dtype"])
        return refused(f"make({name}=1)", lambda: gym.make(IDS[0], **{name: 1}))
    return _made(_make, rng, SINGLE)


@family("gym.make_vec")
def make_vec(rng: np.random.Generator) -> Call:
    if rng.random() < 0.1:
        mode = pick(rng, ["next_step", "same_step"])
        keywords = {"differentiable": True, "autoreset_mode": mode}
        return refused(f"make_vec({keywords})", lambda: gym.make_vec(IDS[0], num_envs=2, **keywords))
    return _made(gym.make_vec, rng, VECTOR)


@family("wrappers' arguments")
def wrap(rng: np.random.Generator) -> Call:
    wrapper = pick(rng, [NamedActions, ChoiceActions])
    inside = pick(rng, [*JUNK, gym.make("CartPole-v1"), gym.make_vec("NRAM/Copy-v0", num_envs=2)])
    return refused(f"{wrapper.__name__}({shown(inside)})", lambda: wrapper(inside))
