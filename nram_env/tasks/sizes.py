"""Sizes to test at: n, and the slack of M (M less the smallest legal one), drawn apart from each other.

A program may be right at every size but those with one certain slack. So whatever is tested is tested on
small groups of examples, each group with an M of its own: slack 0, 1, 2, ... densely, then up to three times
the needed size. Every check, every test for "solved" and every table takes its sizes from here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np

from nram_env.checks import shown
from nram_env.tasks.base import Task
from nram_env.tasks.batch import TaskBatch

DENSE_SLACK = 16
"""Every slack from 0 to this one is drawn equally often."""

FAR_SHARES = (1, 2)
"""Slacks beyond are drawn up to so many times the needed size, so that M is up to two or three times it."""

LARGEST_DIFFICULTY = 2**31 - 1
"""No test is asked for a larger n."""

GROUP = 4
"""Examples that share one n and one M."""

CAP_HORIZONS, CAP_PASSES, CAP_REST = 10, 3, 50
"""A run that has not stopped after 10 T(n) + 3 M + 50 steps is taken for one without an end."""

_FAR_IN_CYCLE = 7
_CELLS = 2**22
_NARROW = 64


@dataclass(frozen=True)
class MixedBatch:
    """B examples of many memory sizes, every row filled up with zeros to the largest, W.

    Attributes:
        memory: (B, W) int64; row b holds its M_b cells first.
        target: (B, W) int64; the wanted value of every output cell, the old value elsewhere.
        mask: (B, W) bool; true at the output cells.
        difficulty: (B,) int64; n of every row.
        memory_sizes: (B,) int64; M of every row.
        horizon: (B,) int64; T(n) of every row.
    """

    memory: np.ndarray
    target: np.ndarray
    mask: np.ndarray
    difficulty: np.ndarray
    memory_sizes: np.ndarray
    horizon: np.ndarray

    @property
    def batch_size(self) -> int:
        """B, the number of examples."""
        return len(self.memory)


@dataclass(frozen=True)
class SizePlan:
    """Which sizes to test, and on how many examples each: G groups.

    Attributes:
        difficulty: (G,) int64; n of every group.
        memory_size: (G,) int64; M of every group.
        examples: (G,) int64; how many examples of this n and M.
    """

    difficulty: np.ndarray
    memory_size: np.ndarray
    examples: np.ndarray

    @property
    def pairs(self) -> int:
        """How many different (n, M) there are."""
        return len(set(zip(self.difficulty.tolist(), self.memory_size.tolist(), strict=True)))

    def batches(self, task: Task, rng: np.random.Generator) -> Iterator[TaskBatch]:
        """Draw the examples, a batch for every group, from small M to large."""
        plan = self.sorted()
        groups = zip(plan.difficulty.tolist(), plan.memory_size.tolist(), plan.examples.tolist(), strict=True)
        for n, memory_size, examples in groups:
            yield task.sample(rng, n, memory_size, examples)

    def mixed(self, task: Task, rng: np.random.Generator, rows: int = 1) -> Iterator[MixedBatch]:
        """Draw the same examples as `batches` does, many groups in one batch.

        Args:
            task: The task.
            rng: Source of randomness.
            rows: How many rows the caller makes of an example; bounds the memory that a batch takes.
        """
        plan, batches = self.sorted(), self.batches(task, rng)
        for first, end in pairwise(_cuts(plan.memory_size, rows * plan.examples)):
            yield join(task, list(islice(batches, end - first)))

    def sorted(self) -> SizePlan:
        """The same groups from small M to large, those of the same M from small n to large."""
        return self.groups(np.lexsort((self.difficulty, self.memory_size)))

    def groups(self, chosen: slice | np.ndarray) -> SizePlan:
        """Some of the groups."""
        return SizePlan(self.difficulty[chosen], self.memory_size[chosen], self.examples[chosen])


def draw_plan(
    task: Task,
    rng: np.random.Generator,
    difficulties: Sequence[int] | np.ndarray,
    examples: int,
    memory_size: int | None = None,
) -> SizePlan:
    """Draw sizes: for each given n so many examples, in groups of at most GROUP, each group with its own M.

    Args:
        task: The task.
        rng: Source of randomness.
        difficulties: n's, each of at least the task's smallest.
        examples: Examples of every entry of `difficulties`.
        memory_size: M of all groups, where it is not to be drawn.

    Raises:
        ValueError: There are no examples.

    Example:
        >>> from nram_env.tasks import get_task
        >>> plan = draw_plan(get_task("copy"), np.random.default_rng(0), [3, 5], examples=8)
        >>> plan.difficulty.tolist(), plan.examples.tolist()
        ([3, 3, 5, 5], [4, 4, 4, 4])
        >>> bool((plan.memory_size >= [7, 7, 11, 11]).all())
        True
    """
    parts = _parts(examples)
    for n in difficulties:
        if not task.smallest_difficulty <= n <= LARGEST_DIFFICULTY:
            limits = f"{task.smallest_difficulty}..{LARGEST_DIFFICULTY}"
            raise ValueError(f"difficulty of task {task.name} must be in {limits}, got {shown(n)}")
    difficulty = np.repeat(np.asarray(difficulties, dtype=np.int64), len(parts))
    if memory_size is None:
        sizes = _drawn_sizes(task, rng, difficulty)
    else:
        sizes = np.full(len(difficulty), memory_size)
    return SizePlan(difficulty, sizes, np.tile(parts, len(difficulties)))


def draw_range_plan(task: Task, rng: np.random.Generator, low: int, high: int, examples: int) -> SizePlan:
    """Draw sizes for so many examples in groups of at most GROUP: n from low to high, and M as above."""
    parts = _parts(examples)
    difficulty = rng.integers(low, high, len(parts), endpoint=True)
    return SizePlan(difficulty, _drawn_sizes(task, rng, difficulty), parts)


def grid_plan(task: Task, difficulties: Sequence[int], examples: int, dense: int = DENSE_SLACK) -> SizePlan:
    """Every slack from 0 to `dense`, and twice and three times the needed size, at every given n.

    Args:
        task: The task.
        difficulties: n's, each of at least the task's smallest.
        examples: Examples of every (n, M).
        dense: The last of the slacks that are tried one by one.
    """
    pairs = sorted(
        {
            (n, needed + slack)
            for n in difficulties
            for needed in (task.smallest_memory_size(n),)
            for slack in (*range(dense + 1), *(share * needed for share in FAR_SHARES))
        }
    )
    difficulty, sizes = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return SizePlan(difficulty, sizes, np.full(len(pairs), examples))


def example_of(task: Task, n: int, seed: int) -> TaskBatch:
    """The one example of a size and a seed, in the smallest memory: the same wherever it is looked at.

    Raises:
        ValueError: n is too small for the task.
    """
    return task.sample(np.random.default_rng(seed), n, task.smallest_memory_size(n))


def join(task: Task, batches: Sequence[TaskBatch]) -> MixedBatch:
    """Put batches of any memory sizes into one; their rows stay in order."""
    width = max(batch.memory_size for batch in batches)
    memory, target, mask = (
        np.concatenate([_widened(getattr(batch, name), width) for batch in batches])
        for name in ("memory", "target", "mask")
    )
    difficulty = np.concatenate([batch.difficulty for batch in batches])
    sizes = np.repeat([b.memory_size for b in batches], [b.batch_size for b in batches])
    return MixedBatch(memory, target, mask, difficulty, sizes, horizons(task, difficulty))


def horizons(task: Task, difficulty: np.ndarray) -> np.ndarray:
    """T(n) of every n, (B,)."""
    known = {n: task.horizon(n) for n in set(difficulty.tolist())}
    return np.array([known[n] for n in difficulty.tolist()], dtype=np.int64)


def caps(task: Task, difficulty: np.ndarray, memory_sizes: np.ndarray | int) -> np.ndarray:
    """The step of every run, (B,), at which one that has not stopped is taken for one without an end.

    A program that stops does so after a multiple of T(n), or when a pointer has come round, which takes up
    to M steps a round, and M may be many times what n needs. So the cap grows with both.

    Args:
        task: Gives T(n).
        difficulty: n of every run, (B,).
        memory_sizes: M of every run, (B,), or of all.

    Example:
        >>> from nram_env.tasks import get_task
        >>> caps(get_task("copy"), np.array([1, 8]), 20).tolist()
        [150, 220]
    """
    return CAP_HORIZONS * horizons(task, difficulty) + CAP_PASSES * np.asarray(memory_sizes) + CAP_REST


def most_steps(task: Task, memory_size: int) -> int:
    """The cap of a run whose n is not known: that of n = M, which no instance reaches.

    Example:
        >>> from nram_env.tasks import get_task
        >>> most_steps(get_task("copy"), 20)
        340
    """
    return int(caps(task, np.array([memory_size]), memory_size)[0])


def _parts(examples: int) -> np.ndarray:
    if examples < 1:
        raise ValueError(f"examples must be at least 1, got {shown(examples)}")
    return np.array([min(GROUP, examples - first) for first in range(0, examples, GROUP)], dtype=np.int64)


def _drawn_sizes(task: Task, rng: np.random.Generator, difficulty: np.ndarray) -> np.ndarray:
    """M of every group: each run of 24 groups has every slack from 0 to 16 once, and seven beyond."""
    needed = np.array([task.smallest_memory_size(n) for n in difficulty.tolist()], dtype=np.int64)
    cycle = np.arange(DENSE_SLACK + 1 + _FAR_IN_CYCLE)
    cycles = [rng.permutation(cycle) for _ in range(-(-len(needed) // len(cycle)))]
    slack = np.concatenate([*cycles, cycle[:0]])[: len(needed)]
    most = np.maximum(FAR_SHARES[-1] * needed, DENSE_SLACK)
    far = rng.integers(np.where(most > DENSE_SLACK, DENSE_SLACK + 1, 0), most, endpoint=True)
    return needed + np.where(slack > DENSE_SLACK, far, slack)


def _cuts(memory_sizes: np.ndarray, rows: np.ndarray) -> list[int]:
    """Where to cut groups, sorted by M, into batches that are neither large nor much wider than needed."""
    cuts, filled = [0], 0
    for index, (size, count) in enumerate(zip(memory_sizes.tolist(), rows.tolist(), strict=True)):
        filled += count
        widest = max(_NARROW, 2 * int(memory_sizes[cuts[-1]]))
        if index > cuts[-1] and (size > widest or size * filled > _CELLS):
            cuts.append(index)
            filled = count
    return [*cuts, len(memory_sizes)]


def _widened(values: np.ndarray, width: int) -> np.ndarray:
    return np.pad(values, ((0, 0), (0, width - values.shape[1])))
