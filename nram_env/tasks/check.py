"""check_task: does a task keep what it promises?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import numpy as np

from nram_env.tasks.base import Task, TaskBatch

_EXAMPLES = 64
_ENUMERATED = 1000


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a task.

    Attributes:
        what: The rule that is broken.
        why: What was seen, with the numbers to see it again.
    """

    what: str
    why: str


def check_task(task: Task, seed: int = 0) -> list[Finding]:
    """Test a task: sampler against oracle, masks, sizes, edges and determinism.

    The sizes are the four smallest n, each at its smallest M and at three above it. Each is drawn plainly,
    and with generators that mostly return the lowest or the highest value, so that zeros, equal values and
    largest values occur in all places.

    Args:
        task: Any task; it need not be registered.
        seed: Seeds the draws.

    Returns:
        What is wrong, each broken rule once; an empty list where nothing was found.

    Example:
        >>> from nram_env.tasks import get_task
        >>> check_task(get_task("swap"))
        []
    """
    findings: dict[str, Finding] = {}
    for check in (_check_sizes, _check_determinism, _check_examples, _check_rejection, _check_enumeration):
        try:
            for finding in check(task, seed):
                findings.setdefault(finding.what, finding)
        except Exception as error:  # whatever the task under test raises is a finding
            what = f"{check.__name__.removeprefix('_check_')} can be tested without an error"
            findings.setdefault(what, Finding(what, f"{type(error).__name__}: {error}"))
    return list(findings.values())


def _difficulties(task: Task) -> range:
    return range(task.smallest_difficulty, task.smallest_difficulty + 4)


def _check_sizes(task: Task, seed: int) -> Iterator[Finding]:
    sizes = [task.smallest_memory_size(n) for n in _difficulties(task)]
    if sizes != sorted(sizes) or sizes[0] < 2:
        yield Finding("smallest_memory_size rises with n, from 2 at least", f"it gives {sizes}")
    horizons = [task.horizon(n) for n in _difficulties(task)]
    if min(horizons) < 1:
        yield Finding("horizon is at least 1", f"it gives {horizons}")


def _check_determinism(task: Task, seed: int) -> Iterator[Finding]:
    n = _difficulties(task)[-1]
    size = task.smallest_memory_size(n)
    same, again, other = (
        task.sample(np.random.default_rng(s), n, size, _EXAMPLES).memory for s in (seed, seed, seed + 1)
    )
    if not np.array_equal(same, again):
        yield Finding("the same generator state gives the same batch", f"seed {seed} gave two batches")
    if np.array_equal(same, other):
        yield Finding(
            "the batch depends on the generator", f"seeds {seed} and {seed + 1} gave the same batch"
        )


def _check_examples(task: Task, seed: int) -> Iterator[Finding]:
    generators = (np.random.default_rng(seed), _Extreme(seed, highest=False), _Extreme(seed, highest=True))
    for easy, rng in product((False, True) if task.has_easy_examples else (False,), generators):
        sample = task.sample_easy if easy else task.sample
        for n in _difficulties(task):
            size = task.smallest_memory_size(n)
            for memory_size in (size, size + 3):
                wanted = np.full(_EXAMPLES, n)
                yield from _check_batch(task, sample(rng, wanted, memory_size), wanted, memory_size, easy)
        mixed = np.resize(np.array(_difficulties(task)), _EXAMPLES)
        yield from _check_batch(task, sample(rng, mixed, size), mixed, size, easy)


def _check_batch(
    task: Task, batch: TaskBatch, wanted: np.ndarray, memory_size: int, easy: bool
) -> Iterator[Finding]:
    shape = (len(wanted), memory_size)
    for name, kind in (("memory", np.int64), ("target", np.int64), ("mask", np.bool_)):
        array = getattr(batch, name)
        if array.shape != shape or array.dtype != kind:
            yield Finding(f"{name} is (B, M) {kind.__name__}", f"{array.dtype} {array.shape} for {shape}")
            return
    if not np.array_equal(batch.difficulty, wanted):
        yield Finding("a batch has the difficulties asked for", f"{batch.difficulty} for {wanted}")
    for row in range(len(wanted)):
        yield from _check_example(task, batch.rows(row), int(wanted[row]), easy)


def _check_example(task: Task, example: TaskBatch, n: int, easy: bool) -> Iterator[Finding]:
    memory, target = example.memory[0].tolist(), example.target[0].tolist()
    place = f"n = {n}, M = {len(memory)}, memory {memory}"
    if not all(0 <= value < len(memory) for value in memory + target):
        yield Finding("every value lies in 0..M-1", f"{place}, target {target}")
        return
    try:
        if not easy:  # those need no more than an answer
            task.check_memory(memory)
    except ValueError as error:
        yield Finding("check_memory accepts what the sampler draws", f"{place}: {error}")
        return
    answer = task.oracle(memory)
    cells = np.flatnonzero(example.mask[0]).tolist()
    if cells != sorted(answer) or not cells:
        yield Finding("the mask marks the oracle's cells, one at least", f"{place}: {cells}, not {answer}")
    if any(target[cell] != answer.get(cell, memory[cell]) for cell in range(len(memory))):
        yield Finding(
            "the target is the oracle's answer, and the memory elsewhere", f"{place}: {target}, not {answer}"
        )
    if task.difficulty_of(memory) != n:
        yield Finding("difficulty_of reads n off the memory", f"{place}: {task.difficulty_of(memory)}")


def _check_rejection(task: Task, seed: int) -> Iterator[Finding]:
    size = task.smallest_memory_size(task.smallest_difficulty)
    memory = task.sample(np.random.default_rng(seed), task.smallest_difficulty, size).memory[0].tolist()
    for wrong in (-1, size):
        try:
            task.check_memory([*memory[:-1], wrong])
        except ValueError:
            continue
        yield Finding("check_memory rejects a value outside 0..M-1", f"{wrong} in the last cell, M = {size}")


def _check_enumeration(task: Task, seed: int) -> Iterator[Finding]:
    if type(task).enumerate_instances is Task.enumerate_instances:
        return
    n = task.smallest_difficulty
    memories = list(islice(task.enumerate_instances(n, task.smallest_memory_size(n)), _ENUMERATED))
    if not memories or len(set(memories)) < len(memories):
        yield Finding("enumerate_instances yields each instance once", f"{memories[:3]}... at n = {n}")
    for memory in memories:
        task.check_memory(memory)


class _Extreme(np.random.Generator):
    """A generator whose integers are, three times in four, the lowest or the highest that they may be."""

    def __init__(self, seed: int, *, highest: bool) -> None:
        super().__init__(np.random.PCG64(seed))
        self._highest = highest

    def integers(self, low: Any, high: Any = None, *args: Any, endpoint: bool = False, **options: Any) -> Any:
        plain = super().integers(low, high, *args, endpoint=endpoint, **options)
        first, behind = (0, low) if high is None else (low, high)
        extreme = np.asarray(behind) - (not endpoint) if self._highest else first
        return np.where(self.random(np.shape(plain)) < 0.75, extreme, plain)[()]
