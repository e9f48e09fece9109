"""The memory of a task as a picture: an instance, what its parts are called, and what is wanted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from analysis.pictures.svg import CHARACTER, Picture, document, line, point, rectangle, words
from nram_env import Task, TaskBatch
from nram_env.tasks.parts import Part
from nram_env.tasks.terms import evaluate

DIFFICULTY, SEED = 3, 0

_CELL, _HEIGHT, _LEFT = 40, 26, 64
_NUMBERS, _NAMES, _BEFORE, _WANTED = 104, 12, 24, 60
"""The y of cell numbers, names of parts, and both rows."""

_KINDS = ("register", "memory", "state")


def memory_picture(task: Task) -> str:
    """An SVG file: an instance above, with the names of its parts, and the wanted output below."""
    batch = task.sample(np.random.default_rng(SEED), DIFFICULTY, task.smallest_memory_size(DIFFICULTY), 1)
    shapes = (*_rows(task, batch), *_names(task, batch))
    width = _LEFT + _CELL * batch.memory_size
    return document(Picture(width, _NUMBERS, shapes), f"memory of {task.title}, n = {DIFFICULTY}")


def _spans(task: Task, batch: TaskBatch) -> list[tuple[Part, int, int]]:
    """Every part of the memory with its first cell, and one behind its last."""
    assert task.spec is not None
    values = task.spec.values(batch.memory[0].tolist())
    return [(part, evaluate(part.low, values), evaluate(part.high, values)) for part in task.spec.parts]


def _rows(task: Task, batch: TaskBatch) -> Iterator[str]:
    kinds = ["box"] * batch.memory_size
    for number, (_, low, high) in enumerate(_spans(task, batch)):
        kinds[low:high] = [_KINDS[number % len(_KINDS)]] * (high - low)
    for name, y in (("before", _BEFORE), ("wanted", _WANTED), ("cell", _NUMBERS - 20)):
        yield words(0, y + 17, name)
    for cell in range(batch.memory_size):
        yield from _cell(cell, _BEFORE, str(batch.memory[0, cell]), kinds[cell])
        if batch.mask[0, cell]:
            yield from _cell(cell, _WANTED, str(batch.target[0, cell]), kinds[cell])
        yield words(_LEFT + (cell + 0.5) * _CELL, _NUMBERS - 3, str(cell), "small middle")


def _cell(cell: int, y: float, value: str, kind: str) -> Iterator[str]:
    yield rectangle(_LEFT + cell * _CELL, y, _CELL, _HEIGHT, kind, 0)
    yield words(_LEFT + (cell + 0.5) * _CELL, y + 17, value, "middle")


def _names(task: Task, batch: TaskBatch) -> Iterator[str]:
    for part, low, high in _spans(task, batch):
        left, right = _LEFT + low * _CELL, _LEFT + high * _CELL
        yield words((left + right) / 2, _NAMES, part.name, "middle")
        if not part.is_cell and right - left > len(part.name) * CHARACTER:
            yield line(f"M{point(left + 2, _NAMES + 6)} H{right - 2:.1f}", "wire")
