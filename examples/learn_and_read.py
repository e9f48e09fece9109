"""Train a population on a task, extract the program of its best member, print it and run it.

python examples/learn_and_read.py              # Access, a few seconds
python examples/learn_and_read.py increment
"""

import sys

import numpy as np
import torch

from agents import TrainConfig, Trainer
from analysis import extract, listing, run
from nram_env import get_task


def main() -> int:
    task = get_task(sys.argv[1] if len(sys.argv) > 1 else "access")
    torch.set_num_threads(1)
    trainer = Trainer(TrainConfig(task=task.name))
    while not trainer.advance().solved:
        if trainer.update == 3000:
            print(f"no member learned {task.name} in {trainer.update} updates")
            return 1
    program = extract(trainer.agents()[0])
    print(listing(program))

    n = 1000
    instance = task.sample(np.random.default_rng(0), n, task.smallest_memory_size(n))
    after = run(program, instance.memory[0].tolist()).memory  # to where it stops by itself
    wrong = sum(after[cell] != instance.target[0, cell] for cell in np.flatnonzero(instance.mask[0]))
    print(f"one instance with n = {n}, M = {instance.memory_size}: {wrong} wrong cells")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
