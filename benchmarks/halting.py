"""What learning to stop costs an update: to T(n), and beyond it with members that do or do not stop.

    python benchmarks/halting.py --tasks copy listk

Prints one JSON object: the median processor time of an update in ratios to one at T(n), all in one run.
All members have the weights of the controller that the zoo ships; those that never stop have another
halting bias.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from statistics import median
from typing import Any

import torch

from agents import Trainer, zoo

UPDATES, NEVER = 24, -30.0


def trainer_of(task: str, halting: bool, stops: bool) -> Trainer:
    """A population of the shipped controller on its last level, where it hardly learns any more."""
    entry = zoo.find_entry(task)
    config = replace(
        entry.recipe.config, halting=halting, halting_share=1.0, evaluate_every=10**6, cull_every=0
    )
    trainer = Trainer(replace(config, easy_share=0.0, horizon_share=1.0, generation_every=0))
    population = trainer.population
    weights = entry.agent.controller.parameters.expand(population.size, -1).clone()
    if not stops:
        weights[:, config.spec.of_halting] = 0.0
        weights[:, -1] = NEVER
    trainer.population = replace(
        population,
        parameters=weights,
        level=torch.full_like(population.level, config.max_level + halting),
        error=torch.zeros_like(population.error),
        easy_share=torch.zeros_like(population.easy_share),
        learning_rate=torch.full_like(population.learning_rate, 1e-9),
        gradient_noise=torch.full_like(population.gradient_noise, 1e-9),
    )
    return trainer


def seconds(trainer: Trainer) -> float:
    """Median processor time of an update."""
    found = []
    for _ in range(UPDATES):
        begin = time.process_time()
        trainer.advance()
        found.append(time.process_time() - begin)
    return median(found)


def ratios(task: str) -> dict[str, Any]:
    """Updates of one task."""
    usual = seconds(trainer_of(task, halting=False, stops=True))
    beyond = {stops: seconds(trainer_of(task, halting=True, stops=stops)) for stops in (False, True)}
    return {
        "task": task,
        "milliseconds at T(n)": round(1000 * usual, 1),
        "beyond it, never stops": round(beyond[False] / usual, 2),
        "beyond it, stops": round(beyond[True] / usual, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=["copy", "listk", "permutation", "swap-feedforward"])
    torch.set_num_threads(1)
    print(json.dumps({"updates": [ratios(task) for task in parser.parse_args().tasks]}, indent=2))


if __name__ == "__main__":
    main()
