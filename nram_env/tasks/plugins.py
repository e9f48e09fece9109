"""Tasks that installed distributions bring along: the entry points of the group `nram.tasks`.

An entry point is called as its task, and its value is the task's class:

    [project.entry-points."nram.tasks"]
    double = "mytasks:Double"

It is loaded when its task is asked for, not before, so that one that is broken harms nobody else.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from nram_env.tasks.base import Task

GROUP = "nram.tasks"
"""Name of the group of entry points."""


def plugin_names() -> tuple[str, ...]:
    """Names of the tasks that installed distributions bring along, loaded or not."""
    return tuple(sorted(entry_points(group=GROUP).names))


def load_plugin(name: str) -> Task | None:
    """The task of that name that an installed distribution brings along, or None.

    Raises:
        ValueError: It cannot be loaded, or is not what it should be; the message names the distribution.
    """
    found = tuple(entry_points(group=GROUP, name=name))
    if not found:
        return None
    if len(found) > 1:
        raise ValueError(f"task {name!r} is brought along by {' and by '.join(map(_distribution, found))}")
    (entry,) = found
    try:
        kind = entry.load()
        task = kind() if isinstance(kind, type) else kind
    except Exception as error:  # whatever foreign code raises
        raise ValueError(f"{_described(entry)} cannot be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(task, Task) or task.name != name:
        raise ValueError(f"{_described(entry)} is not the class of a task of that name, but {kind!r}")
    return task


def _described(entry: EntryPoint) -> str:
    return f"task {entry.name!r}, {entry.value} of {_distribution(entry)},"


def _distribution(entry: EntryPoint) -> str:
    return "an unknown distribution" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"
