"""Whether a long training run's memory stays flat.

    python benchmarks/soak.py [--minutes 60] [--task copy] [--threads 1]

Trains with the defaults of `nram train` in a folder of its own, whatever is solved, and prints the memory
that the process holds (resident, not its maximum) twenty times. The first third of the time is warm-up: the
curriculum rises and tests on held-out sizes begin. Flat means that the largest memory in the last third is
at most 3 % above the largest in the second; exit code 1 otherwise.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

import torch

from agents.config import TrainConfig
from agents.portfolio import Portfolio
from agents.run import Budget, start_run
from agents.trainer import Progress

PRINTED = 20
MOST_GROWTH = 1.03


def resident() -> float:
    """MiB that this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def soak(task: str, minutes: float) -> int:
    """Train, print, judge; returns the exit code."""
    held: list[tuple[float, float]] = []
    printed, began = 0, time.monotonic()
    print(f"{'minutes':>8} {'updates':>8} {'level':>5} {'solved':>6} {'MiB':>6}", flush=True)

    def watch(portfolio: Portfolio, progress: Progress, seconds: float) -> None:
        nonlocal printed
        held.append((seconds / 60 / minutes, resident()))
        if held[-1][0] * PRINTED >= printed:
            counts = f"{progress.update:8d} {progress.level:5d} {progress.solved:6d}"
            print(f"{seconds / 60:8.2f} {counts} {held[-1][1]:6.1f}", flush=True)
            printed += 1

    with tempfile.TemporaryDirectory() as folder:
        start_run(Path(folder) / "run", TrainConfig(task=task), Budget(minutes=minutes), watch)
    second, last = (max(mib for share, mib in held if low <= share < low + 1 / 3) for low in (1 / 3, 2 / 3))
    growth = last / second
    print(f"{len(held)} updates in {(time.monotonic() - began) / 60:.1f} minutes")
    print(f"largest in the second third {second:.1f} MiB, in the last {last:.1f} MiB: ratio {growth:.3f}")
    return 1 if growth > MOST_GROWTH else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--task", default="copy")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    sys.exit(soak(given.task, given.minutes))
