"""Islands against as many independent populations, and against one as large as all: does exchange pay?

    python benchmarks/islands.py [--task increment] [--islands 3] [--population 8] [--seeds 6] [--updates 900]

K populations of one task train in turns, an update each, so that all arms get the same processor time; a
run ends with the first member that is right, hardened, on all held-out sizes. In the arm "islands" the best
member of each takes the place of the worst of the next, every so many updates. In all arms a population that
has not left the first level gives way to one from another seed. Prints a line of JSON a run, then the sum.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace

import torch

from agents.config import TrainConfig
from agents.trainer import Trainer
from agents.zoo import usual_config
from analysis.studies.statistics import survival

ARMS = ["one", "independent", "islands"]
"""One population of K times as many members, as `nram train` has; K apart; K with exchange."""

EXCHANGE_EVERY = 100
"""Updates between two exchanges, as between two selections."""

FAR = 1_000
"""Between the seeds of two populations, more than the attempts of any."""


def exchange(trainers: list[Trainer]) -> None:
    """Send the best member of each population to the next, where it replaces the worst."""
    sent = []
    for trainer in trainers:
        best = trainer.population.take(torch.tensor(trainer.population.ranking()[:1], device="cpu"))
        sent.append(replace(best, tenure=torch.zeros_like(best.tenure)))
    for trainer, guest in zip(trainers, [sent[-1], *sent[:-1]], strict=True):
        place = torch.tensor(trainer.population.ranking()[-1:], device="cpu")
        trainer.population = trainer.population.put(place, guest)


def first_solved(config: TrainConfig, islands: int, is_exchanging: bool, most: int) -> tuple[int, bool]:
    """Updates of each population until one has a solved member, and whether one ever had."""
    trainers = [Trainer(replace(config, seed=config.seed + FAR * index)) for index in range(islands)]
    for update in range(1, most + 1):
        solved = [trainer.advance().solved for trainer in trainers]
        if any(solved):
            return update, True
        if is_exchanging and update % EXCHANGE_EVERY == 0:
            exchange(trainers)
    return most, False


def compare(task: str, islands: int, population: int, seeds: int, most: int, arms: list[str]) -> None:
    """Print runs and sums of the arms."""
    usual = replace(usual_config(task), attempt_updates=300)
    found: dict[str, list[tuple[float, bool]]] = {arm: [] for arm in arms}
    for seed in range(seeds):
        for arm, runs in found.items():
            count = 1 if arm == "one" else islands
            members = population * islands // count
            config = replace(usual, population=members, seed=100_000 * (seed + 1))
            begin = time.process_time()
            runs.append(first_solved(config, count, arm == "islands", most))
            seconds = round(time.process_time() - begin, 1)
            line = {"task": task, "arm": arm, "seed": config.seed}
            line |= {"updates": runs[-1][0], "solved": runs[-1][1]}
            print(json.dumps({**line, "processor_seconds": seconds}), flush=True)
    for arm, runs in found.items():
        solved = sum(is_solved for _, is_solved in runs)
        print(f"{arm}: {solved} of {len(runs)} solved; share not solved by update: {survival(runs)}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--task", default="increment")
    parser.add_argument("--islands", type=int, default=3)
    parser.add_argument("--population", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--updates", type=int, default=900)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=ARMS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    compare(given.task, given.islands, given.population, given.seeds, given.updates, given.arms)
