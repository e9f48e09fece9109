"""Training libraries drive the environments: TorchRL and skrl here, stable-baselines3 in test_clients."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import wrappers
from skrl.agents.torch.ppo import PPO
from skrl.envs.wrappers.torch import wrap_env
from skrl.memories.torch import RandomMemory
from skrl.models.torch import DeterministicMixin, GaussianMixin, Model
from skrl.trainers.torch import SequentialTrainer
from torch import nn
from torchrl.envs import GymEnv, GymWrapper
from torchrl.envs.utils import check_env_specs

import nram_env
from nram_env.envs import ChoiceActions

gym.register_envs(nram_env)

ROWS = 3


@pytest.fixture(autouse=True)
def same_actions_every_time():
    torch.manual_seed(0)


def test_torchrl_makes_the_environment_by_its_id():
    env = GymEnv("NRAM/Copy-v0", difficulty=2)
    check_env_specs(env)
    env.set_seed(0)
    played = env.rollout(100)
    plain = gym.make("NRAM/Copy-v0", difficulty=2)
    plain.reset(seed=0)  # as TorchRL does to seed; the rollout then begins with a reset of its own
    plain.reset()
    for action, reward in zip(played["action"].numpy(), played["next", "reward"], strict=True):
        _, given, terminated, _, _ = plain.step(action)
        assert given == pytest.approx(reward.item(), rel=1e-5, abs=1e-6)
    assert terminated
    assert played["next", "terminated"].squeeze(-1).tolist() == [False] * (len(played) - 1) + [True]


@pytest.mark.parametrize("id_", ["NRAM/Copy-v0", "NRAM/ListK-v0"])
def test_torchrl_takes_wrapped_environments(id_):
    env = GymWrapper(ChoiceActions(gym.make(id_)), categorical_action_encoding=True)
    check_env_specs(env)
    assert env.rollout(50, break_when_any_done=False)["next", "done"].any()


def test_torchrl_resets_the_rows_of_the_vector_environment_as_they_end():
    env = GymWrapper(gym.make_vec("NRAM/Copy-v0", num_envs=ROWS, autoreset_mode="disabled", horizon=4))
    check_env_specs(env)
    env.set_seed(0)
    played = env.rollout(21, break_when_any_done=False)
    ended = played["next", "done"].squeeze(-1)
    assert played.batch_size == (ROWS, 21)
    assert (ended.sum(1) >= 5).all()
    first = played["observation"][:, 1:][ended[:, :-1]]
    assert torch.equal(first, torch.ones_like(first))


def test_torchrl_says_which_modes_it_takes():
    with pytest.raises(RuntimeError, match="must be one of SAME_STEP or DISABLED"):
        GymWrapper(gym.make_vec("NRAM/Copy-v0", num_envs=ROWS))


class Policy(GaussianMixin, Model):
    def __init__(self, env):
        Model.__init__(self, observation_space=env.observation_space, action_space=env.action_space)
        GaussianMixin.__init__(self, clip_actions=True)
        self.mean = nn.Linear(self.num_observations, self.num_actions)
        self.log_std = nn.Parameter(torch.full((self.num_actions,), -1.0))

    def compute(self, inputs, role):
        return self.mean(inputs["observations"]), {"log_std": self.log_std}


class Value(DeterministicMixin, Model):
    def __init__(self, env):
        Model.__init__(self, observation_space=env.observation_space, action_space=env.action_space)
        DeterministicMixin.__init__(self)
        self.net = nn.Linear(self.num_observations, 1)

    def compute(self, inputs, role):
        return self.net(inputs["observations"]), {}


@pytest.mark.parametrize("mode", ["next_step", "same_step"])
def test_skrl_trains_on_the_vector_environment(mode, tmp_path):
    envs = gym.make_vec(
        "NRAM/Access-v0", num_envs=ROWS, num_registers=2, gates=["READ", "WRITE"], autoreset_mode=mode
    )
    counted = wrappers.vector.RecordEpisodeStatistics(envs)
    env = wrap_env(counted, verbose=False)
    models = {"policy": Policy(env), "value": Value(env)}
    before = [part.clone() for part in models["policy"].parameters()]
    agent = PPO(
        models=models,
        memory=RandomMemory(memory_size=16, num_envs=ROWS),
        observation_space=env.observation_space,
        action_space=env.action_space,
        cfg={"rollouts": 16, "experiment": {"directory": str(tmp_path), "write_interval": 0}},
    )
    options = {"headless": True, "disable_progressbar": True, "close_environment_at_exit": False}
    SequentialTrainer(env=env, agents=agent, cfg={"timesteps": 64, **options}).train()
    assert counted.episode_count > ROWS
    for old, new in zip(before, models["policy"].parameters(), strict=True):
        assert not torch.equal(old, new)
        assert new.isfinite().all()


WRAPPERS = [
    wrappers.vector.RecordEpisodeStatistics,
    wrappers.vector.DictInfoToList,
    wrappers.vector.NormalizeObservation,
    wrappers.vector.NormalizeReward,
    lambda envs: wrappers.vector.ClipReward(envs, -5, 0),
    lambda envs: wrappers.vector.RescaleAction(envs, np.float32(-2), np.float32(2)),
    wrappers.vector.ClipAction,
    lambda envs: wrappers.vector.TransformReward(envs, np.exp),
]


MODES = [(wrap, mode) for wrap in WRAPPERS for mode in ("next_step", "same_step")]
MODES.remove((WRAPPERS[2], "same_step"))  # which Gymnasium's own wrapper refuses


@pytest.mark.parametrize(("wrap", "mode"), MODES)
def test_gymnasiums_vector_wrappers_go_round_the_vector_environment(wrap, mode):
    envs = wrap(gym.make_vec("NRAM/Copy-v0", num_envs=ROWS, autoreset_mode=mode, horizon=3))
    envs.action_space.seed(0)
    envs.reset(seed=0)
    ends = 0
    for _ in range(12):
        actions = np.clip(envs.action_space.sample(), -1, 1)
        observations, rewards, terminated, _, _ = envs.step(actions)
        assert np.shape(observations) == (ROWS, 4)
        assert np.isfinite(np.asarray(rewards)).all()
        ends += int(np.asarray(terminated).sum())
    assert ends >= 3 * ROWS
