"""Examples of a task: what memory holds before, and what is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nram_env.tasks.html import examples_table


@dataclass(frozen=True)
class TaskBatch:
    """A batch of B examples that share one memory size M.

    Attributes:
        memory: (B, M) int64, each in 0..M-1; what memory holds before the first timestep.
        target: (B, M) int64; the wanted value of every output cell, the old value elsewhere.
        mask: (B, M) bool; true at the output cells.
        difficulty: (B,) int64; n of every row.
        task: Name of the task that drew or answered the examples; None for arrays put together by hand.

    Example:
        >>> import numpy as np
        >>> from nram_env import get_task
        >>> batch = get_task("increment").sample(np.random.default_rng(0), 2, 4, 3)
        >>> batch.batch_size, batch.memory_size, batch.mask[0].tolist()
        (3, 4, [True, True, False, False])
    """

    memory: np.ndarray
    target: np.ndarray
    mask: np.ndarray
    difficulty: np.ndarray
    task: str | None = None

    @property
    def batch_size(self) -> int:
        """B, the number of examples."""
        return self.memory.shape[0]

    @property
    def memory_size(self) -> int:
        """M, the number of cells and of integers."""
        return self.memory.shape[1]

    @property
    def memory_sizes(self) -> np.ndarray:
        """M of every row, (B,): all the same."""
        return np.full(self.batch_size, self.memory_size)

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        return examples_table(self)

    def rows(self, index: int | slice | Sequence[int] | np.ndarray) -> TaskBatch:
        """The examples that `index` selects, as a batch of their own; an integer selects a batch of one."""
        chosen = [int(index)] if isinstance(index, int | np.integer) else index
        return TaskBatch(
            self.memory[chosen], self.target[chosen], self.mask[chosen], self.difficulty[chosen], self.task
        )

    def where(self, rows: np.ndarray, other: TaskBatch) -> TaskBatch:
        """This batch's examples where `rows` (B,) is true, those of `other`, of the same M, elsewhere."""
        wide = rows[:, None]
        return TaskBatch(
            np.where(wide, self.memory, other.memory),
            np.where(wide, self.target, other.target),
            np.where(wide, self.mask, other.mask),
            np.where(rows, self.difficulty, other.difficulty),
            self.task if self.task == other.task else None,
        )
