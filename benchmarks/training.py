"""Speed and memory of training a population, by difficulty, as a Markdown table.

    python benchmarks/training.py [--threads 1] [--difficulties 8 17 32]

64 LSTM controllers of width 32 with 16 examples each learn Copy; every row runs in a process of its own. The
share of the machine is that of the fused backend's native code, forward and backward, in the fastest of
20 updates; memory is the most that the process held, Python and torch included.
"""

import argparse
import resource
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from agents.bench import measure_training

COLUMNS = ("n", "T", "M", "updates/s", "in the machine", "peak MiB")


def row(threads: int, difficulty: int) -> tuple[str, ...]:
    speed = measure_training(threads, difficulty)
    unit = 2**20 if sys.platform == "darwin" else 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    sizes = (difficulty, difficulty + 3, f"{2 * difficulty + 1} to {2 * difficulty + 3}")
    return (*map(str, sizes), f"{speed.updates_per_second:.1f}", f"{speed.machine_share:.0%}", f"{peak:.0f}")


def main(threads: int, difficulties: list[int]) -> None:
    print("|", " | ".join(COLUMNS), "|")
    print("|", " | ".join("---:" for _ in COLUMNS), "|")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as fresh:
        for cells in fresh.map(row, [threads] * len(difficulties), difficulties):
            print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--difficulties", type=int, nargs="+", default=[8, 17, 32])
    given = parser.parse_args()
    main(given.threads, given.difficulties)
