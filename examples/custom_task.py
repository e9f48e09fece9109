"""A task that the paper lacks, in forty lines: check it, register it, train on it.

    python examples/custom_task.py
    nram train fill --import examples/custom_task.py --population 16     # the same, as a run in a folder

Training stops, with exit code 0, once a member's hardened controller makes no error on memories of held-out
sizes. docs/tasks.md explains every method of a task.
"""

import argparse
import sys
from collections.abc import Sequence

import gymnasium as gym
import numpy as np

from agents import TrainConfig, Trainer
from nram_env import Task, TaskBatch, TaskSpec, check_task, register_task
from nram_env.tasks.spec import M, before, cells, i, n, zeros
from nram_env.tasks.terms import Number


class Fill(Task):
    """Write one value over a whole array.

    Before, with v from 0..M-1 and A from 1..M-1::

        cell   0   1     ...  n         n+1
             | v | A[0] ... A[n-1] | NULL ...

    Wanted: v in cells 1..n. Smallest M: n + 2.
    """

    name = "fill"
    title = "Fill"
    spec = TaskSpec(  # what `draw` and `oracle` do, in terms; proofs need it, training does not
        params={"n": None},
        pre=(n >= 1, n + 2 <= M, cells(1, n + 1, before(i) >= 1), zeros(n + 1)),
        output=(Number(1), n + 1),
        want=before(0),
        horizon=n + 2,
        witness=lambda memory: {"n": memory.index(0, 1) - 1},
    )

    def smallest_memory_size(self, difficulty: int) -> int:
        """The value, the array and NULL."""
        return difficulty + 2

    def horizon(self, difficulty: int) -> int:
        """One cell a timestep, and two to start."""
        return difficulty + 2

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw the array, then the value."""
        cells = np.arange(memory_size)
        mask = (cells >= 1) & (cells <= difficulty[:, None])
        memory = np.where(mask, rng.integers(1, memory_size, mask.shape), 0)
        memory[:, 0] = rng.integers(0, memory_size, len(memory))
        return TaskBatch(memory, np.where(mask, memory[:, :1], memory), mask, difficulty)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Walk up to NULL."""
        end = list(memory).index(0, 1)
        return dict.fromkeys(range(1, end), memory[0])


register_task(Fill())  # where the file is imported, so that `nram VERB --import` knows the task


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--updates", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    findings = check_task(Fill())
    for finding in findings:
        print(finding)
    if findings:
        return 1
    env = gym.make("NRAM/Fill-v0", difficulty=3, render_mode="ansi")
    env.reset(seed=arguments.seed)
    print(env.render())
    trainer = Trainer(TrainConfig(task="fill", population=16, seed=arguments.seed))
    for _ in range(arguments.updates):
        progress = trainer.advance()
        if progress.update % 50 == 0:
            print(f"update {progress.update}: level {progress.level}, error {progress.error:.2f}")
        if progress.solved:
            print(f"solved after {progress.update} updates")
            return 0
    print("not solved")
    return 1


if __name__ == "__main__":
    sys.exit(main())
