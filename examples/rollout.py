"""A rollout loop as in CleanRL: fixed buffers, vectorised environments, episode statistics.

    python examples/rollout.py

A random policy stands where an agent would; the buffers are what it would learn from.
"""

import gymnasium as gym
import numpy as np

import nram_env

gym.register_envs(nram_env)

NUM_ENVS, NUM_STEPS = 4, 64


def make_env() -> gym.Env:
    return gym.wrappers.RecordEpisodeStatistics(
        nram_env.wrappers.ChoiceActions(gym.make("NRAM/Copy-v0", difficulty=2))
    )


def collect(envs: gym.vector.VectorEnv, seed: int = 0) -> dict[str, np.ndarray]:
    shape = (NUM_STEPS, NUM_ENVS)
    buffers = {
        "observations": np.zeros(shape + envs.single_observation_space.shape, np.float32),
        "actions": np.zeros(shape + envs.single_action_space.shape, np.int64),
        "rewards": np.zeros(shape, np.float32),
        "dones": np.zeros(shape, bool),
        "returns": np.full(shape, np.nan),
    }
    envs.action_space.seed(seed)
    observations, _ = envs.reset(seed=seed)
    for step in range(NUM_STEPS):
        buffers["observations"][step] = observations
        buffers["actions"][step] = envs.action_space.sample()
        observations, rewards, terminated, truncated, infos = envs.step(buffers["actions"][step])
        buffers["rewards"][step], buffers["dones"][step] = rewards, terminated | truncated
        if "episode" in infos:
            buffers["returns"][step] = np.where(infos["_episode"], infos["episode"]["r"], np.nan)
    return buffers


def main() -> None:
    with_statistics = gym.vector.SyncVectorEnv([make_env] * NUM_ENVS)
    buffers = collect(with_statistics)
    returns = buffers["returns"][~np.isnan(buffers["returns"])]
    print(
        f"{buffers['dones'].sum()} episodes in {NUM_STEPS * NUM_ENVS} steps, mean return {returns.mean():.2f}"
    )


if __name__ == "__main__":
    main()
