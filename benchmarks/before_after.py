"""Time until the default agent has learned Copy, with the reference backend and with the fused one.

    python benchmarks/before_after.py [--seeds 0 1 2 3 4]

Both train in one process, turn by turn, on one thread, from the same seeds, until a member of the
population makes no error on held-out sizes at the task's horizon; learning to stop is left out. Seconds
are of processor time, which other work on the computer changes little. The backends round differently, so
their paths part and the numbers of updates may differ.
"""

import argparse
import time

import torch
from rich.console import Console
from rich.table import Table

from agents.config import TrainConfig
from agents.trainer import Trainer

BACKENDS = ("reference", "fused")
MOST_UPDATES = 2000


def learn(backend: str, seed: int) -> tuple[int, float, bool]:
    """Updates and seconds of processor time until the first member is solved, and whether one is."""
    config = TrainConfig(task="copy", seed=seed, backend=backend, halting=False)
    trainer, begin = Trainer(config), time.process_time()
    solved = False
    while not solved and trainer.update < MOST_UPDATES:
        solved = trainer.advance().solved > 0
    return trainer.update, time.process_time() - begin, solved


def main(seeds: list[int]) -> None:
    torch.set_num_threads(1)
    table = Table(title="Copy, default population, one thread", box=None, padding=(0, 2))
    for heading in ("seed", *(f"{name}: updates, s" for name in BACKENDS), "s per update, ratio"):
        table.add_column(heading, justify="right")
    sums = dict.fromkeys(BACKENDS, 0.0)
    for seed in seeds:
        results = {backend: learn(backend, seed) for backend in BACKENDS}
        cells = [f"{n}, {s:.1f}{'' if solved else ' unsolved'}" for n, s, solved in results.values()]
        slow, fast = (seconds / updates for updates, seconds, _ in results.values())
        table.add_row(str(seed), *cells, f"{slow / fast:.1f}")
        sums = {backend: sums[backend] + results[backend][1] for backend in BACKENDS}
        print(f"seed {seed}: {results}", flush=True)
    table.add_row("mean", *(f"{total / len(seeds):.1f} s" for total in sums.values()), "")
    Console(soft_wrap=True).print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    main(parser.parse_args().seeds)
