"""Examples of a task as notebooks show them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from nram_env.markup import Markup, clipped, marked, notebook_table

if TYPE_CHECKING:
    from nram_env.tasks.batch import TaskBatch

MOST_CELLS, MOST_EXAMPLES = 40, 6
"""Cells of a memory, and examples, that are shown; of more, the first and the last."""

_GAP = "\N{HORIZONTAL ELLIPSIS}"


def examples_table(batch: TaskBatch) -> Markup:
    """What each memory holds at the start, and below it what its output cells shall hold."""
    cells = clipped(list(range(batch.memory_size)), MOST_CELLS, None)
    shown = clipped(list(range(batch.batch_size)), MOST_EXAMPLES, None)
    rows = [row for example in shown for row in _rows(batch, example, cells)]
    heads = ["", *(_GAP if cell is None else str(cell) for cell in cells)]
    return notebook_table(_caption(batch), heads, rows)


def _caption(batch: TaskBatch) -> str:
    count, sizes = batch.batch_size, np.unique(batch.difficulty)
    name = batch.task or "examples"
    n = f"n = {sizes[0]}" if len(sizes) == 1 else f"n = {sizes[0]} to {sizes[-1]}"
    return ", ".join([name, *([f"{count} examples"] if count > 1 else []), n, f"M = {batch.memory_size}"])


def _rows(batch: TaskBatch, example: int | None, cells: list[int | None]) -> Iterator[list[str]]:
    if example is None:
        yield [_GAP] * (len(cells) + 1)
        return
    memory, target, mask = (part[example].tolist() for part in (batch.memory, batch.target, batch.mask))
    number = f"{example}: " if batch.batch_size > 1 else ""
    yield [f"{number}memory", *(_GAP if cell is None else str(memory[cell]) for cell in cells)]
    wanted = (_GAP if cell is None else str(target[cell]) if mask[cell] else None for cell in cells)
    yield [f"{number}wanted", *(_wanted(entry) for entry in wanted)]


def _wanted(entry: str | None) -> str:
    return "" if entry is None else entry if entry == _GAP else marked(entry, ("as wanted",))
