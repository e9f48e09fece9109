"""A task of one's own, from its class to a proved program: check it, train on it, read what was learned.

    python examples/custom_task.py                       # ends within two minutes
    nram train max --import examples/custom_task.py      # the same by the command line, as a run in a folder

The exit code is 0 once a program that was read out of a trained controller is PROVED: right for every legal
memory of every size. docs/tasks.md explains every part of a task.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import gymnasium as gym
import numpy as np

from agents import Trainer
from agents.zoo import usual_config
from analysis import extract, listing, prove
from nram_env import Task, TaskBatch, TaskSpec, check_task, register_task
from nram_env.tasks.spec import M, Recursive, before, cells, i, j, n, zeros
from nram_env.tasks.terms import Number, app, choose


class Max(Task):
    """Put the largest element of an array into cell 0.

    Before, with A from 1..M-1::

        cell   0      1     ...  n       n+1
             | slot | A[0] ... A[n-1] | NULL | 0 ...

    Wanted: slot = the largest element. Smallest M: n + 2.
    """

    name = "max"
    title = "Max"
    num_registers = 6
    spec = TaskSpec(  # what `draw` and `oracle` do, in terms; proofs need it, training does not
        params={"n": None},
        pre=(n >= 1, n + 2 <= M, before(0).equals(0), cells(1, n + 1, before(i) >= 1), zeros(n + 1)),
        ghosts=(
            Recursive(  # best[j] is the largest of the first j elements
                "best",
                Number(0),
                choose(app("best", j) <= before(j + 1), before(j + 1), app("best", j)),
                n,
            ),
        ),
        output=(Number(0), Number(1)),
        want=app("best", n),
        horizon=n + 3,
        cuts=(Number(0), Number(1), n + 1),
        witness=lambda memory: {"n": memory.index(0, 1) - 1},
    )

    def smallest_memory_size(self, difficulty: int) -> int:
        """The slot, the array and NULL."""
        return difficulty + 2

    def horizon(self, difficulty: int) -> int:
        """One element a timestep, and three to start and to end."""
        return difficulty + 3

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw the array."""
        cells = np.arange(memory_size)
        array = (cells >= 1) & (cells <= difficulty[:, None])
        memory = np.where(array, rng.integers(1, memory_size, array.shape), 0)
        mask = np.zeros_like(array)
        mask[:, 0] = True
        return TaskBatch(memory, np.where(mask, memory.max(1, keepdims=True), memory), mask, difficulty)

    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Python's own."""
        return {0: max(memory)}

    def difficulty_of(self, memory: Sequence[int]) -> int:
        """The length of the array."""
        return list(memory).index(0, 1) - 1


register_task(Max())  # where the file is imported, so that `nram VERB --import` knows the task


def learned(seed: int, seconds: float) -> bool:
    """Train, without a recipe, until the program of a solved member is proved, and print it."""
    config = replace(usual_config("max", "feedforward"), seed=seed)  # one population of the portfolio
    begin, trainer, asked = time.monotonic(), Trainer(config), 0
    while time.monotonic() - begin < seconds:
        progress = trainer.advance()
        if progress.update % 50 == 0:
            print(f"update {progress.update}: level {progress.level}, error {progress.error:.2f}")
        if progress.solved > asked:
            asked = progress.solved
            program = extract(trainer.agents()[0])
            finding = prove(program, minutes=0.5)
            print(listing(program))
            print(f"{finding.verdict}: {finding.claim}")
            if finding.verdict == "PROVED":
                return True
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=100, help="of training, at most")
    parser.add_argument("--seed", type=int, default=2, help="0 and 1 take longer (default: 2)")
    arguments = parser.parse_args()
    findings = check_task(Max())
    for finding in findings:
        print(finding)
    if findings:
        return 1
    env = gym.make("NRAM/Max-v0", difficulty=3, render_mode="ansi")
    env.reset(seed=arguments.seed)
    print(env.render())
    if learned(arguments.seed, arguments.seconds):
        return 0
    print("no proved program")
    return 1


if __name__ == "__main__":
    sys.exit(main())
