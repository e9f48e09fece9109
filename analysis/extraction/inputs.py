"""Inputs to record and to judge on: learned sizes, odd values, longer runs; and others that are held out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from analysis.extraction.record import Inputs
from nram_env.tasks import Task

LONG_FACTOR = 8
"""Longest runs to learn from, as a multiple of the training size."""

HELD_OUT_FACTOR = 16
"""Longest runs to judge on."""

BEYOND_FACTOR = 10
"""Longest runs beyond the task's horizon, as a multiple of it."""

_BATCH, _MAX_BATCHES = 16, 48


def training_inputs(task: Task, size: int, runs: int, rng: np.random.Generator) -> Iterator[Inputs]:
    """Runs of up to the training size, in memories of many sizes."""
    for _ in range(0, runs, _BATCH):
        difficulties = rng.integers(task.smallest_difficulty, size + 1, size=_BATCH)
        yield _drawn(task, rng, difficulties, int(rng.integers(0, size + 1)))


def edge_inputs(task: Task, rng: np.random.Generator) -> Iterator[Inputs]:
    """The smallest runs in the smallest memories, and larger ones with values of 0, M-1 or all alike.

    Zeros among the values show the controller zero-patterns that random values hardly ever do.
    """
    first = task.smallest_difficulty
    for difficulty in range(first, first + 3):
        for slack in (0, 1):
            yield _drawn(task, rng, np.full(4 * _BATCH, difficulty), slack)
    for difficulty in range(first, first + 6):
        batch = _drawn(task, rng, np.full(_BATCH, difficulty), int(rng.integers(3)))
        changed = [_with_odd_values(task, row, rng) for row in batch.memory]
        yield Inputs(np.array(changed), batch.horizon)


def long_inputs(task: Task, size: int, factor: int, runs: int, rng: np.random.Generator) -> Iterator[Inputs]:
    """Runs of up to `factor` times the training size, spread evenly over the logarithm of the size."""
    batch = max(_BATCH, runs // _MAX_BATCHES)
    count = -(-runs // batch)
    for number in range(1, count + 1):
        top = max(round((factor * size) ** (number / count)), task.smallest_difficulty)
        difficulties = rng.integers(task.smallest_difficulty, top + 1, size=batch)
        difficulties[0] = top
        yield _drawn(task, rng, difficulties, int(rng.integers(0, top + 2)))


def beyond_inputs(task: Task, size: int, runs: int, rng: np.random.Generator) -> Iterator[Inputs]:
    """Runs of up to the training size to ten times the task's horizon, where nothing was trained."""
    for inputs in training_inputs(task, size, runs, rng):
        yield replace(inputs, horizon=BEYOND_FACTOR * inputs.horizon)


def _drawn(task: Task, rng: np.random.Generator, difficulties: np.ndarray, slack: int) -> Inputs:
    memory_size = task.smallest_memory_size(int(difficulties.max())) + slack
    batch = task.sample(rng, difficulties, memory_size)
    return Inputs(batch.memory, np.array([task.horizon(int(n)) for n in batch.difficulty]))


def _with_odd_values(task: Task, memory: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The memory with some cells set to one odd value, if the task still accepts it."""
    value = rng.choice([0, len(memory) - 1, int(rng.integers(len(memory)))])
    changed = memory.copy()
    changed[rng.random(len(memory)) < rng.uniform()] = value
    changed[0] = memory[0]
    return changed if _legal(task, changed) else memory


def _legal(task: Task, memory: np.ndarray) -> bool:
    try:
        task.check_memory(memory.tolist())
    except ValueError:
        return False
    return True
