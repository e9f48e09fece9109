"""Train stable-baselines3's PPO on the hard machine, and compare it with a random policy.

    pip install 'nram[rl]'
    python examples/sb3_ppo.py         # 50 seconds of one core; on a busy computer three minutes at most

PPO sees the reward alone: no gradient passes through the machine, and nothing is learned until chance has
solved an instance. So the machine is small: two registers, READ and WRITE. A wrong answer costs 13.8, a right
one nothing. The claim is that on instances that it was not trained on PPO's mean return is at least 5 above a
random policy's; the last line says what came out, and the exit code is 1 if the claim does not hold. Seeds 0
to 2 solve all 200 instances, where a random policy solves 8%. Training is cut off after two minutes.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence

import gymnasium as gym
import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env

import nram_env

gym.register_envs(nram_env)

MARGIN, SECONDS = 5.0, 120.0
FRESH = 1_000_000
"""Seeds from here on are for instances that are played after training."""


class Deadline(BaseCallback):
    """Ends training after so many seconds, however few timesteps those were."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._end = time.monotonic() + seconds

    def _on_step(self) -> bool:
        return time.monotonic() < self._end


def make_env() -> gym.Env:
    machine = gym.make("NRAM/Access-v0", num_registers=2, gates=["READ", "WRITE"])
    return nram_env.wrappers.ChoiceActions(machine)


def train(timesteps: int, seed: int, seconds: float = SECONDS) -> PPO:
    envs = make_vec_env(make_env, n_envs=8, seed=seed)
    options = {"n_steps": 128, "batch_size": 256, "gamma": 1.0, "policy_kwargs": {"net_arch": [32]}}
    model = PPO("MlpPolicy", envs, learning_rate=2e-3, ent_coef=0.02, seed=seed, device="cpu", **options)
    return model.learn(timesteps, callback=Deadline(seconds))


def play(act: Callable[[np.ndarray], np.ndarray], episodes: int) -> tuple[float, float]:
    """Mean return of a policy, and the share of instances that it solves."""
    env, returns, solved = make_env(), np.zeros(episodes), np.zeros(episodes)
    for episode in range(episodes):
        observation, _ = env.reset(seed=FRESH + episode)
        terminated = False
        while not terminated:
            observation, reward, terminated, _, info = env.step(act(observation))
            returns[episode] += reward
        solved[episode] = info["is_success"]
    return float(returns.mean()), float(solved.mean())


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--timesteps", type=int, default=30_000)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args(words)
    torch.set_num_threads(1)  # the network is small
    space = make_env().action_space
    space.seed(arguments.seed)
    before = play(lambda observation: space.sample(), arguments.episodes)
    model = train(arguments.timesteps, arguments.seed)
    after = play(lambda observation: model.predict(observation, deterministic=True)[0], arguments.episodes)
    for name, (mean, share) in (("random policy", before), ("PPO", after)):
        print(f"{name:>13}: mean return {mean:6.2f}, solves {share:.0%} of {arguments.episodes} instances")
    gain, steps = after[0] - before[0], model.num_timesteps
    holds = gain >= MARGIN
    verdict = "as claimed" if holds else "LESS THAN CLAIMED"
    print(f"gain {gain:.2f} after {steps:,} timesteps, at least {MARGIN} wanted: {verdict}")
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
