"""Train fresh populations on the easy tasks and print what came out, as a Markdown table.

    python benchmarks/learning.py --seeds 0 1 2 --updates 2000

A population stops at its first solved member: no error, hardened, at up to four times the largest size that
it was trained on. "members" is how many had got there by then; a run that reaches the limit of updates
stands in the table as a failure. One thread; seconds depend on the computer.
"""

import argparse
import time

import torch

from agents.config import TrainConfig
from agents.trainer import Progress, Trainer

COLUMNS = ("task", "controller", "registers", "seed", "outcome", "updates", "seconds", "members", "level")


def train(config: TrainConfig, updates: int) -> tuple[Progress, float]:
    trainer, begin = Trainer(config), time.monotonic()
    progress = trainer.advance()
    while not progress.solved and progress.update < updates:
        progress = trainer.advance()
    return progress, time.monotonic() - begin


def row(config: TrainConfig, progress: Progress, seconds: float) -> str:
    cells = (
        config.task,
        config.controller,
        config.machine.num_registers,
        config.seed,
        "solved" if progress.solved else "not solved",
        progress.update,
        round(seconds),
        f"{progress.solved} of {config.population}",
        progress.level,
    )
    return "| " + " | ".join(map(str, cells)) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=["access", "increment", "copy", "reverse", "swap"])
    parser.add_argument("--controllers", nargs="+", default=["lstm", "feedforward"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--levels", nargs=2, type=int, default=[5, 8], help="of the curriculum")
    parser.add_argument("--updates", type=int, default=2000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("| " + " | ".join(COLUMNS) + " |\n" + "|---" * len(COLUMNS) + "|", flush=True)
    for task in arguments.tasks:
        for controller in arguments.controllers:
            for seed in arguments.seeds:
                first, last = arguments.levels
                config = TrainConfig(task, controller, seed=seed, first_level=first, max_level=last)
                print(row(config, *train(config, arguments.updates)), flush=True)


if __name__ == "__main__":
    main()
