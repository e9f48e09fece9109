"""The table of tasks, what registers those of one's own, and the environments that belong to them."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from nram_env.checks import shown
from nram_env.envs.registration import register_environment
from nram_env.support import unknown_name
from nram_env.tasks.base import NAMESPACE, Task
from nram_env.tasks.plugins import load_plugin, plugin_names
from nram_env.tasks.spec import TaskSpec

_TASKS: dict[str, Task] = {}

_SOURCES: dict[str, str | None] = {}
"""By the name of a task: the file or module whose import registers it; None where none has to be imported."""

_under_way: list[str | None] = []
_done: set[str | None] = set()


class UnknownTaskError(ValueError):
    """No task is registered under a name; the message says what would register it, where that is known."""


def register_task(task: Task) -> None:
    """Add a task to the table and register its environment, `NRAM/<title>-v0`, with Gymnasium.

    Args:
        task: The task; its name, and its title within its namespace, must be free.

    Raises:
        ValueError: This is no task, its name or title is taken by another class of task, or an attribute is
            not what it should be.

    Example:
        >>> from nram_env import env_ids, get_task
        >>> register_task(get_task("copy"))  # as it was registered when nram_env was imported
        >>> "NRAM/Copy-v0" in env_ids()
        True
    """
    if not isinstance(task, Task):
        raise ValueError(f"a task is an instance of a subclass of Task, as in Fill(), got {shown(task)}")
    for fault in attribute_faults(task).values():
        raise ValueError(fault)
    for known in _TASKS.values():
        for kind, unique in (("name", "name"), ("title", "environment_id")):
            if getattr(task, unique) == getattr(known, unique) and type(task) is not type(known):
                raise ValueError(f"task {kind} {getattr(task, kind)!r} is taken by {type(known).__name__}")
    _TASKS[task.name] = task
    _SOURCES[task.name] = _under_way[-1] if _under_way else _module_of(task)
    register_environment(task.environment_id, task.name)


def attribute_faults(task: Task) -> dict[str, str]:
    """What is wrong with the attributes of a task, by their names."""
    found = {}
    for attribute, (right, rule) in _ATTRIBUTES.items():
        value = getattr(task, attribute, None)
        if not right(value):
            found[attribute] = f"a task's {attribute} is {rule}, got {shown(value)}"
    return found


def _is_word(pattern: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


_ATTRIBUTES: dict[str, tuple[Callable[[object], bool], str]] = {
    "name": (_is_word("[a-z][a-z0-9_-]{0,39}"), "a word of a-z, 0-9, - and _, at most 40, in lower case"),
    "title": (_is_word("[A-Za-z][A-Za-z0-9_]{0,39}"), "a word of at most 40 letters, digits and _"),
    "namespace": (_is_word("[A-Za-z][A-Za-z0-9_-]{0,39}"), "a word of at most 40 letters, digits, - and _"),
    "smallest_difficulty": (_is_positive, "an integer from 1 on"),
    "num_registers": (_is_positive, "an integer from 1 on"),
    "spec": (lambda value: value is None or isinstance(value, TaskSpec), "a TaskSpec, or None"),
}


def get_task(name: str, imports: Sequence[str] = ()) -> Task:
    """Look a task up by its name, or a title of the namespace NRAM, upper or lower case, plugins as well.

    Args:
        name: The name.
        imports: What registers the task, as a file that names the task says; nothing is imported here.

    Raises:
        UnknownTaskError: The name is unknown; the message offers the nearest, or says what to import.
        ValueError: A plugin has the task and cannot be loaded.

    Example:
        >>> get_task("WalkBST").smallest_memory_size(2)
        10
        >>> get_task("double", imports=["mytasks"])
        Traceback (most recent call last):
        nram_env.tasks.registry.UnknownTaskError: unknown task 'double'; it was registered by mytasks: add \
--import mytasks
    """
    task = find_task(name)
    if task is None:
        wanted = f"unknown task {shown(name)}; {_wanted(imports)}"
        raise UnknownTaskError(wanted if imports else _advice(name))
    return task


def find_task(name: str | None) -> Task | None:
    """The task of a name or title, or None where no such task is known.

    Raises:
        ValueError: A plugin has the task and cannot be loaded.
    """
    if not isinstance(name, str):
        return None
    key = name.lower()
    for task in _TASKS.values():
        if key == task.name or (key == task.title.lower() and task.namespace == NAMESPACE):
            return task
    plugin = load_plugin(key)
    if plugin is not None:
        with importing(None):
            register_task(plugin)
    return plugin


def task_names(namespace: str | None = None) -> tuple[str, ...]:
    """Names of all tasks that are registered, in that order: the paper's ten, the further ones, one's own.

    Args:
        namespace: If given, of the tasks of this namespace alone.

    Example:
        >>> task_names()[:3], task_names("NRAM-X")[:3]
        (('access', 'increment', 'copy'), ('x-max', 'x-sum', 'x-last'))
    """
    return tuple(name for name, task in _TASKS.items() if namespace in (None, task.namespace))


def task_imports(name: str) -> tuple[str, ...]:
    """What has to be imported in another process before it knows a task: one file or module, or nothing.

    Example:
        >>> task_imports("copy")
        ()
    """
    source = _SOURCES.get(name)
    return () if source is None else (source,)


@contextmanager
def importing(source: str | None) -> Iterator[None]:
    """Note that the tasks that are registered meanwhile are so by the import of `source`."""
    _under_way.append(source)
    try:
        yield
    finally:
        _under_way.pop()
    _done.add(source)


def _module_of(task: Task) -> str | None:
    """The module that defines a task's class: its name if it lies in a package, otherwise its file."""
    name = type(task).__module__
    if name.startswith("nram_env."):
        return None
    if "." in name:
        return name
    file = getattr(sys.modules.get(name), "__file__", None)
    return None if file is None else str(Path(file).resolve())


def _wanted(imports: Sequence[str]) -> str:
    """What to do about a task that imports registered, in the process that wrote of it."""
    files = ", ".join(Path(source).name for source in imports)
    missing = [source for source in imports if source not in _done]
    if not missing:
        return f"it was registered by {files}, which does so no more"
    gone = [source for source in missing if Path(source).is_absolute() and not Path(source).exists()]
    flags = " ".join(f"--import {shlex.quote(source)}" for source in missing)
    return f"it was registered by {files}: add {flags}" + (", from where it lies now" if gone else "")


_IDENTIFIER = re.compile(r"(?:([\w./ -]{1,200}):)?(?:(NRAM[\w-]{0,36})/)?(\w[\w-]{0,39}?)(?:-v\d+)?")
"""What Gymnasium calls an environment: a module to import first, the namespace, the title, the version."""


def _advice(name: object) -> str:
    found = _IDENTIFIER.fullmatch(name) if isinstance(name, str) else None
    if found and (found[1] or found[2]):
        advice = f"unknown task {shown(name)}; a task is called by its name alone, as in {_name_of(found)!r}"
        own = found[1] and find_task(found[3]) is None
        return advice + (f"; --import {shlex.quote(found[1])} registers it" if own else "")
    known = [*_TASKS, *(plugin for plugin in plugin_names() if plugin not in _TASKS)]
    return f"{unknown_name('task', name, known)}; one of your own needs --import FILE_OR_MODULE"


def _name_of(identifier: re.Match[str]) -> str:
    """What the task of an environment's id is called, whether there is one or not."""
    wanted = (identifier[2] or NAMESPACE, identifier[3].lower())
    named = (task.name for task in _TASKS.values() if (task.namespace, task.title.lower()) == wanted)
    return next(named, identifier[3].lower())
