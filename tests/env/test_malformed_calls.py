"""A thousand generated bad calls: one clear error each, nothing changed, and the environment works on."""

import importlib
import itertools
import re
import sys

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.error import Error

import nram_env
from nram_env.checks import shown
from nram_env.envs import ChoiceActions, NamedActions
from nram_env.tasks import TaskBatch

gym.register_envs(nram_env)

CALLS = 1000
ROWS = 3


def environments():
    return {
        "single": gym.make("NRAM/Copy-v0"),
        "full": gym.make("NRAM/Swap-v0", observation="full", hard=True),
        "named": NamedActions(gym.make("NRAM/Access-v0")),
        "choices": ChoiceActions(gym.make("NRAM/ListK-v0")),
        "vector": gym.make_vec("NRAM/Merge-v0", num_envs=ROWS),
        "differentiable": gym.make_vec("NRAM/Reverse-v0", num_envs=ROWS, differentiable=True),
    }


def any_of(rng, values):
    return values[int(rng.integers(len(values)))]


def bad_array(rng, shape):
    """An array action that is wrong in one way, and what the error must say."""
    good = rng.uniform(-1, 1, shape).astype(np.float32)
    place = tuple(int(rng.integers(size)) for size in shape)
    kind = any_of(rng, ["shape", "dtype", "value", "object", "tensor"])
    if kind == "shape":
        wrong = any_of(rng, [good[..., :-1], good[None], good.ravel()[:0], good.sum()])
        return wrong, str(np.shape(wrong))
    if kind == "dtype":
        dtype = any_of(rng, ["int64", "bool", "complex64", "float16", "object", "<U32"])
        return good.astype(dtype), dtype
    if kind == "value":
        good[place] = any_of(rng, [np.nan, np.inf, -np.inf, 1.5, -7.25])
        return good, f"{good[place]} at position {place[-1]}"
    if kind == "object":
        return any_of(rng, [(None, "object"), ("left", "<U4"), ({"a": 1}, "object"), ([[1.0], 2.0], "2.0")])
    grad = bool(rng.integers(2))
    return torch.from_numpy(good).requires_grad_(grad), "differentiable=True"


def bad_tensor(rng, shape):
    good = torch.from_numpy(rng.uniform(-1, 1, shape).astype(np.float32))
    kind = any_of(rng, ["shape", "dtype", "value", "object"])
    if kind == "shape":
        wrong = any_of(rng, [good[:, :-1], good[0], good[:-1], good[None]])
        return wrong, str(tuple(wrong.shape))
    if kind == "dtype":
        dtype = any_of(rng, [torch.float64, torch.int64, torch.bool])
        return good.to(dtype), str(dtype)
    if kind == "value":
        row, column = (int(rng.integers(size)) for size in shape)
        good[row, column] = any_of(rng, [torch.nan, torch.inf, -torch.inf])
        return good, f"{good[row, column].item()} at position {column} of row {row}"
    return any_of(rng, [(None, "NoneType"), (good.numpy(), "ndarray"), (good.tolist(), "list")])


def bad_named(rng, space):
    good = space.sample()
    name = any_of(rng, list(good))
    kind = any_of(rng, ["missing", "unknown", "shape", "dtype", "type", "value"])
    if kind == "missing":
        del good[name]
        return good, f"{name!r} is missing"
    if kind == "unknown":
        return good | {name + "x": good[name]}, name + "x"
    if kind == "shape":
        return good | {name: np.zeros(99, np.float32)}, f"{name!r} is a float32 array .* (99,)"
    if kind == "dtype":
        return good | {name: good[name].astype(int)}, f"{name!r} is a float32 array .* int64"
    if kind == "value":
        return good | {name: np.full_like(good[name], np.nan)}, "nan"
    return any_of(rng, [(None, "NoneType"), (list(good.values()), "list"), (np.zeros(5), "ndarray")])


def bad_choices(rng, space):
    good = space.sample()
    place = int(rng.integers(len(good)))
    kind = any_of(rng, ["shape", "dtype", "range", "object"])
    if kind == "shape":
        wrong = any_of(rng, [good[:-1], good[None], good[:0]])
        return wrong, str(wrong.shape)
    if kind == "dtype":
        return good.astype(np.float32), "float32"
    if kind == "range":
        good[place] = any_of(rng, [-1, int(space.nvec[place]), 10**6])
        return good, str(good[place])
    return any_of(rng, [(None, "object"), ("left", "<U4"), (3.5, "float64")])


def bad_action(rng, name, env):
    if name == "named":
        return bad_named(rng, env.action_space)
    if name == "choices":
        return bad_choices(rng, env.action_space)
    make = bad_tensor if name == "differentiable" else bad_array
    return make(rng, env.action_space.shape)


def bad_instance(rng, env):
    task, rows = env.unwrapped.task, getattr(env, "num_envs", 1)
    batch = task.sample(np.random.default_rng(0), 3, task.smallest_memory_size(3), rows)
    size = batch.memory_size
    cell, value = int(rng.integers(size)), any_of(rng, [-1, size, size + 5])
    wrong = batch.memory.copy()
    wrong[0, cell] = value
    return any_of(
        rng,
        [
            (
                TaskBatch(wrong, batch.target, batch.mask, batch.difficulty),
                f"cell {cell} of row 0 holds {value}",
            ),
            (
                TaskBatch(batch.memory, wrong, batch.mask, batch.difficulty),
                f"cell {cell} of row 0 holds {value}",
            ),
            (TaskBatch(batch.memory * 1.0, batch.target, batch.mask, batch.difficulty), "float64"),
            (
                TaskBatch(batch.memory, batch.target[:, :-1], batch.mask, batch.difficulty),
                str((rows, size - 1)),
            ),
            (TaskBatch(batch.memory, batch.target, batch.target, batch.difficulty), "instance.mask .* int64"),
            (batch.rows(np.zeros(rows + 1, dtype=int)), str((rows + 1, size))),
            (batch.memory, "instance must be a TaskBatch"),
            ("copy", "'copy'"),
        ],
    )


