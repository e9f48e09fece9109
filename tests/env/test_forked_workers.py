"""A single environment computes on one thread, so that it also runs where a process was forked."""

import subprocess
import sys

import gymnasium
import torch

PROGRAM = """
import gymnasium, numpy as np, torch
import nram_env

if __name__ == "__main__":
    torch.set_num_threads(4)
    torch.ones(2000, 2000).exp().sum()  # starts torch's threads, which no forked process has
    for backend in ("auto", "reference"):
        envs = gymnasium.make_vec(
            "NRAM/Copy-v0",
            num_envs=2,
            vectorization_mode="async",
            vector_kwargs={"context": "fork"},
            memory_size=256,
            backend=backend,
        )
        envs.reset(seed=0)
        for _ in range(2):
            _, rewards, *_ = envs.step(np.zeros(envs.action_space.shape, dtype=np.float32))
        envs.close()
        print(backend, (rewards < 0).all(), torch.get_num_threads())
"""
LONG_ENOUGH = 120
"""Seconds after which a process counts as hanging."""


def test_forked_workers_run_whatever_threads_their_parent_has_used():
    command = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    result = subprocess.run(command, capture_output=True, text=True, timeout=LONG_ENOUGH, check=True)
    assert result.stdout == "auto True 4\nreference True 4\n"


def test_the_number_of_threads_is_the_callers_again():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        env = gymnasium.make("NRAM/Access-v0")
        env.reset(seed=0)
        env.step(env.action_space.sample())
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
