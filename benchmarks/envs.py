"""Steps per second of the environments, and the time that drawing examples takes, as tables.

    python benchmarks/envs.py [--seconds 1] [--threads 1]

A step is one timestep of one machine: a batch of 64 counts 64. The differentiable column includes the
backward pass through an episode of eight timesteps, or of as many as fit into `--memory-gib`.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import gymnasium as gym
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from nram_env.tasks import Task, get_task, task_names

MEMORY_SIZES, BATCH_SIZES, HORIZON = (16, 64, 256), (1, 64, 1024), 8


def per_second(play: Callable[[], int], seconds: float) -> float:
    """Machine steps per second of a function that plays one episode and returns its steps."""
    play()
    steps, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < seconds:
        steps += play()
    return steps / passed


def single(memory_size: int, hard: bool) -> Callable[[], int]:
    env = gym.make(
        "NRAM/Copy-v0", memory_size=memory_size, horizon=HORIZON, hard=hard, disable_env_checker=True
    )
    action = np.full(env.action_space.shape, -0.1, dtype=np.float32)

    def play() -> int:
        env.reset()
        return sum(1 for _ in range(HORIZON) if env.step(action))

    return play


def vector(memory_size: int, batch_size: int, horizon: int, differentiable: bool) -> Callable[[], int]:
    envs = gym.make_vec(
        "NRAM/Copy-v0",
        num_envs=batch_size,
        memory_size=memory_size,
        horizon=horizon,
        differentiable=differentiable,
    )
    actions = np.full(envs.action_space.shape, -0.1, dtype=np.float32)
    tensor = torch.tensor(actions, requires_grad=True)

    def play() -> int:
        envs.reset()
        rewards = [envs.step(tensor if differentiable else actions)[1] for _ in range(horizon)]
        if differentiable:
            (-sum(reward.sum() for reward in rewards)).backward()
        return horizon * batch_size

    return play


def horizon_that_fits(memory_size: int, batch_size: int, gib: float) -> int:
    """Timesteps whose memories, kept for the backward pass with as many temporaries, fit: 1 to 8."""
    return int(np.clip(gib * 2**30 // (6 * batch_size * memory_size**2 * 4), 1, HORIZON))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=1.0, help="time for each figure")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--memory-gib", type=float, default=4.0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    console = Console()
    console.print(steps_table(arguments))
    console.print(sampling_table(arguments.seconds))


def steps_table(arguments: argparse.Namespace) -> Table:
    table = Table(title=f"Machine steps per second, R = 4, 14 gates, {arguments.threads} thread(s)")
    for column in ("M", "batch", "single", "single, hard", "vector", "differentiable"):
        table.add_column(column, justify="right")
    for memory_size in MEMORY_SIZES:
        for batch_size in BATCH_SIZES:
            table.add_row(str(memory_size), str(batch_size), *figures(memory_size, batch_size, arguments))
    return table


def sampling_table(seconds: float) -> Table:
    """Milliseconds for 1,000 examples at n = 10 and the smallest M."""
    table = Table("task", "ms", title="1,000 examples at n = 10, smallest M")
    for task in map(get_task, task_names()):
        size, rng = task.smallest_memory_size(10), np.random.default_rng(0)
        rate = per_second(partial(sample, task, rng, size), seconds)
        table.add_row(task.name, f"{1e3 / rate:.1f}")
    return table


def sample(task: Task, rng: np.random.Generator, memory_size: int) -> int:
    task.sample(rng, 10, memory_size, 1000)
    return 1


def figures(memory_size: int, batch_size: int, arguments: argparse.Namespace) -> list[str]:
    def measure(play: Callable[[], int]) -> str:
        return f"{per_second(play, arguments.seconds):,.0f}"

    alone = [measure(single(memory_size, hard)) for hard in (False, True)] if batch_size == 1 else ["", ""]
    short = horizon_that_fits(memory_size, batch_size, arguments.memory_gib)
    together = [vector(memory_size, batch_size, HORIZON, False), vector(memory_size, batch_size, short, True)]
    return [*alone, *map(measure, together)]


if __name__ == "__main__":
    main()
