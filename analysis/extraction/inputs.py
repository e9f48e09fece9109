"""Inputs to record and to judge on: learned sizes, odd values, longer runs; and others that are held out.

Sizes come from the planner: n and the slack of M drawn apart, an M of its own for every few runs. A network
that stops by itself is run to its stop, whatever T(n) is; a cap ends runs that never do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from analysis.extraction.record import Inputs
from analysis.verification.stopping import limits
from nram_env.tasks import MixedBatch, SizePlan, Task, TaskBatch, draw_plan, draw_range_plan, join
from nram_env.tasks.sizes import GROUP

LONG_FACTOR = 8
"""Longest runs to learn from, as a multiple of the training size."""

HELD_OUT_FACTOR = 16
"""Longest runs to judge on."""

BEYOND_FACTOR = 10
"""Longest runs beyond the task's horizon, as a multiple of it."""

FAR_FACTOR = 256
"""How far a controller with a state of its own is watched, as a multiple of the training size."""

_FAR_RUNS, _FAR_SLACK = 4, 8
_EDGE_RUNS, _ODD_RUNS, _TOP_EVERY = 64, 16, 16


def training_inputs(
    task: Task, size: int, runs: int, rng: np.random.Generator, must_stop: bool = False
) -> Iterator[Inputs]:
    """Runs of up to the training size, in memories of many sizes.

    Args:
        task: Gives the instances.
        size: Largest n.
        runs: How many.
        rng: Source of randomness.
        must_stop: Whether runs go on until they stop by themselves; otherwise to T(n).
    """
    plan = draw_range_plan(task, rng, task.smallest_difficulty, size, runs)
    return _planned(task, plan, rng, must_stop)


def edge_inputs(task: Task, rng: np.random.Generator, must_stop: bool = False) -> Iterator[Inputs]:
    """The smallest runs in the smallest memories, and larger ones with values of 0, M-1 or all alike.

    Zeros among the values show the controller zero-patterns that random values hardly ever do. Arguments as
    before.
    """
    first = task.smallest_difficulty
    sizes = [(n, task.smallest_memory_size(n) + slack) for n in range(first, first + 3) for slack in (0, 1)]
    smallest = [task.sample(rng, n, memory_size, _EDGE_RUNS) for n, memory_size in sizes]
    yield inputs_of(task, join(task, smallest), must_stop)
    for batch in draw_plan(task, rng, range(first, first + 6), _ODD_RUNS).batches(task, rng):
        changed = [_with_odd_values(task, row, rng) for row in batch.memory]
        yield replace(inputs_of(task, batch, must_stop), memory=np.array(changed))


def long_inputs(
    task: Task, size: int, factor: int, runs: int, rng: np.random.Generator, must_stop: bool = False
) -> Iterator[Inputs]:
    """Runs of up to `factor` times the training size, spread evenly over the logarithm of the size."""
    groups = -(-runs // GROUP)
    tops = np.round((factor * size) ** (np.arange(1, groups + 1) / groups)).astype(np.int64)
    tops = np.maximum(tops, task.smallest_difficulty)
    difficulties = rng.integers(task.smallest_difficulty, tops, endpoint=True)
    difficulties[::-_TOP_EVERY] = tops[::-_TOP_EVERY]
    return _planned(task, draw_plan(task, rng, difficulties, GROUP), rng, must_stop)


def beyond_inputs(task: Task, size: int, runs: int, rng: np.random.Generator) -> Iterator[Inputs]:
    """Runs of up to the training size to ten times the task's horizon, where nothing was trained."""
    for inputs in training_inputs(task, size, runs, rng):
        yield replace(inputs, horizon=BEYOND_FACTOR * inputs.horizon)


def far_inputs(task: Task, size: int, rng: np.random.Generator, must_stop: bool = False) -> Inputs:
    """A few runs far beyond all others, in one memory. Arguments as before."""
    difficulty = FAR_FACTOR * size
    memory_size = task.smallest_memory_size(difficulty) + int(rng.integers(_FAR_SLACK, endpoint=True))
    return inputs_of(task, task.sample(rng, difficulty, memory_size, _FAR_RUNS), must_stop)


def inputs_of(task: Task, batch: TaskBatch | MixedBatch, must_stop: bool) -> Inputs:
    """The runs of a batch, until they stop by themselves or to T(n)."""
    return Inputs(batch.memory, limits(task, batch, must_stop), batch.memory_sizes)


def _planned(task: Task, plan: SizePlan, rng: np.random.Generator, must_stop: bool) -> Iterator[Inputs]:
    return (inputs_of(task, batch, must_stop) for batch in plan.mixed(task, rng))


def _with_odd_values(task: Task, memory: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The memory with some cells set to one odd value, if the task still accepts it."""
    value = rng.choice([0, len(memory) - 1, int(rng.integers(len(memory)))])
    changed = memory.copy()
    changed[rng.random(len(memory)) < rng.uniform()] = value
    changed[0] = memory[0]
    return changed if task.is_legal(changed.tolist()) else memory
