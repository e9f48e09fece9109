"""Is the output right? Instances, judged at the task's horizon or where the program stops."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from analysis.machine.batch import run_batch
from analysis.machine.vm import run
from analysis.program.certificate import Counterexample
from analysis.program.program import Program
from nram_env.tasks import MixedBatch, SizePlan, Task, TaskBatch, horizons, instance_of


def wrong_cells(program: Program, batch: TaskBatch | MixedBatch, horizon: np.ndarray) -> np.ndarray:
    """Which output cells are wrong, (B, M); all of them where the program met an unseen situation."""
    result = run_batch(program, batch.memory, horizon, batch.memory_sizes)
    return ((result.memory != batch.target) | result.unseen[:, None]) & batch.mask


def counterexample(program: Program, task: Task, memory: np.ndarray, horizon: int) -> Counterexample | None:
    """Run one instance on the reference machine and say what is wrong; None if nothing is."""
    cells = tuple(int(value) for value in memory)
    result = run(program, cells, horizon)
    if result.outcome == "unseen":
        return Counterexample(cells, horizon, result.steps + 1, None, None, None)
    for cell, wanted in sorted(task.oracle(cells).items()):
        if result.memory[cell] != wanted:
            return Counterexample(cells, horizon, result.steps, cell, result.memory[cell], wanted)
    return None


def first_wrong(
    program: Program, task: Task, batch: TaskBatch | MixedBatch, horizon: np.ndarray | None = None
) -> Counterexample | None:
    """The first instance of a batch with a wrong output, replayed; None if all are right.

    Args:
        program: The program.
        task: Says what is right.
        batch: B instances.
        horizon: T of every instance, (B,); the task's if not given.
    """
    horizon = horizons(task, batch.difficulty) if horizon is None else horizon
    rows = np.flatnonzero(wrong_cells(program, batch, horizon).any(1))
    if not rows.size:
        return None
    memory = batch.memory[rows[0], : batch.memory_sizes[rows[0]]]
    return counterexample(program, task, memory, int(horizon[rows[0]]))


def first_wrong_of(
    program: Program, task: Task, plan: SizePlan, rng: np.random.Generator
) -> tuple[Counterexample | None, int]:
    """Draw instances of planned sizes, from small M to large, until one is wrong.

    Returns:
        The wrong instance of the smallest M, None if there is none; and how many instances were tried.
    """
    tried = 0
    for batch in plan.mixed(task, rng):
        tried += batch.batch_size
        found = first_wrong(program, task, batch)
        if found is not None:
            return found, tried
    return None, tried


def small_instances(task: Task, limit: int) -> Iterator[TaskBatch]:
    """All instances of the smallest sizes, size by size in full, as long as `limit` is not passed.

    Sizes come in the order of their memory size M; at M one can be sure that the largest n that fits is
    among them. Nothing is yielded for a task without an enumerator.
    """
    total = 0
    for difficulty, memory_size in _sizes(task):
        try:
            memories = list(islice(task.enumerate_instances(difficulty, memory_size), limit - total + 1))
        except NotImplementedError:
            return
        total += len(memories)
        if total > limit:
            return
        if memories:
            yield instance_of(task, memories)


def _sizes(task: Task) -> Iterator[tuple[int, int]]:
    memory_size = task.smallest_memory_size(task.smallest_difficulty)
    while True:
        difficulty = task.smallest_difficulty
        while task.smallest_memory_size(difficulty) <= memory_size:
            yield difficulty, memory_size
            difficulty += 1
        memory_size += 1
