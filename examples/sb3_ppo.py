"""Train stable-baselines3's PPO on the hard machine, and compare it with a random policy.

    pip install 'nram[rl]'
    python examples/sb3_ppo.py

PPO sees the reward alone: no gradient passes through the machine, and nothing is learned until chance has
solved an instance. So the machine is small: two registers, READ and WRITE. The mean return must rise by at
least 5 over a random policy's (a wrong answer costs 13.8, a right one nothing); the exit code says whether
it did.
"""

import argparse
import sys

import gymnasium as gym
import numpy as np
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

import nram_env

gym.register_envs(nram_env)

MARGIN = 5.0


def make_env() -> gym.Env:
    machine = gym.make("NRAM/Access-v0", num_registers=2, gates=["READ", "WRITE"])
    return nram_env.wrappers.ChoiceActions(machine)


def random_return(episodes: int, seed: int) -> float:
    env = make_env()
    env.action_space.seed(seed)
    returns = []
    for episode in range(episodes):
        env.reset(seed=seed + episode)
        total, terminated = 0.0, False
        while not terminated:
            _, reward, terminated, _, _ = env.step(env.action_space.sample())
            total += float(reward)
        returns.append(total)
    return float(np.mean(returns))


def train(timesteps: int, seed: int) -> PPO:
    envs = make_vec_env(make_env, n_envs=8, seed=seed)
    options = {"n_steps": 128, "batch_size": 256, "gamma": 1.0, "policy_kwargs": {"net_arch": [32]}}
    model = PPO("MlpPolicy", envs, learning_rate=2e-3, ent_coef=0.02, seed=seed, device="cpu", **options)
    return model.learn(timesteps)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--timesteps", type=int, default=40_000)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    before = random_return(arguments.episodes, arguments.seed)
    model = train(arguments.timesteps, arguments.seed)
    after, _ = evaluate_policy(model, make_vec_env(make_env, seed=arguments.seed + 1), arguments.episodes)
    gain = float(after) - before
    print(f"mean return: random policy {before:.2f}, PPO {after:.2f}, gain {gain:.2f}, wanted {MARGIN}")
    return int(gain < MARGIN)


if __name__ == "__main__":
    sys.exit(main())
