"""What a user of Gymnasium takes for granted: copies, seeds, specs, closing, wrappers, named attributes."""

import copy
import pickle
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import wrappers
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import VectorEnv

import nram_env
from nram_env.envs import NRAMEnv, NRAMVectorEnv

gym.register_envs(nram_env)

ROOT = Path(__file__).parents[2]
COPIES = [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))]


def single(**arguments):
    return gym.make("NRAM/Copy-v0", **arguments)


def rows(**arguments):
    return gym.make_vec("NRAM/Copy-v0", num_envs=3, **arguments)


def act(env, seed=0):
    values = np.random.default_rng(seed).uniform(-1, 1, env.action_space.shape).astype(np.float32)
    values[..., -1] = -0.2
    return torch.from_numpy(values) if getattr(env, "differentiable", False) else values


@pytest.mark.parametrize("again", COPIES, ids=["deepcopy", "pickle"])
@pytest.mark.parametrize("make", [single, rows], ids=["single", "vector"])
def test_a_copy_in_the_middle_of_an_episode_has_the_same_future(make, again):
    env = make()
    env.reset(seed=0)
    env.step(act(env))
    other = again(env)
    for seed in range(12):
        assert data_equivalence(env.step(act(env, seed)), other.step(act(other, seed)), exact=True)
        if make is single and env.unwrapped.finished:
            assert data_equivalence(env.reset(), other.reset(), exact=True)
    assert other.unwrapped.instance.memory.tolist() == env.unwrapped.instance.memory.tolist()


def test_a_differentiable_environment_can_be_copied_once_its_graph_is_cut():
    envs = rows(differentiable=True)
    envs.reset(seed=0)
    envs.step(act(envs).requires_grad_())
    envs.detach_state()
    assert torch.equal(copy.deepcopy(envs).step(act(envs))[1], envs.step(act(envs))[1])


@pytest.mark.parametrize("make", [single, rows], ids=["single", "vector"])
def test_a_spec_can_be_pickled(make):
    spec = make(difficulty=2, gates=["READ", "WRITE"]).spec
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert pickle.loads(pickle.dumps(spec)).to_json() == spec.to_json()


@pytest.mark.parametrize("make", [single, rows], ids=["single", "vector"])
def test_the_seed_of_a_reset_is_remembered_and_decides_what_follows(make):
    envs = make(), make()
    starts = [(env.reset(seed=7), env.reset(), env.unwrapped.instance.memory.tolist()) for env in envs]
    assert data_equivalence(*starts, exact=True)
    assert [env.unwrapped.np_random_seed for env in envs] == [7, 7]
    envs[0].reset(seed=8)
    assert envs[0].unwrapped.instance.memory.tolist() != starts[1][-1]


@pytest.mark.parametrize("make", [single, rows], ids=["single", "vector"])
def test_closing_twice_is_no_error(make):
    env = make()
    env.reset(seed=0)
    env.close()
    env.close()


@pytest.mark.parametrize("call", [lambda env: env.render(), lambda env: env.step(act(env))])
def test_before_the_first_reset_gymnasiums_own_wrapper_complains(call):
    with pytest.raises(ResetNeeded, match=r"before calling `?env.reset\(\)"):
        call(single(render_mode="ansi"))


def test_the_checker_can_be_left_out():
    assert str(single()) == "<OrderEnforcing<PassiveEnvChecker<NRAMEnv<NRAM/Copy-v0>>>>"
    assert str(single(disable_env_checker=True)) == "<OrderEnforcing<NRAMEnv<NRAM/Copy-v0>>>"


WRAPPERS = [
    wrappers.Autoreset,
    wrappers.ClipAction,
    wrappers.NormalizeObservation,
    wrappers.NormalizeReward,
    wrappers.RecordEpisodeStatistics,
    lambda env: wrappers.DelayObservation(env, 1),
    lambda env: wrappers.FrameStackObservation(env, 2),
    lambda env: wrappers.RescaleAction(env, np.float32(-3), np.float32(3)),
    lambda env: wrappers.RescaleObservation(env, np.float32(-1), np.float32(1)),
    lambda env: wrappers.StickyAction(env, 0.5),
    lambda env: wrappers.TimeAwareObservation(wrappers.TimeLimit(env, 50)),
    lambda env: wrappers.TransformReward(env, np.exp),
]


@pytest.mark.parametrize("wrap", WRAPPERS)
def test_gymnasiums_wrappers_go_round_the_single_environment(wrap):
    env = wrap(single(difficulty=2))
    env.action_space.seed(0)
    observation, _ = env.reset(seed=0)
    terminated, steps = False, 0
    while not terminated:
        assert np.shape(observation) == env.observation_space.shape
        action = np.clip(env.action_space.sample(), -1, 1)
        observation, reward, terminated, truncated, _ = env.step(action)
        assert np.isfinite(float(reward))
        assert not truncated
        steps += 1
    assert steps <= env.unwrapped.state.horizon.item()


@pytest.mark.parametrize(("ours", "gymnasiums"), [(NRAMEnv, gym.Env), (NRAMVectorEnv, VectorEnv)])
def test_what_an_environment_has_besides_is_named_on_its_page(ours, gymnasiums):
    page = (ROOT / "docs" / "environments.md").read_text(encoding="utf-8")
    names = [name for name in dir(ours) if not name.startswith("_") and not hasattr(gymnasiums, name)]
    assert len(names) > 5
    assert [name for name in names if f"`{name}`" not in page and f"`{name}(" not in page] == []
