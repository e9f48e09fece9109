"""Is the output right? Instances, judged where the program stops by itself, or at the task's horizon."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count, islice

import numpy as np

from analysis.machine.batch import run_batch
from analysis.machine.vm import run
from analysis.program.certificate import Counterexample
from analysis.program.program import Program
from analysis.verification.stopping import limits
from nram_env.tasks import MixedBatch, SizePlan, Task, TaskBatch, instance_of

SLACK = 12
"""All instances of small n are tried at every slack of M up to this one, as far as that can be afforded."""


def wrong_cells(
    program: Program, batch: TaskBatch | MixedBatch, horizon: np.ndarray, must_stop: bool = False
) -> np.ndarray:
    """Which output cells are wrong, (B, M).

    All of them are where the program met an unseen situation, or did not stop though it has to.
    """
    result = run_batch(program, batch.memory, horizon, batch.memory_sizes)
    lost = result.unseen | (~result.halted & must_stop)
    return ((result.memory != batch.target) | lost[:, None]) & batch.mask


def counterexample(
    program: Program, task: Task, memory: np.ndarray, horizon: int, must_stop: bool = False
) -> Counterexample | None:
    """Run one instance on the reference machine and say what is wrong; None if nothing is."""
    cells = tuple(int(value) for value in memory)
    result = run(program, cells, horizon)
    nothing = Counterexample(cells, horizon, result.steps, None, None, None, must_stop=must_stop)
    if result.outcome == "unseen":
        return replace(nothing, step=result.steps + 1)
    if must_stop and result.outcome != "halted":
        return replace(nothing, endless=True)
    for cell, wanted in sorted(task.oracle(cells).items()):
        if result.memory[cell] != wanted:
            return replace(nothing, cell=cell, got=result.memory[cell], wanted=wanted)
    return None


def first_wrong(
    program: Program, task: Task, batch: TaskBatch | MixedBatch, must_stop: bool = False
) -> Counterexample | None:
    """The first instance of a batch with a wrong output, replayed; None if all are right.

    Args:
        program: The program.
        task: Says what is right.
        batch: B instances.
        must_stop: Whether the program has to stop by itself; otherwise its runs are cut at T(n).
    """
    horizon = limits(task, batch, must_stop)
    rows = np.flatnonzero(wrong_cells(program, batch, horizon, must_stop).any(1))
    if not rows.size:
        return None
    memory = batch.memory[rows[0], : batch.memory_sizes[rows[0]]]
    return counterexample(program, task, memory, int(horizon[rows[0]]), must_stop)


def first_wrong_of(
    program: Program, task: Task, plan: SizePlan, rng: np.random.Generator, must_stop: bool = False
) -> tuple[Counterexample | None, int]:
    """Draw instances of planned sizes, from small M to large, until one is wrong.

    Returns:
        The wrong instance of the smallest M, None if there is none; and how many instances were tried.
    """
    tried = 0
    for batch in plan.mixed(task, rng):
        tried += batch.batch_size
        found = first_wrong(program, task, batch, must_stop)
        if found is not None:
            return found, tried
    return None, tried


def small_instances(task: Task, limit: int) -> Iterator[TaskBatch]:
    """All instances of the smallest sizes, size by size in full.

    First sizes in the order of their memory size M, so that the largest n that fits is among them; then, n by
    n, every slack of M to SLACK. Each as long as `limit` instances are not passed. Nothing is yielded for a
    task without an enumerator.
    """
    met: set[tuple[int, int]] = set()
    for sizes in (_by_memory_size(task), _by_difficulty(task)):
        total = 0
        for size in sizes:
            if size in met:
                continue
            try:
                memories = list(islice(task.enumerate_instances(*size), limit - total + 1))
            except NotImplementedError:
                return
            total += len(memories)
            if total > limit:
                break
            met.add(size)
            if memories:
                yield instance_of(task, memories)


def _by_memory_size(task: Task) -> Iterator[tuple[int, int]]:
    for memory_size in count(task.smallest_memory_size(task.smallest_difficulty)):
        difficulty = task.smallest_difficulty
        while task.smallest_memory_size(difficulty) <= memory_size:
            yield difficulty, memory_size
            difficulty += 1


def _by_difficulty(task: Task) -> Iterator[tuple[int, int]]:
    for difficulty in count(task.smallest_difficulty):
        needed = task.smallest_memory_size(difficulty)
        yield from ((difficulty, needed + slack) for slack in range(SLACK + 1))
