"""Instances that a rewritten program is judged by, and what a program does on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.machine.batch import BatchMachine, Rows, run_batch
from analysis.program.program import Program
from analysis.verification.correctness import small_instances
from nram_env.tasks import MixedBatch, Task, caps, draw_range_plan, join

FIXED = 3
"""Cells from 0 on in which tasks keep what does not change: addresses of arrays, an index, a value."""

_ENUMERATED, _DRAWN, _WIDTH, _FIRST = 400, 240, 9, 64
_TIMES, _MORE = 4, 8


@dataclass(frozen=True)
class Visits:
    """The steps of all runs that took one edge, N of them.

    Attributes:
        values: (R + instructions, N); of the registers before the step, then of the block's instructions.
        sizes: (N,); M.
        fixed: (FIXED, N); what the first cells hold, -1 where that is not what they held at the start.
    """

    values: np.ndarray
    sizes: np.ndarray
    fixed: np.ndarray


@dataclass(frozen=True)
class Seen:
    """The runs of a program on all cases.

    Attributes:
        edges: (T, B); the edge of every step, -1 after the end.
        visits: For every edge the steps that took it.
    """

    edges: np.ndarray
    visits: tuple[Visits, ...]


class Judge:
    """Tells whether programs stop by themselves with the right output on all cases.

    Cases that told one wrong are tried first from then on.

    Args:
        task: Gives every instance of the smallest sizes, and drawn ones of many n and M.
        program: A right one; another may take four times its steps and some more.
        seed: Of the drawn ones.
    """

    def __init__(self, task: Task, program: Program, seed: int) -> None:
        rng = np.random.default_rng([seed, 5])
        first = task.smallest_difficulty
        drawn = draw_range_plan(task, rng, first, first + _WIDTH - 1, _DRAWN).batches(task, rng)
        self._cases = join(task, [*drawn, *small_instances(task, _ENUMERATED)])
        limits = caps(task, self._cases.difficulty, self._cases.memory_sizes)
        steps = run_batch(program, self._cases.memory, limits, self._cases.memory_sizes).steps
        self._limits = np.minimum(limits, _TIMES * steps + _MORE)
        self._order = rng.permutation(self._cases.batch_size)

    def accepts(self, program: Program) -> bool:
        """Whether a program is right on all cases."""
        return self._are_right(program, self._order[:_FIRST]) and self._are_right(
            program, self._order[_FIRST:]
        )

    def _are_right(self, program: Program, rows: np.ndarray) -> bool:
        cases = _rows(self._cases, rows)
        found = run_batch(program, cases.memory, self._limits[rows], cases.memory_sizes)
        wrong = ((found.memory != cases.target) & cases.mask).any(1) | ~found.halted
        if wrong.any():
            worst = rows[wrong][: _FIRST // 4]
            self._order = np.concatenate([worst, self._order[~np.isin(self._order, worst)]])
        return not wrong.any()

    def seen(self, program: Program) -> Seen:
        """The runs of a program on all cases."""
        return _Observer(program, self._cases, self._limits).seen()


class _Observer:
    """A batch of runs of which every step is written down."""

    def __init__(self, program: Program, cases: MixedBatch, limits: np.ndarray) -> None:
        self.program, self.cases, self.limits = program, cases, limits
        self.machine = BatchMachine(program, cases.memory, cases.memory_sizes)
        self.parts: list[list[Visits]] = [[] for _ in program.edges]
        self.edges: list[np.ndarray] = []

    def seen(self) -> Seen:
        while self._advance():
            pass
        nothing = np.zeros((0, self.cases.batch_size), dtype=np.int64)
        visits = tuple(
            self._joined(number, edge.block.instructions) for number, edge in enumerate(self.program.edges)
        )
        return Seen(np.stack(self.edges) if self.edges else nothing, visits)

    def _advance(self) -> bool:
        now = np.full(self.cases.batch_size, -1)
        self.edges.append(now)
        if not self.machine.advance(self.limits, self._note):
            self.edges.pop()
            return False
        return True

    def _note(self, edge: int, rows: Rows, values: Sequence[np.ndarray]) -> None:
        self.edges[-1][rows] = edge
        held = self.machine.memory[rows, :FIXED].T
        unchanged = held == self.cases.memory[rows, :FIXED].T
        fixed = np.where(unchanged, held, -1)
        self.parts[edge].append(Visits(np.array(values), self.cases.memory_sizes[rows], fixed))

    def _joined(self, edge: int, code: Sequence[object]) -> Visits:
        parts = self.parts[edge]
        if not parts:
            rows = (self.program.num_registers + len(code), FIXED)
            values, fixed = (np.zeros((row, 0), dtype=np.int64) for row in rows)
            return Visits(values, np.zeros(0, dtype=np.int64), fixed)
        return Visits(
            *(
                np.concatenate([getattr(part, name) for part in parts], axis=-1)
                for name in ("values", "sizes", "fixed")
            )
        )


def _rows(cases: MixedBatch, rows: np.ndarray) -> MixedBatch:
    names = ("memory", "target", "mask", "difficulty", "memory_sizes", "horizon")
    return replace(cases, **{name: getattr(cases, name)[rows] for name in names})
