"""What a task is: a batched sampler, an oracle that knows nothing of it, and an enumerator."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import numpy as np

from nram_env.checks import shown
from nram_env.tasks.batch import TaskBatch
from nram_env.tasks.spec import TaskSpec

NAMESPACE = "NRAM"
"""Of the environments of the paper's tasks and of tasks of one's own."""

LARGEST_MEMORY_SIZE = 2**40
"""Bound on M, far beyond what any computer holds; array libraries take much larger ones for negative."""


class Task(ABC):
    """A problem on a memory of integers, at any difficulty n and any large enough memory size M.

    A subclass sets `name` and `title` and fills in `smallest_memory_size`, `horizon`, `draw` and
    `oracle`; `check_task` then compares them with each other. `check_memory` and
    `enumerate_instances` are needed where memories come from outside, or all small ones are wanted.

    Attributes:
        name: As on the command line, "walkbst".
        title: As in the environment's id, "WalkBST" for NRAM/WalkBST-v0.
        namespace: What stands before it: NRAM for the paper's ten and for tasks of one's own.
        smallest_difficulty: Smallest n.
        num_registers: Registers that the environments give the machine unless told otherwise.
        spec: What the task wants, in terms, which a proof needs; None where nobody has written it down.

    Example:
        >>> import numpy as np
        >>> from nram_env import check_task
        >>> class Fill(Task):
        ...     name, title = "fill-example", "FillExample"
        ...
        ...     def smallest_memory_size(self, difficulty):
        ...         return difficulty + 2
        ...
        ...     def horizon(self, difficulty):
        ...         return difficulty + 2
        ...
        ...     def draw(self, rng, difficulty, memory_size):
        ...         cells = np.arange(memory_size)
        ...         mask = (cells >= 1) & (cells <= difficulty[:, None])
        ...         memory = np.where(mask, rng.integers(1, memory_size, mask.shape), 0)
        ...         memory[:, 0] = rng.integers(0, memory_size, len(memory))
        ...         return TaskBatch(memory, np.where(mask, memory[:, :1], memory), mask, difficulty)
        ...
        ...     def oracle(self, memory):
        ...         return dict.fromkeys(range(1, list(memory).index(0, 1)), memory[0])
        >>> check_task(Fill())
        []
    """

    name: ClassVar[str]
    title: ClassVar[str]
    namespace: ClassVar[str] = NAMESPACE
    smallest_difficulty: ClassVar[int] = 1
    num_registers: ClassVar[int] = 4
    spec: ClassVar[TaskSpec | None] = None

    @property
    def environment_id(self) -> str:
        """The environment's id.

        Example:
            >>> from nram_env.tasks import get_task
            >>> get_task("walkbst").environment_id, get_task("x-max").environment_id
            ('NRAM/WalkBST-v0', 'NRAM-X/Max-v0')
        """
        return f"{self.namespace}/{self.title}-v0"

    @property
    def summary(self) -> str:
        """What the task asks for: the first line of its class's docstring, empty if it has none."""
        return (type(self).__doc__ or "").strip().partition("\n")[0]

    @abstractmethod
    def smallest_memory_size(self, difficulty: int) -> int:
        """Smallest M that holds every instance of this n."""

    @abstractmethod
    def horizon(self, difficulty: int) -> int:
        """T(n): timesteps that an episode has unless told otherwise."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw one example for every entry of `difficulty` (B,); the request has been checked."""

    def draw_easy(self, rng: np.random.Generator, difficulty: np.ndarray, memory_size: int) -> TaskBatch:
        """Draw as `draw` does, but examples that a part of the wanted program solves; optional.

        A curriculum over something else than n: training may mix them in, tests never do. They need not be
        instances of the task, but the oracle must answer them.
        """
        raise NotImplementedError(f"task {self.name} has no easy examples")

    @property
    def has_easy_examples(self) -> bool:
        """Whether the task has `draw_easy`."""
        return type(self).draw_easy is not Task.draw_easy

    def require_easy_examples(self) -> None:
        """Reject a task without easy examples.

        Raises:
            ValueError: It has none.
        """
        if not self.has_easy_examples:
            raise ValueError(f"task {self.name} has no easy examples: easy_share must be 0")

    @abstractmethod
    def oracle(self, memory: Sequence[int]) -> dict[int, int]:
        """Solve one instance in plain Python, from its memory alone.

        Args:
            memory: M integers.

        Returns:
            The wanted value of every output cell.
        """

    def difficulty_of(self, memory: Sequence[int]) -> int:
        """n of a legal memory; here the number of output cells."""
        return len(self.oracle(memory))

    def check_memory(self, memory: Sequence[int]) -> None:
        """Accept a legal memory and reject any other.

        Here: M is enough for the smallest instance, and every cell holds an integer in 0..M-1.

        Raises:
            ValueError: The message names the cell and what it should hold.
        """
        require_size(self, memory, self.smallest_memory_size(self.smallest_difficulty))
        size = len(memory)
        for cell, value in enumerate(memory):
            legal = isinstance(value, int | np.integer) and not isinstance(value, bool) and 0 <= value < size
            require(legal, self, cell, value, f"an integer in 0..{size - 1}")

    def is_legal(self, memory: Sequence[int]) -> bool:
        """Whether `check_memory` accepts a memory."""
        try:
            self.check_memory(memory)
        except ValueError:
            return False
        return True

    def enumerate_instances(self, difficulty: int, memory_size: int) -> Iterator[tuple[int, ...]]:
        """Yield the memory of every instance of one size, each once.

        Raises:
            ValueError: The size is not legal.
            NotImplementedError: The task has no enumerator.
        """
        raise NotImplementedError(f"task {self.name} has no enumerate_instances")

    def sample(
        self,
        rng: np.random.Generator,
        difficulty: int | Sequence[int] | np.ndarray,
        memory_size: int,
        batch_size: int | None = None,
    ) -> TaskBatch:
        """Draw a batch of examples.

        Args:
            rng: Source of randomness.
            difficulty: n of all examples, or (B,) integers, n of each.
            memory_size: M, at least `smallest_memory_size` of the largest n.
            batch_size: B; default: as many as there are difficulties.

        Raises:
            ValueError: n or M is too small, or B and the number of difficulties disagree.

        Example:
            >>> from nram_env.tasks import get_task
            >>> batch = get_task("copy").sample(np.random.default_rng(0), difficulty=3, memory_size=8)
            >>> batch.memory.tolist(), batch.target[batch.mask].tolist()
            ([[4, 5, 4, 2, 0, 0, 0, 0]], [5, 4, 2])
        """
        values = self._difficulties(difficulty, memory_size, batch_size)
        return self._drawn("draw", self.draw(rng, values, int(memory_size)))

    def sample_easy(
        self,
        rng: np.random.Generator,
        difficulty: int | Sequence[int] | np.ndarray,
        memory_size: int,
        batch_size: int | None = None,
    ) -> TaskBatch:
        """Draw a batch of easy examples; arguments and errors as in `sample`.

        Raises:
            ValueError: The task has no easy examples.

        Example:
            >>> from nram_env.tasks import get_task
            >>> batch = get_task("permutation").sample_easy(np.random.default_rng(0), 3, memory_size=8)
            >>> batch.memory.tolist()
            [[4, 0, 1, 2, 2, 0, 0, 0]]
        """
        self.require_easy_examples()
        values = self._difficulties(difficulty, memory_size, batch_size)
        return self._drawn("draw_easy", self.draw_easy(rng, values, int(memory_size)))

    def _drawn(self, method: str, batch: TaskBatch) -> TaskBatch:
        """The batch that a method drew, under the task's name."""
        if not isinstance(batch, TaskBatch):
            raise ValueError(
                f"task {self.name}: {method} must return a TaskBatch, got {type(batch).__name__}"
            )
        return replace(batch, task=self.name)

    def _difficulties(
        self, difficulty: int | Sequence[int] | np.ndarray, memory_size: int, batch_size: int | None
    ) -> np.ndarray:
        """The checked difficulty of every example, (B,)."""
        values = np.atleast_1d(np.asarray(difficulty))
        self.check_request(values, memory_size)
        if batch_size is not None:
            if len(values) not in (1, batch_size):
                raise ValueError(f"batch_size is {batch_size}, but {len(values)} difficulties were given")
            values = np.broadcast_to(values, (batch_size,))
        return values.astype(np.int64)

    def check_request(self, difficulty: np.ndarray, memory_size: int) -> None:
        """Reject a difficulty or memory size that the task does not have.

        Raises:
            ValueError: The message restates what was asked for and names the smallest legal value.
        """
        if difficulty.ndim != 1 or difficulty.size == 0 or difficulty.dtype.kind not in "iu":
            raise ValueError(f"difficulty must be an integer or integers (B,), got {shown(difficulty)}")
        smallest, largest = int(difficulty.min()), int(difficulty.max())
        if smallest < self.smallest_difficulty:
            raise ValueError(
                f"difficulty of task {self.name} must be at least {self.smallest_difficulty}, got {smallest}"
            )
        if isinstance(memory_size, bool) or not isinstance(memory_size, int | np.integer):
            raise ValueError(f"memory_size must be an integer, got {shown(memory_size)}")
        needed = self.smallest_memory_size(largest)
        if memory_size < needed:
            raise ValueError(
                f"task {self.name} at difficulty {largest} needs memory_size >= {needed}, got {memory_size}"
            )
        if memory_size > LARGEST_MEMORY_SIZE:
            raise ValueError(f"memory_size must be at most {LARGEST_MEMORY_SIZE}, got {shown(memory_size)}")


