"""`nram tasks`: what there is to learn."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tyro
from rich.console import Group
from rich.table import Table
from rich.text import Text

from analysis.commands.output import emit, say
from nram_env.tasks import Task, TaskBatch, TaskSpec, find_task, get_task, plugin_names, task_names


@dataclass(frozen=True)
class Tasks:
    """List the tasks, or show one: its memory, what it wants in terms, an instance, the wanted output.

    Examples:
        nram tasks
        nram tasks listk --n 4 --seed 7
    """

    task: tyro.conf.Positional[str | None] = None
    """Task to show; none for the list."""
    n: int | None = None
    """Difficulty of the instance; default 5."""
    memory_size: int | None = None
    """M of the instance; default: the smallest legal one."""
    seed: int = 0
    """Seed of the instance."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Print; exit code 0 unless the task or size is unknown."""
        return self._list() if self.task is None else self._show(get_task(self.task))

    def _list(self) -> int:
        for name in plugin_names():
            try:
                find_task(name)
            except ValueError as error:  # it harms nobody else
                say(f"left out: {error}")
        tasks = [get_task(name) for name in task_names()]
        families = dict.fromkeys(task.namespace for task in tasks)
        tables = [_table([task for task in tasks if task.namespace == family]) for family in families]
        told = [
            {"name": task.name, "environment": task.environment_id, "summary": _summary(task)}
            for task in tasks
        ]
        emit({"tasks": told}, Group(*tables, Text(_CAPTION, style="italic")), self.json)
        return 0

    def _show(self, task: Task) -> int:
        n = max(5, task.smallest_difficulty) if self.n is None else self.n
        size = task.smallest_memory_size(n) if self.memory_size is None else self.memory_size
        batch = task.sample(np.random.default_rng(self.seed), n, size)
        heading = f"An instance with n = {n}, M = {size} (seed {self.seed}); horizon T = {task.horizon(n)}"
        terms = None if task.spec is None else _terms(task.spec)
        shown = Group(*(Text(f"{part}\n") for part in (*words_of(task), heading)), _instance(batch))
        wanted = {int(cell): int(batch.target[0, cell]) for cell in np.flatnonzero(batch.mask[0])}
        memory = batch.memory[0].tolist()
        result = {"task": task.name, "spec": terms, "n": n, "memory": memory, "wanted": wanted}
        emit(result, shown, self.json)
        return 0


_CAPTION = "M, T: smallest memory and horizon at n = 5; R: registers"


def _table(tasks: Sequence[Task]) -> Table:
    """The tasks of a namespace."""
    table = Table(box=None, padding=(0, 1), title=tasks[0].namespace, title_justify="left")
    for heading in ("task", "M", "T", "R", "what it asks for"):
        table.add_column(heading)
    for task in tasks:
        sizes = (task.smallest_memory_size(5), task.horizon(5), task.num_registers)
        table.add_row(task.name, *map(str, sizes), _summary(task))
    return table


def words_of(task: Task) -> list[str]:
    """What a task wants: in words, and in terms where somebody has written them down."""
    terms = () if task.spec is None else ("In terms:", _terms(task.spec))
    return [inspect.cleandoc(task.__doc__ or ""), *terms]


def _terms(spec: TaskSpec) -> str:
    return f"{spec.text()}\n{spec.parts_text()}".rstrip()


def _summary(task: Task) -> str:
    """The task's summary without its place in the paper."""
    return task.summary.partition(" (paper")[0].rstrip(".")


def _instance(batch: TaskBatch) -> Table:
    """Cells, memory and wanted values as three lines."""
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_row("cell", *map(str, range(batch.memory_size)))
    table.add_row("memory", *map(str, batch.memory[0]))
    wanted = np.where(batch.mask[0], batch.target[0].astype(str), "")
    table.add_row("wanted", *(Text(value, style="bold") for value in wanted))
    return table
