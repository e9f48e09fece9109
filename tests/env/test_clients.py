"""Real clients of the environments: Gymnasium's wrappers, stable-baselines3, a rollout loop."""

import importlib.util
import re
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers
from stable_baselines3.common.env_checker import check_env

import nram_env
from nram_env.envs import ChoiceActions, NamedActions
from nram_env.tasks import get_task, task_names

gym.register_envs(nram_env)

IDS = [f"NRAM/{get_task(name).title}-v0" for name in task_names()[:10]]


def example(name):
    spec = importlib.util.spec_from_file_location(name, Path("examples") / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("id_", IDS)
def test_stable_baselines_finds_nothing_to_warn_of(id_):
    check_env(gym.make(id_))
    check_env(ChoiceActions(gym.make(id_)))
    check_env(wrappers.FlattenObservation(gym.make(id_, observation="full")))


def test_ppo_takes_choices_and_one_kilostep_is_reported_as_too_few(capsys):
    assert example("sb3_ppo").main(["--timesteps", "1024", "--episodes", "20"]) == 1
    random, ppo, verdict = capsys.readouterr().out.splitlines()
    means = [float(re.search(r"mean return +(\S+), solves \d+% of 20 ", line)[1]) for line in (random, ppo)]
    gain, steps, wanted = re.fullmatch(
        r"gain (\S+) after (\S+) timesteps, at least (\S+) wanted: LESS THAN CLAIMED", verdict
    ).groups()
    assert all(-13.82 <= mean <= 0 for mean in means)
    assert float(gain) == pytest.approx(means[1] - means[0], abs=0.011)
    assert float(gain) < float(wanted)
    assert steps == "1,024"


def test_ppos_training_ends_in_time_whatever_was_reached():
    assert example("sb3_ppo").train(timesteps=10**9, seed=0, seconds=0).num_timesteps == 8


def test_episode_statistics_hold_the_return():
    env = wrappers.RecordEpisodeStatistics(gym.make("NRAM/Copy-v0"))
    env.action_space.seed(0)
    env.reset(seed=0)
    total, terminated = 0.0, False
    while not terminated:
        _, reward, terminated, _, info = env.step(env.action_space.sample())
        total += reward
    assert info["episode"]["r"] == pytest.approx(total, abs=1e-5)


def test_vector_episode_statistics_hold_the_returns():
    envs = wrappers.vector.RecordEpisodeStatistics(gym.make_vec("NRAM/Copy-v0", num_envs=3))
    envs.action_space.seed(0)
    envs.reset(seed=0, options={"horizon": 2})
    actions = envs.action_space.sample()
    actions[:, -1] = 0
    rewards = sum(envs.step(actions)[1] for _ in range(1))
    _, last, terminated, _, infos = envs.step(actions)
    assert terminated.all()
    assert infos["episode"]["r"] == pytest.approx(rewards + last, abs=1e-5)


def test_vector_infos_can_be_turned_into_a_list_with_one_entry_a_row():
    envs = wrappers.vector.DictInfoToList(gym.make_vec("NRAM/Copy-v0", num_envs=2))
    _, infos = envs.reset(seed=0, options={"difficulty": [2, 3]})
    assert infos == [
        {"difficulty": 2, "horizon": 5, "memory_size": 7},
        {"difficulty": 3, "horizon": 6, "memory_size": 7},
    ]


def test_a_time_limit_truncates():
    env = wrappers.TimeLimit(gym.make("NRAM/Copy-v0"), max_episode_steps=2)
    env.reset(seed=0)
    action = np.full(env.action_space.shape, -0.1, np.float32)
    assert env.step(action)[2:4] == (False, False)
    assert env.step(action)[2:4] == (False, True)


def test_max_episode_steps_of_make_truncates():
    env = gym.make("NRAM/Copy-v0", max_episode_steps=1)
    env.reset(seed=0)
    assert env.step(np.full(env.action_space.shape, -0.1, np.float32))[3]


@pytest.mark.parametrize("hard", [False, True])
def test_full_observations_can_be_flattened(hard):
    env = wrappers.FlattenObservation(gym.make("NRAM/Copy-v0", observation="full", difficulty=2, hard=hard))
    observation, _ = env.reset(seed=0)
    assert observation.shape == (4 + 4 * 5 + 5 * 5,)
    assert observation in env.observation_space
    assert observation.sum() == 4 + 4 + 5


def test_a_flat_action_space_of_the_named_actions_is_the_plain_one():
    env = NamedActions(gym.make("NRAM/Copy-v0"))
    assert gym.spaces.flatdim(env.action_space) == env.unwrapped.layout.size


def test_a_video_can_be_recorded(tmp_path):
    env = gym.make("NRAM/Copy-v0", render_mode="rgb_array", difficulty=2)
    env = wrappers.RecordVideo(env, str(tmp_path / "videos"), episode_trigger=lambda _: True)
    env.reset(seed=0)
    action = np.full(env.action_space.shape, -0.1, np.float32)
    while not env.step(action)[2]:
        pass
    env.close()
    (video,) = (tmp_path / "videos").glob("*.mp4")
    assert video.read_bytes()[4:8] == b"ftyp"


def test_the_rollout_loops_statistics_are_the_sums_of_its_rewards():
    module = example("rollout")
    buffers = module.collect(gym.vector.SyncVectorEnv([module.make_env] * module.NUM_ENVS))
    assert buffers["dones"].sum() > 10
    for row in range(module.NUM_ENVS):
        start = 0
        for end in np.flatnonzero(buffers["dones"][:, row]):
            total = buffers["rewards"][start : end + 1, row].sum()
            assert buffers["returns"][end, row] == pytest.approx(total, abs=1e-4)
            start = end + 2  # the step after an end resets, and its action is not used