def require(holds: bool, task: Task, cell: int, value: object, wanted: str) -> None:
    """Raise the ValueError of a malformed memory, naming the cell, unless `holds`."""
    if not holds:
        raise ValueError(f"task {task.name}: cell {cell} holds {value!r}, but must hold {wanted}")


def require_zeros(task: Task, memory: Sequence[int], first: int) -> None:
    """Check that every cell from `first` on holds 0."""
    for cell in range(first, len(memory)):
        require(memory[cell] == 0, task, cell, memory[cell], "0: no part of the instance lies there")


def require_size(task: Task, memory: Sequence[int], cells: int) -> None:
    """Check that an instance of so many cells fits into the memory."""
    if len(memory) < cells:
        raise ValueError(f"task {task.name}: the instance needs cells 0..{cells - 1}, M is {len(memory)}")


def instance_of(task: Task, memories: Sequence[Sequence[int]] | np.ndarray) -> TaskBatch:
    """Build a batch from given memories: checked by the task, answered by its oracle.

    Args:
        task: The task that the memories belong to.
        memories: B memories of the same size M.

    Raises:
        ValueError: No memories, unequal sizes, or a malformed one; the message names row and cell.

    Example:
        >>> from nram_env.tasks import get_task
        >>> instance_of(get_task("copy"), [[3, 1, 2, 0, 0]]).target.tolist()
        [[3, 1, 2, 1, 2]]
    """
    rows = [[value.item() if isinstance(value, np.generic) else value for value in row] for row in memories]
    if not rows or len({len(row) for row in rows}) != 1:
        raise ValueError(f"expected memories of one size, got sizes {[len(row) for row in rows]}")
    for number, row in enumerate(rows):
        try:
            task.check_memory(row)
        except ValueError as error:
            raise ValueError(f"example {number}: {error}") from None
    return _answered(task, rows)


def _answered(task: Task, rows: list[list[int]]) -> TaskBatch:
    memory = np.array(rows, dtype=np.int64)
    target, mask = memory.copy(), np.zeros(memory.shape, dtype=bool)
    for number, row in enumerate(rows):
        for cell, value in task.oracle(row).items():
            target[number, cell] = value
            mask[number, cell] = True
    difficulty = np.array([task.difficulty_of(row) for row in rows], dtype=np.int64)
    return TaskBatch(memory, target, mask, difficulty, task.name)
