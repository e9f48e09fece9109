"""Registers that pass over the output, cell by cell: where a run is with it when t does not say so."""

from __future__ import annotations

import numpy as np

from analysis.program.program import Program
from analysis.proofs.claims import Stops
from analysis.proofs.runs import Runs
from analysis.proofs.setting import Setting
from analysis.proofs.timing import Timing
from nram_env.tasks import Task
from nram_env.tasks.spec import M, TaskSpec
from nram_env.tasks.terms import Term

_FACTORS, _FAR, _SLACK = (1, 2, 3), 8, 3
"""Timesteps of a cell at most, those besides, and how many more than were seen."""


def sweeping(program: Program, task: Task, runs: Runs) -> list[Setting]:
    """Settings that tell the time before a register reaches the output, when it is there, and later.

    Args:
        program: The program.
        task: Its task.
        runs: What was seen: a register sweeps if in every run it pointed at each output cell.
    """
    plain = Setting(program, task)
    low, high = plain.spec.output
    first, end = map(runs.start.value, plain.spec.output)
    if (end - first).min() == (end - first).max():
        return []
    return [
        Setting(program, task, splits=(low <= register, register < high))
        for index, register in enumerate(plain.registers)
        if _sweeps(runs.registers[:, :, index], first, end)
    ]


def _sweeps(values: np.ndarray, first: np.ndarray, end: np.ndarray) -> bool:
    """Whether values over time, (T, B), were each of first..end - 1."""
    cells = range(int(first.min()), int(end.max()))
    return all(bool(((values == cell).any(0) | (cell < first) | (end <= cell)).all()) for cell in cells)


def passes(timing: Timing, spec: TaskSpec) -> list[Stops]:
    """Claims of so many timesteps for every cell from the first output cell on, with little besides.

    They are less close than others, but what shows them is what one pass of a loop does.
    """
    low = spec.output[0]
    return [claim for end in dict.fromkeys((M, spec.output[1])) for claim in _of_cells(timing, end - low)]


def _of_cells(timing: Timing, cells: Term) -> list[Stops]:
    for factor in _FACTORS:
        besides = int((timing.steps - factor * timing.start.value(cells)).max())
        if abs(besides) <= _FAR:
            return [Stops(factor * cells + besides + slack) for slack in range(_SLACK)]
    return []
