"""Malformed calls of environments that are running: nothing may have changed afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from functools import cache
from typing import Any

import gymnasium as gym
import numpy as np
import torch

import nram_env
from malformed.calls import Call, family, refused
from malformed.junk import JUNK, junk, nothing, pick, whole
from nram_env.checks import shown
from nram_env.envs import ChoiceActions, NamedActions
from nram_env.tasks import TaskBatch, get_task

gym.register_envs(nram_env)

ROWS = 3
SINGLES: dict[str, Callable[[], gym.Env]] = {
    "single": lambda: gym.make("NRAM/Copy-v0", disable_env_checker=True),
    "full": lambda: gym.make("NRAM/Swap-v0", observation="full", hard=True, disable_env_checker=True),
}
WRAPPED: dict[str, Callable[[], gym.Env]] = {
    "named": lambda: NamedActions(gym.make("NRAM/Access-v0", disable_env_checker=True)),
    "choices": lambda: ChoiceActions(gym.make("NRAM/ListK-v0", disable_env_checker=True)),
}
VECTORS: dict[str, Callable[[], gym.vector.VectorEnv]] = {
    mode: lambda mode=mode: gym.make_vec("NRAM/Merge-v0", num_envs=ROWS, autoreset_mode=mode)
    for mode in ("next_step", "same_step", "disabled")
} | {
    "mixture": lambda: gym.make_vec("NRAM/Copy-v0", num_envs=ROWS, loss="mixture", observation="full"),
    "differentiable": lambda: gym.make_vec("NRAM/Reverse-v0", num_envs=ROWS, differentiable=True),
    "float64": lambda: gym.make_vec(
        "NRAM/Copy-v0", num_envs=ROWS, differentiable=True, dtype="float64", logit_scale=1e20
    ),
}
MAKERS = SINGLES | WRAPPED | VECTORS


@cache
def subject(name: str) -> Any:
    """An environment in the middle of its episodes."""
    env = MAKERS[name]()
    env.action_space.seed(0)
    env.reset(seed=0)
    env.step(good_action(env))
    return env


def good_action(env: Any) -> Any:
    """An action that ends no episode."""
    if isinstance(env, ChoiceActions):
        return np.zeros(env.action_space.shape, np.int64)
    if isinstance(env, NamedActions):
        return {name: np.full(box.shape, -0.1, np.float32) for name, box in env.action_space.items()}
    action = np.full(env.action_space.shape, -0.1, np.float32)
    if not getattr(env.unwrapped, "differentiable", False):
        return action
    return torch.from_numpy(action).to(env.state.memory.dtype) / env.logit_scale


def kept(env: Any) -> Callable[[], Any]:
    """What must be the same after a refusal."""
    core = env.unwrapped

    def fingerprint() -> Any:
        chance = core.np_random.bit_generator.state
        entropies = [id(part) for part in getattr(core, "_entropies", ())]
        settings = (id(core.settings), core.spec.to_json(), torch.get_default_dtype())
        return id(core.state), id(core.np_random), chance, core.np_random_seed, entropies, settings

    return fingerprint


def asked(name: str, what: str, value: Any, run: Callable[[Any], Any]) -> Call:
    """A call of an environment, and after it one that must go well."""
    env = subject(name)
    call = refused(f"{name}.{what} {shown(value)}", lambda: run(env), kept(env))
    return replace(call, fault=lambda: call.fault() or _works(env))


def _works(env: Any) -> str:
    """Whether the environment goes on; back to where it was, so that all calls meet the same state."""
    core, saved = env.unwrapped, env.unwrapped.state
    rewards = np.asarray(env.step(good_action(env))[1])
    core.set_state(saved)
    return "" if np.isfinite(rewards).all() else f"left an environment whose rewards are {rewards}"


def bent(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """An array action that is wrong in one way."""
    place = tuple(int(rng.integers(size)) for size in array.shape)
    kind = rng.integers(4)
    if kind == 0:
        return pick(rng, [array[..., :-1], array[None], array.ravel()[:0], array.sum(), array.T[:1]])
    if kind == 1:
        return array.astype(pick(rng, ["int64", "bool", "complex64", "float16", "object", "<U32", ">f4"]))
    if kind == 2:
        return pick(rng, [torch.from_numpy(array), torch.from_numpy(array).requires_grad_()])
    array[place] = pick(rng, [np.nan, np.inf, -np.inf, 1.0001, -7.25, 3e38])
    return array


def bent_tensor(rng: np.random.Generator, env: Any) -> torch.Tensor:
    """A tensor action that is wrong in one way."""
    good = good_action(env)
    place = tuple(int(rng.integers(size)) for size in good.shape)
    kind = rng.integers(4)
    if kind == 0:
        return pick(rng, [good[:, :-1], good[0], good[:-1], good[None], good.T])
    if kind == 1:
        wrong = torch.float32 if good.dtype == torch.float64 else torch.float64
        return good.to(pick(rng, [wrong, torch.int64, torch.bool, torch.bfloat16, torch.complex64]))
    if kind == 2:
        return pick(rng, [good.to_sparse(), good.to("meta"), good.numpy(), good.tolist()])
    good[place] = pick(rng, [torch.nan, torch.inf, -torch.inf, 3e38, -2e30 / env.logit_scale])
    return good


def _action(rng: np.random.Generator, name: str) -> Any:
    env = subject(name)
    if rng.random() < 0.3:
        return junk(rng, nothing)
    if name == "named":
        good, entry = good_action(env), pick(rng, list(env.action_space))
        wrong = pick(
            rng, [{entry: junk(rng, nothing)}, {entry + "x": 0}, {entry: bent(rng, good[entry])}, {3: 0}]
        )
        return pick(rng, [good | wrong, good | wrong, wrong])
    if name == "choices":
        good, place = good_action(env), int(rng.integers(env.action_space.shape[0]))
        good[place] = pick(rng, [-1, int(env.action_space.nvec[place]), 2**31, -(2**63)])
        return pick(rng, [good, good[:-1], good[None], good.astype(np.float32), good.astype(bool)])
    if name in ("differentiable", "float64"):
        return bent_tensor(rng, env)
    return bent(rng, good_action(env))


def _batch(rng: np.random.Generator, name: str) -> Any:
    """An instance that is wrong in one way."""
    core = subject(name).unwrapped
    rows = getattr(core, "num_envs", 1)
    other = get_task("permutation").sample(np.random.default_rng(0), 3, 12, rows)
    good = core.task.sample(np.random.default_rng(0), 3, core.task.smallest_memory_size(3) + 1, rows)
    size, field = good.memory_size, pick(rng, ["memory", "target", "mask", "difficulty"])
    array = getattr(good, field)
    off = good.target.copy()
    off[0, int(good.mask[0].argmax())] ^= 1
    return pick(
        rng,
        [
            other,
            replace(other, task=None),
            replace(good, task=pick(rng, ["", "copyy", 3, [], np.zeros(2)])),
            replace(good, **{field: array[:, None] if array.ndim == 1 else array[:, :-1]}),
            replace(good, **{field: array.astype(np.float32)}),
            replace(good, **{field: array.tolist()}),
            replace(good, **{field: junk(rng, nothing)}),
            replace(good, memory=np.where(good.memory == 0, pick(rng, [-1, size, 2**62]), good.memory)),
            replace(good, target=off, task=None),
            good.rows(np.zeros(rows + 1, dtype=int)),
            good.memory,
            TaskBatch,
        ],
    )


def _reset(rng: np.random.Generator, name: str) -> tuple[str, Callable[[Any], Any], Any]:
    batched = name in VECTORS
    kind = pick(rng, ["option", "name", "options", "seed", "instance", "mask", "size", "twice"])
    good_mask = np.eye(ROWS, dtype=bool)[0]
    options: Any
    if kind == "seed":
        seed = junk(rng, lambda value: value is None or (isinstance(value, int) and value >= 0))
        return "reset(seed=)", lambda env: env.reset(seed=seed), seed
    if kind == "options":
        options = junk(rng, lambda value: value is None or (isinstance(value, dict) and not value))
    elif kind == "name":
        options = {pick(rng, ["dificulty", "M", "seed", 3, None, ("a",), "reset-mask"]): 3}
    elif kind == "instance":
        options = {"instance": _batch(rng, name)}
    elif kind == "mask":
        bad = [np.zeros(ROWS, bool), np.ones((ROWS, 1), bool), [0, 1, 1], [True], {True}, junk(rng, nothing)]
        options = {"reset_mask": pick(rng, bad) if batched else good_mask}
        options["reset_mask"] = 0 if options["reset_mask"] is None else options["reset_mask"]
    elif kind == "size":
        options = pick(rng, [{"memory_size": 2**63}, {"memory_size": 10**6}, {"difficulty": 2**30}])
    elif kind == "twice":
        core = subject(name).unwrapped
        options = {"instance": core.instance, pick(rng, ["memory_size", "difficulty"]): 5}
    else:
        option = pick(rng, ["difficulty", "horizon", "memory_size"])
        options = {option: junk(rng, lambda value: value is None or whole(1)(value))}
    seed = pick(rng, [None, 5])
    return "reset(options=)", lambda env: env.reset(seed=seed, options=options), options


def _register(names: str, makers: dict[str, Any]) -> None:
    @family(f"step of {names}")
    def step(rng: np.random.Generator) -> Call:
        name = pick(rng, list(makers))
        action = _action(rng, name)
        return asked(name, "step", action, lambda env: env.step(action))

    @family(f"reset of {names}")
    def reset(rng: np.random.Generator) -> Call:
        name = pick(rng, list(makers))
        what, run, value = _reset(rng, name)
        return asked(name, what, value, run)


_register("the single environment", SINGLES)
_register("wrappers", WRAPPED)
_register("the vector environment", VECTORS)


@family("set_state")
def set_state(rng: np.random.Generator) -> Call:
    name, other = (pick(rng, list(MAKERS)) for _ in range(2))
    core, state = subject(name).unwrapped, subject(other).unwrapped.state
    field = pick(rng, [field.name for field in fields(state) if field.name != "task"])
    wrong = [junk(rng, nothing), replace(core.state, **{field: getattr(core.state, field)[:0]})]
    wrong.append(replace(core.state, **{field: junk(rng, nothing)}))
    if state.task != core.task.name:
        wrong.append(state)
    chosen = pick(rng, wrong)
    return asked(name, "set_state", type(chosen), lambda env: env.unwrapped.set_state(chosen))


@family("calls of the wrong form")
def forms(rng: np.random.Generator) -> Call:
    name, value = pick(rng, list(MAKERS)), pick(rng, JUNK)
    env = subject(name)
    form, run = pick(
        rng,
        [
            ("step()", lambda: env.step()),
            ("reset(value)", lambda: env.reset(value)),
            ("step(value, value)", lambda: env.step(value, value)),
            ("reset(sed=value)", lambda: env.reset(sed=value)),
        ],
    )
    return refused(f"{name}.{form} with {shown(value)}", run, kept(env))
