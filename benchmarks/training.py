"""Speed and memory of training a population, as a Markdown table.

    python benchmarks/training.py [--threads 1]

64 LSTM controllers of width 32 with 16 examples each learn a task on a machine of 4 registers; every row runs
in a process of its own. The share of the machine is that of the fused backend's native code, forward and
backward: in the fastest of 20 updates, and in their median. Memory is the most that the process held, Python
and torch included.
"""

import argparse
import resource
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from agents.bench import measure_training, training_config

COLUMNS = ("task", "n", "T", "M", "ms/update", "in the machine", "median", "peak MiB")
ROWS = (("increment", 15, 0), ("copy", 8, 2), ("copy", 17, 2), ("copy", 32, 2))
"""Task, n and memory slack; the first has M = 16 in every update."""


def row(threads: int, task: str, difficulty: int, memory_slack: int) -> tuple[str, ...]:
    config = training_config(task, difficulty, memory_slack)
    speed, problem = measure_training(config, threads), config.task_object
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    least = problem.smallest_memory_size(difficulty)
    sizes = f"{least} to {least + memory_slack}" if memory_slack else str(least)
    shares = (f"{share:.0%}" for share in (speed.machine_share, speed.median_share))
    milliseconds = f"{1000 / speed.updates_per_second:.0f}"
    return (
        problem.title,
        str(difficulty),
        str(problem.horizon(difficulty)),
        sizes,
        milliseconds,
        *shares,
        f"{peak:.0f}",
    )


def main(threads: int) -> None:
    print("|", " | ".join(COLUMNS), "|")
    print("|", " | ".join(("---", *["---:"] * (len(COLUMNS) - 1))), "|")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as fresh:
        for cells in fresh.map(row, [threads] * len(ROWS), *zip(*ROWS, strict=True)):
            print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    main(parser.parse_args().threads)