def bad_reset(rng, name, env):
    """Keyword arguments of a bad reset, and what the error must say."""
    kind = any_of(rng, ["name", "value", "small", "instance", "options", "seed", "mask"])
    if kind == "name":
        wrong = any_of(rng, ["dificulty", "memory", "M", "seed", "reset-mask", 3, None])
        return {"options": {wrong: 3}}, f"unknown option {wrong!r}.* Valid: difficulty"
    if kind == "value":
        option = any_of(rng, ["difficulty", "horizon", "memory_size"])
        value = any_of(rng, [2.5, "3", True, [1, 2, 3, 4], [[3]], {}, float("nan"), np.array([]), 1j])
        return {"options": {option: value}}, f"{option} must be an integer.* got {shown(value)}"
    if kind == "small":
        option, value = any_of(rng, ["difficulty", "horizon"]), int(rng.integers(-5, 1))
        return {"options": {option: value}}, f"{option} must be .* at least [12].* got {value}"
    if kind == "instance":
        instance, message = bad_instance(rng, env)
        return {"options": {"instance": instance}}, message
    if kind == "options":
        options = any_of(rng, ["difficulty", 3, ["difficulty"], ("horizon", 2)])
        return {"options": options}, f"options must be a dictionary, got {shown(options)}"
    if kind == "seed":
        seed = any_of(rng, [-1, 2.5, "7"])
        return {"seed": seed}, f"{seed}|{type(seed)}"
    mask = any_of(
        rng, [[True], np.ones(ROWS), [0, 1, 1], "all", np.zeros(ROWS, bool), np.ones((ROWS, 1), bool)]
    )
    if name in ("vector", "differentiable"):
        return {"options": {"reset_mask": mask}}, f"reset_mask must be .* got {shown(mask)}"
    return {"options": {"reset_mask": mask}}, "unknown option 'reset_mask'"


def good_step(env, rng):
    if hasattr(env, "num_envs"):
        actions = rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)
        rewards = env.step(torch.from_numpy(actions) if env.differentiable else actions)[1]
        return bool(np.isfinite(np.asarray(rewards)).all())
    return bool(np.isfinite(env.step(env.action_space.sample())[1]))


def loosely(message):
    """A pattern in which brackets stand for themselves and `.*`, `|` and `[12]` keep their meaning."""
    kept = re.split(r"(\.\*|\||\[12\])", message.replace("\\", ""))
    return "".join(part if i % 2 else re.escape(part) for i, part in enumerate(kept))


def test_a_thousand_bad_calls_are_each_answered_and_change_nothing():
    rng, envs = np.random.default_rng(0), environments()
    for name, env in envs.items():
        env.action_space.seed(0)
        env.reset(seed=0)
        assert good_step(env, rng), name
    for number in range(CALLS):
        name = any_of(rng, list(envs))
        env, core = envs[name], envs[name].unwrapped
        state, chance = core.state, core.np_random.bit_generator.state
        if rng.integers(2):
            action, message = bad_action(rng, name, env)
            with pytest.raises(ValueError, match="(?s)" + loosely(message)):
                env.step(action)
        else:
            arguments, message = bad_reset(rng, name, env)
            with pytest.raises((ValueError, Error), match="(?s)" + loosely(message)):
                env.reset(**arguments)
        assert core.state is state, (number, name)
        assert core.np_random.bit_generator.state == chance, (number, name)
        if number % 20 == 0:
            env.reset(seed=number)
            assert good_step(env, rng)


def test_an_action_that_carries_a_gradient_is_told_where_gradients_flow():
    env = gym.make("NRAM/Copy-v0")
    env.reset(seed=0)
    with pytest.raises(
        ValueError, match=r"carries a gradient.*gym.make_vec\(id, num_envs=..., differentiable=True\)"
    ):
        env.step(torch.zeros(env.action_space.shape, requires_grad=True))


def test_the_fuzzing_script_finds_no_fault_and_makes_the_same_calls_again(monkeypatch, capsys):
    monkeypatch.syspath_prepend("benchmarks")
    script = importlib.import_module("fuzz_calls")
    families = [f"--family={name}" for name in script.FAMILIES if not name.startswith("command")]
    monkeypatch.setattr(sys, "argv", ["fuzz_calls.py", "--calls=220", "--seed=3", "--list", *families])
    listed = []
    for _ in range(2):
        assert script.main() == 0
        listed.append([line for line in capsys.readouterr().out.splitlines() if re.match(r"\d+: ", line)])
    assert len(listed[0]) == 220
    assert listed[0] == listed[1]


def test_the_fuzzing_script_notices_what_is_accepted_changed_or_raised_elsewhere(monkeypatch):
    monkeypatch.syspath_prepend("benchmarks")
    calls = importlib.import_module("malformed.calls")
    counter = itertools.count()
    for run, keep, wanted in (
        (lambda: 3, None, "was accepted and gave 3"),
        (lambda: 1 // 0, None, "raised ZeroDivisionError: .*"),
        (lambda: torch.zeros(2) + torch.zeros(3), None, "raised RuntimeError: .*"),
        (lambda: np.stack([]), None, "raised inside numpy: .*"),
        (lambda: int("x"), None, ""),
        (lambda: int("x"), lambda: next(counter), "changed something: .*"),
    ):
        fault = calls.refused("a call", run, keep or (lambda: None)).fault()
        assert re.fullmatch(wanted, fault), fault
