"""Does a program stop by itself? Its runs decide, and with them where everything else about it is judged."""

from __future__ import annotations

import numpy as np

from analysis.machine.batch import run_batch
from analysis.program.program import Program
from nram_env.tasks import MixedBatch, Task, TaskBatch, caps, draw_range_plan, horizons, join

PROBES = 96
"""Instances that are run without a horizon to see whether a program, or a network, stops by itself."""

_WIDTH = 8


def stops_by_itself(program: Program, task: Task) -> bool:
    """Whether most of a program's runs without a horizon stop by themselves.

    Such a program is judged where it stops, and a run that never does is wrong. Any other needs T(n) from
    outside, and is judged there, though some of its runs may stop before.

    Args:
        program: The program.
        task: Gives the instances, always the same ones.
    """
    if not program.can_halt:
        return False
    batch = probes(task)
    limits = caps(task, batch.difficulty, batch.memory_sizes)
    return most(run_batch(program, batch.memory, limits, batch.memory_sizes).halted)


def probes(task: Task) -> MixedBatch:
    """Small instances of many sizes, the same at every call."""
    rng = np.random.default_rng(11)
    first = task.smallest_difficulty
    plan = draw_range_plan(task, rng, first, first + _WIDTH - 1, PROBES)
    return join(task, list(plan.batches(task, rng)))


def most(halted: np.ndarray) -> bool:
    """Whether more than half of the runs, (B,), stopped."""
    return bool(2 * np.count_nonzero(halted) > len(halted))


def claim_of(must_stop: bool) -> str:
    """What is asked of a program's output."""
    if must_stop:
        return "output right where the program stops by itself"
    return "output right after T(n) steps, or where the program stops"


def limits(task: Task, batch: TaskBatch | MixedBatch, must_stop: bool) -> np.ndarray:
    """The last step of every run, (B,): of a program that stops by itself the cap, otherwise T(n)."""
    if must_stop:
        return caps(task, batch.difficulty, batch.memory_sizes)
    return horizons(task, batch.difficulty)
