"""Random instances of many sizes; a wrong one is made small before it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from analysis.certificate import Certificate, Counterexample
from analysis.program import Program
from analysis.verify.correctness import first_wrong, horizons, wrong_cells
from nram_env.tasks import Task, TaskBatch

CLAIM = "output right after T(n) steps, or where the program stops"

_BATCH = 64


def check_sizes(
    program: Program, task: Task, sizes: Iterable[int], examples: int, seed: int
) -> list[dict[str, Any]]:
    """Errors of a program on random instances of the given sizes, in the smallest memory that holds them.

    Args:
        program: The program.
        task: Gives instances, oracle and horizon.
        sizes: Difficulties n.
        examples: How many instances of each size.
        seed: Seed of the instances.

    Returns:
        One record a size: mode ("program"), n, memory_size, examples, exact_error (share of instances with
        any wrong output cell) and cell_error (share of wrong output cells).
    """
    rng = np.random.default_rng([seed, 3])
    records = []
    for difficulty in sizes:
        memory_size = task.smallest_memory_size(difficulty)
        batch = task.sample(rng, difficulty, memory_size, examples)
        wrong = wrong_cells(program, batch, horizons(task, batch))
        records.append(
            {
                "mode": "program",
                "n": int(difficulty),
                "memory_size": int(memory_size),
                "examples": int(examples),
                "exact_error": float(wrong.any(1).mean()),
                "cell_error": float(wrong.sum() / batch.mask.sum()),
            }
        )
    return records


def check_random(program: Program, task: Task, largest: int, examples: int, seed: int) -> Certificate:
    """Test a program on random instances; n, M and everything else drawn independently.

    Args:
        program: The program.
        task: Gives instances, oracle and horizon.
        largest: Largest difficulty n.
        examples: How many instances.
        seed: Seed of the instances.
    """
    rng = np.random.default_rng([seed, 4])
    tried, largest_size = 0, 0
    while tried < examples:
        batch = _drawn(task, largest, rng)
        tried, largest_size = tried + batch.batch_size, max(largest_size, batch.memory_size)
        found = first_wrong(program, task, batch)
        if found is not None:
            return _refuted(shrink(program, task, found, rng), tried)
    domain = f"{tried:,} random instances, n to {largest:,}, M to {largest_size:,}"
    return Certificate("random", CLAIM, "TESTED", domain, tried)


def shrink(
    program: Program, task: Task, found: Counterexample, rng: np.random.Generator, attempts: int = 20
) -> Counterexample:
    """The smallest wrong instance that a random search from small sizes upward finds, or the given one."""
    difficulty = task.smallest_difficulty
    while (memory_size := task.smallest_memory_size(difficulty)) <= len(found.memory):
        for slack in range(min(4, len(found.memory) - memory_size + 1)):
            for _ in range(attempts // 4):
                batch = task.sample(rng, difficulty, memory_size + slack, _BATCH)
                smaller = first_wrong(program, task, batch)
                if smaller is not None and len(smaller.memory) <= len(found.memory):
                    return replace(smaller, shrunk=True)
        difficulty += 1
        if difficulty > task.smallest_difficulty + 8:
            break
    return replace(found, shrunk=True)


def _drawn(task: Task, largest: int, rng: np.random.Generator) -> TaskBatch:
    """Sizes are spread evenly over their logarithm; M is up to twice what is needed."""
    top = max(task.smallest_difficulty, round(float(np.exp(rng.uniform(0, np.log(largest))))))
    difficulties = rng.integers(task.smallest_difficulty, top + 1, size=_BATCH)
    needed = task.smallest_memory_size(int(difficulties.max()))
    return task.sample(rng, difficulties, needed + int(rng.integers(0, needed + 1)))


def _refuted(found: Counterexample, tried: int) -> Certificate:
    return Certificate("random", CLAIM, "REFUTED", f"{tried:,} random instances", tried, str(found))
