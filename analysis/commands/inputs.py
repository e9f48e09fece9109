"""The input of a verb that runs a program, checked before the program, which may take long to extract."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.extraction.resolve import Source
from analysis.verification.stopping import limits
from nram_env.tasks import Task, example_of, get_task, instance_of


def task_of(source: Source, name: str | None) -> Task:
    """The task that was asked for, or else the program's own.

    Raises:
        ValueError: There is none, or no task has this name.
    """
    task = source.known_task() if name is None else get_task(name)
    if task is None:
        raise ValueError("the program names no task; say which one with --task")
    return task


def given_memory(memory: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """The memory as it was given.

    Raises:
        ValueError: It has no cell.
    """
    if memory == ():
        raise ValueError("memory must have at least one cell, got none")
    return memory


def instance(task: Task, n: int, seed: int) -> tuple[int, ...]:
    """A random instance in the smallest memory.

    Raises:
        ValueError: n is too small for the task.
    """
    return tuple(example_of(task, n, seed).memory[0].tolist())


def checked_steps(steps: int | None) -> int | None:
    """T as it was given.

    Raises:
        ValueError: It is negative.
    """
    if steps is not None and steps < 0:
        raise ValueError(f"steps must be at least 0, got {steps}")
    return steps


def last_step(task: Task, memory: Sequence[int], must_stop: bool) -> int:
    """T of a run of a legal memory: the task's, or the cap for a program that stops by itself."""
    return int(limits(task, instance_of(task, [memory]), must_stop)[0])
