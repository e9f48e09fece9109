"""Kill a training run again and again at random moments, and look whether anything is lost.

    python benchmarks/kill.py [--kills 50] [--seed 0]

A run that saves every few updates is killed with signal 9 and resumed, time after time. Whatever a kill
leaves must load, must not lie behind the last save that was there before, and must equal, bit for bit, a run
that was never stopped. Prints one line a kill; exit code 1 if anything was lost.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

from agents.config import TrainConfig
from agents.metrics import METRICS_FILE
from agents.run import POPULATION_FILE, Budget, resume_run, start_run
from agents.trainer import Trainer

CONFIG = TrainConfig(task="copy", population=8, batch_size=4, first_level=2, max_level=4, evaluate_every=20)
SAVE_EVERY = 5
LONGEST = 0.6
"""Seconds from the word that a kill waits for to the latest kill."""

STAGES = ("started", "training")
"""What a worker says: when it begins to load the run, and after its first update."""


def work(folder: Path) -> None:
    """Train until killed."""
    torch.set_num_threads(1)
    words = iter(STAGES)

    def say(*_: object) -> None:
        if word := next(words, None):
            print(word, flush=True)

    say()
    if (folder / POPULATION_FILE).exists():
        resume_run(folder, Budget(), say, SAVE_EVERY)
    else:
        start_run(folder, CONFIG, Budget(), say, SAVE_EVERY)


def kill_one(folder: Path, stage: str, pause: float) -> None:
    """Start a worker, wait until it says so, give it so many seconds more, and kill it."""
    command = [sys.executable, __file__, "--work", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while process.stdout.readline().strip() != stage:
            pass
        time.sleep(pause)
        process.kill()


def updates_noted(folder: Path) -> int:
    """Whole lines among the metrics: updates that the killed worker had done."""
    file = folder / METRICS_FILE
    text = file.read_text() if file.exists() else ""
    lines = text.splitlines()[: text.count("\n")]
    return json.loads(lines[-1])["update"] if lines else 0


def differs(straight: Trainer, folder: Path) -> bool:
    """Whether what the kill left is off the path of a run that was never stopped; moves that one along."""
    left = Trainer.load(folder / POPULATION_FILE)
    while straight.update < left.update:
        straight.advance()
    pairs = zip(vars(straight.population).values(), vars(left.population).values(), strict=True)
    return not all(torch.equal(one, other) for one, other in pairs)


def check(kills: int, seed: int) -> int:
    """Kill, check and report; returns the exit code."""
    chance, straight, faults, saved = random.Random(seed), Trainer(CONFIG), 0, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(1, kills + 1):
            stage, pause = chance.choice(STAGES), chance.uniform(0, LONGEST)
            kill_one(folder, stage, pause)
            done, before = updates_noted(folder), saved
            if (folder / POPULATION_FILE).exists():
                faulty = differs(straight, folder)
                saved = straight.update
            else:
                faulty = False
            faulty |= saved < before or not done - SAVE_EVERY <= saved <= done
            faults += faulty
            verdict = "LOST OR CHANGED" if faulty else "ok"
            moment = f"kill {number:2d}, {pause:.2f} s after {stage!r}"
            print(f"{moment}: {done} updates done, {saved} saved  {verdict}", flush=True)
    print(f"{kills} kills, {faults} with a loss of more than {SAVE_EVERY} updates or a changed number")
    return 1 if faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    sys.exit(work(given.work) if given.work else check(given.kills, given.seed))
