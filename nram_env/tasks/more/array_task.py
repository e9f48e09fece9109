"""What all tasks on arrays share: a layout and a specification say almost everything of one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from nram_env.tasks.base import Task
from nram_env.tasks.batch import TaskBatch
from nram_env.tasks.more.family import FURTHER
from nram_env.tasks.more.layout import Layout, at
from nram_env.tasks.spec import TaskSpec


class ArrayTask(Task):
    """A task on arrays: a subclass sets `layout` and `spec`, and fills in `answer` and `oracle`.

    Attributes:
        layout: Which memories are legal, as far as ranges and order say it.
        spec: What is wanted, made by `layout.spec`; output cells and T(n) are read off it.
    """

    namespace = FURTHER
    num_registers = 6
    layout: ClassVar[Layout]
    spec: ClassVar[TaskSpec]

    @abstractmethod
    def answer(self, memory: np.ndarray, difficulty: np.ndarray) -> np.ndarray:
        """What the output cells hold afterwards.

        Args:
            memory: (B, M) before; not to be changed.
            difficulty: (B,) n of every row.

        Returns:
            (B, M), or what broadcasts to it, read at the output cells alone.
        """

    def arrange(self, rng: np.random.Generator, memory: np.ndarray, difficulty: np.ndarray) -> None:
        """Change drawn memories (B, M) so that what matters occurs in them often enough; here not at all."""

    def smallest_memory_size(self, difficulty: int) -> int:
        """As the layout needs it."""
        return self.layout.smallest_memory_size(difficulty)

    def horizon(self, difficulty: int) -> int:
        """As the specification says it."""
        return int(at(self.spec.horizon, difficulty))

    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw memories of the layout, and arrange them."""
        memory = self.layout.draw(rng, difficulty, memory_size)
        self.arrange(rng, memory, difficulty)
        low, high = (at(end, difficulty[:, None], memory_size) for end in self.spec.output)
        cells = np.broadcast_to(np.arange(memory_size), memory.shape)
        mask = (cells >= low) & (cells < high)
        return TaskBatch(memory, np.where(mask, self.answer(memory, difficulty), memory), mask, difficulty)

    def difficulty_of(self, memory: Sequence[int]) -> int:
        """The length of an array."""
        return self.layout.length(memory)

    def check_memory(self, memory: Sequence[int]) -> None:
        """See the picture."""
        super().check_memory(memory)
        self.layout.check(self, memory)

    def enumerate_instances(self, difficulty: int, memory_size: int) -> Iterator[tuple[int, ...]]:
        """Every lead in its range, with every array."""
        self.check_request(np.array([difficulty]), memory_size)
        return self.layout.memories(difficulty, memory_size)
