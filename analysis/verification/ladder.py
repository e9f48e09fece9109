"""All checks of a program against its task, one after the other."""

from __future__ import annotations

import numpy as np

from analysis.program.certificate import Certificate
from analysis.program.program import Program
from analysis.verification.exhaustive import check_exhaustive
from analysis.verification.random_inputs import check_random
from analysis.verification.steps import check_stops
from analysis.verification.stopping import stops_by_itself
from analysis.verification.window import check_effects, check_window
from nram_env.checks import shown
from nram_env.tasks import Task, get_task

RUNS = 8_192
"""Random instances that a program is tested on."""

MUST_HOLD = ("stops", "random", "exhaustive", "time")
"""Checks of correctness that a good program passes; the others describe."""


def verify(
    program: Program, task: Task | str | None = None, *, largest: int = 100, seed: int = 0
) -> tuple[Certificate, ...]:
    """Check a program against its task: if it stops, where and when its output is right, what else changes.

    A program that stops by itself is judged where it stops; any other needs T(n) from outside.

    Args:
        program: The program.
        task: What is right; default: the task that the program names.
        largest: Largest difficulty n of the random instances.
        seed: Seed of the instances.

    Returns:
        Certificates of the checks "stops", "random", "exhaustive", "time" and "effects".

    Raises:
        ValueError: The program names no task, or one that is not known here, or `largest` is no n of it.

    Example:
        >>> from analysis import find_program, verify
        >>> [found.verdict for found in verify(find_program("zoo:access"), largest=20)[:3]]
        ['TESTED', 'TESTED', 'EXHAUSTIVE']
    """
    problem = task_of(program, task)
    least = problem.smallest_difficulty
    if isinstance(largest, bool) or not isinstance(largest, int | np.integer) or largest < least:
        raise ValueError(f"largest must be an integer of at least {least}, got {shown(largest)}")
    stops = stops_by_itself(program, problem)
    return (
        check_stops(program, problem, seed, stops),
        check_random(program, problem, largest, RUNS, seed, stops),
        check_exhaustive(program, problem, must_stop=stops),
        check_window(program, problem, seed, stops),
        check_effects(program, problem, seed, stops),
    )


def task_of(program: Program, task: Task | str | None) -> Task:
    """The task that a program is judged by: the one that is given, or else its own.

    Raises:
        ValueError: There is none, or it is not known here.
    """
    if isinstance(task, Task):
        return task
    if task is not None:
        return get_task(task)
    if program.task is None:
        raise ValueError(f"program {program.name} names no task; say by which one it is judged: task=...")
    return get_task(program.task, program.imports)
