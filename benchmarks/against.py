"""Processor time of a step of the environments here, against that in another checkout of the repository.

    git worktree add --detach /tmp/other COMMIT
    (cd /tmp/other && python setup.py build_ext --inplace)
    python benchmarks/against.py /tmp/other

Both play turn by turn, each in a process of its own on one thread; a ratio is the median of those of all
turns.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

MEMORY_SIZE, HORIZON = 16, 8
CASES = {"single": (1, 40), "single, hard": (1, 40), "vector of 1,024": (1024, 3)}
"""Rows of an environment, and episodes a turn."""


def make(case: str) -> Callable[[], float]:
    """A function that plays a turn and returns the seconds of processor time that a step took."""
    import gymnasium as gym
    import numpy as np

    import nram_env

    gym.register_envs(nram_env)

    (rows, episodes), options = CASES[case], {"memory_size": MEMORY_SIZE, "horizon": HORIZON}
    if rows > 1:
        env = gym.make_vec("NRAM/Copy-v0", num_envs=rows, **options)
    else:
        env = gym.make("NRAM/Copy-v0", hard="hard" in case, disable_env_checker=True, **options)
    action = np.full(env.action_space.shape, -0.1, dtype=np.float32)

    def play() -> float:
        seconds = 0.0
        for _ in range(episodes):
            env.reset()
            begin = time.process_time()
            for _ in range(HORIZON):
                env.step(action)
            seconds += time.process_time() - begin
        return seconds / (episodes * HORIZON)

    return play


def serve() -> None:
    """Play a turn of the case that every line of the input names, and answer with its time."""
    import torch

    torch.set_num_threads(1)
    turns = {case: make(case) for case in CASES}
    for line in sys.stdin:
        print(turns[line.strip()](), flush=True)


def start(checkout: Path) -> subprocess.Popen[str]:
    """A process that serves with the code of a checkout."""
    return subprocess.Popen(
        [sys.executable, __file__, "--serve"],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout.resolve())},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ask(process: subprocess.Popen[str], case: str) -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{case}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def main(other: Path, turns: int) -> None:
    table = Table(title="Microseconds of a step, medians", box=None, padding=(0, 2))
    for heading in ("environment", "other", "here", "here / other"):
        table.add_column(heading, justify="right")
    with start(other) as before, start(Path(__file__).parent.parent) as now:
        for case in CASES:
            ask(before, case), ask(now, case)
            pairs = [(ask(before, case), ask(now, case)) for _ in range(turns)]
            medians = [f"{1e6 * statistics.median(side):.0f}" for side in zip(*pairs, strict=True)]
            table.add_row(case, *medians, f"{statistics.median(new / old for old, new in pairs):.2f}")
    Console(soft_wrap=True).print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("other", type=Path, nargs="?", help="the other checkout, with its libraries built")
    parser.add_argument("--turns", type=int, default=40)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve()
    elif arguments.other is None:
        parser.error("which checkout?")
    else:
        main(arguments.other, arguments.turns)
