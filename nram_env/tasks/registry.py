"""The table of tasks, and the environments that belong to them."""

from __future__ import annotations

from nram_env.envs.registration import register_environment
from nram_env.support import unknown_name
from nram_env.tasks.base import Task

_TASKS: dict[str, Task] = {}


def register_task(task: Task) -> None:
    """Add a task to the table and register its environment `NRAM/<title>-v0` with Gymnasium.

    Args:
        task: The task; its name must be free.

    Raises:
        ValueError: The name is taken by another class of task, or is not lower case.
    """
    known = _TASKS.get(task.name)
    if known is not None and type(known) is not type(task):
        raise ValueError(f"task name {task.name!r} is taken by {type(known).__name__}")
    if task.name != task.name.lower():
        raise ValueError(f"a task's name is written in lower case, got {task.name!r}")
    _TASKS[task.name] = task
    register_environment(task.name, task.title)


def get_task(name: str) -> Task:
    """Look a task up by its name or title, upper or lower case.

    Raises:
        ValueError: The name is unknown; the message offers the nearest.

    Example:
        >>> get_task("WalkBST").smallest_memory_size(2)
        10
    """
    task = _TASKS.get(name.lower()) if isinstance(name, str) else None
    if task is None:
        raise unknown_name("task", name, _TASKS)
    return task


def task_names() -> tuple[str, ...]:
    """Names of all tasks in the order of their registration, the paper's ten first."""
    return tuple(_TASKS)
