"""check_task: does a task keep what it promises, and if not, which of its methods has to be mended?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any, TypeVar

import numpy as np

from nram_env.tasks.base import Task
from nram_env.tasks.batch import TaskBatch
from nram_env.tasks.check_spec import spec_disagreement
from nram_env.tasks.registry import attribute_faults

_EXAMPLES = 64
_ENUMERATED = 1000

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a task.

    Attributes:
        what: The rule that is broken.
        why: What was seen, with the numbers to see it again.
        methods: Names of the methods and attributes of which one has to be overridden, or mended.
    """

    what: str
    why: str
    methods: tuple[str, ...]

    def __str__(self) -> str:
        return f"override or mend {' or '.join(self.methods)}: {self.what}; {self.why}"


def check_task(task: Task, seed: int = 0) -> list[Finding]:
    """Test a task: names, sampler against oracle, masks, sizes, edges, determinism, its specification.

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
    faults = attribute_faults(task)
    if faults:
        return [Finding(f"{name} is usable", why, (name,)) for name, why in faults.items()]
    findings: dict[str, Finding] = {}
    for check in (_check_sizes, _check_determinism, _check_examples, _check_rejection, _check_enumeration):
        try:
            for finding in check(task, seed):
                findings.setdefault(finding.what, finding)
        except _FailedError as failed:
            findings.setdefault(failed.finding.what, failed.finding)
    return list(findings.values())


class _FailedError(Exception):
    """A method raised, or returned what nothing can be done with; the check that asked it ends there."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.what)
        self.finding = finding


def _ask(method: str, call: Callable[[], _Answer], refusal: type[Exception] | None = None) -> _Answer:
    """What a method answers; whatever it raises, but a refusal that it may make, is a finding about it."""
    try:
        return call()
    except Exception as error:  # whatever the task under test raises
        if refusal is not None and isinstance(error, refusal):
            raise
        why = f"{type(error).__name__}: {error}"
        raise _FailedError(Finding(f"{method} answers without an error", why, (method,))) from error


def _difficulties(task: Task) -> range:
    return range(task.smallest_difficulty, task.smallest_difficulty + 4)


def _smallest_size(task: Task, n: int) -> int:
    return _integer("smallest_memory_size", lambda: task.smallest_memory_size(n))


def _horizon(task: Task, n: int) -> int:
    return _integer("horizon", lambda: task.horizon(n))


def _integer(method: str, call: Callable[[], int]) -> int:
    value = _ask(method, call)
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise _FailedError(Finding(f"{method} is an integer", f"it gives {value!r}", (method,)))
    return int(value)


def _draw(task: Task, rng: np.random.Generator, n: Any, size: int, *, easy: bool = False) -> TaskBatch:
    """A batch of examples of the difficulties `n`."""
    method = "draw_easy" if easy else "draw"
    sample = task.sample_easy if easy else task.sample
    return _ask(method, lambda: sample(rng, n, size))


def _check_sizes(task: Task, seed: int) -> Iterator[Finding]:
    sizes = [_smallest_size(task, n) for n in _difficulties(task)]
    if sizes != sorted(sizes) or sizes[0] < 2:
        rule = "smallest_memory_size rises with n, from 2 at least"
        yield Finding(rule, f"it gives {sizes}", ("smallest_memory_size",))
    horizons = [_horizon(task, n) for n in _difficulties(task)]
    if min(horizons) < 1:
        yield Finding("horizon is at least 1", f"it gives {horizons}", ("horizon",))


def _check_determinism(task: Task, seed: int) -> Iterator[Finding]:
    n = _difficulties(task)[-1]
    size = _smallest_size(task, n)
    same, again, other = (
        _draw(task, np.random.default_rng(s), np.full(_EXAMPLES, n), size).memory
        for s in (seed, seed, seed + 1)
    )
    if not np.array_equal(same, again):
        rule = "the same generator state gives the same batch"
        yield Finding(rule, f"seed {seed} gave two batches", ("draw",))
    if np.array_equal(same, other):
        why = f"seeds {seed} and {seed + 1} gave the same batch"
        yield Finding("the batch depends on the generator", why, ("draw",))


def _check_examples(task: Task, seed: int) -> Iterator[Finding]:
    generators = (np.random.default_rng(seed), _Extreme(seed, highest=False), _Extreme(seed, highest=True))
    for easy, rng in product((False, True) if task.has_easy_examples else (False,), generators):
        for n in _difficulties(task):
            size = _smallest_size(task, n)
            for memory_size in (size, size + 3):
                yield from _check_batch(task, rng, np.full(_EXAMPLES, n), memory_size, easy)
        yield from _check_batch(task, rng, np.resize(np.array(_difficulties(task)), _EXAMPLES), size, easy)


def _check_batch(
    task: Task, rng: np.random.Generator, wanted: np.ndarray, memory_size: int, easy: bool
) -> Iterator[Finding]:
    batch = _draw(task, rng, wanted, memory_size, easy=easy)
    shape, drawing = (len(wanted), memory_size), ("draw_easy" if easy else "draw",)
    for name, kind in (("memory", np.int64), ("target", np.int64), ("mask", np.bool_)):
        array = np.asarray(getattr(batch, name))
        if array.shape != shape or array.dtype != kind:
            why = f"{array.dtype} {array.shape} for {shape}"
            yield Finding(f"{name} is (B, M) {kind.__name__}", why, drawing)
            return
    if not np.array_equal(batch.difficulty, wanted):
        why = f"{batch.difficulty} for {wanted}"
        yield Finding("a batch has the difficulties asked for", why, drawing)
    for row in range(len(wanted)):
        yield from _check_example(task, batch.rows(row), int(wanted[row]), easy)


def _check_example(task: Task, example: TaskBatch, n: int, easy: bool) -> Iterator[Finding]:
    drawing = "draw_easy" if easy else "draw"
    memory, target = example.memory[0].tolist(), example.target[0].tolist()
    place = f"n = {n}, M = {len(memory)}, memory {memory}"
    if not all(0 <= value < len(memory) for value in memory + target):
        yield Finding("every value lies in 0..M-1", f"{place}, target {target}", (drawing,))
        return
    if not easy and (refusal := _refusal(task, memory)):  # easy ones need no more than an answer
        rule = "check_memory accepts what the sampler draws"
        yield Finding(rule, f"{place}: {refusal}", ("check_memory", drawing))
        return
    answer = _answer(task, memory)
    cells = np.flatnonzero(example.mask[0]).tolist()
    if cells != sorted(answer) or not cells:
        rule = "the mask marks the oracle's cells, one at least"
        yield Finding(rule, f"{place}: {cells}, not {answer}", (drawing, "oracle"))
    if any(target[cell] != answer.get(cell, memory[cell]) for cell in range(len(memory))):
        rule = "the target is the oracle's answer, and the memory elsewhere"
        yield Finding(rule, f"{place}: {target}, not {answer}", (drawing, "oracle"))
    found = _integer("difficulty_of", lambda: task.difficulty_of(memory))
    if found != n:
        yield Finding("difficulty_of reads n off the memory", f"{place}: {found}", ("difficulty_of",))
    if not easy:
        yield from _check_spec(task, memory, place)


def _check_spec(task: Task, memory: Sequence[int], place: str) -> Iterator[Finding]:
    """Compare the specification, if there is one, with the rest of the task on one legal memory."""
    if task.spec is not None and (why := _ask("spec", lambda: spec_disagreement(task, memory))):
        yield Finding("spec says what the task's methods say", f"{place}: {why}", ("spec",))


def _answer(task: Task, memory: list[int]) -> dict[int, int]:
    answer = _ask("oracle", lambda: task.oracle(memory))
    numbers = (*answer, *answer.values()) if isinstance(answer, dict) else (None,)
    if not all(isinstance(number, int | np.integer) for number in numbers):
        rule = "oracle returns a dict of integers, cell: value"
        raise _FailedError(Finding(rule, f"it gives {answer!r}"[:200], ("oracle",)))
    return answer


def _refusal(task: Task, memory: Sequence[int]) -> str:
    """Why the task calls a memory malformed; empty if it accepts it."""
    try:
        _ask("check_memory", lambda: task.check_memory(memory), refusal=ValueError)
    except ValueError as error:
        return str(error) or "refused without a word"
    return ""


def _check_rejection(task: Task, seed: int) -> Iterator[Finding]:
    n = task.smallest_difficulty
    size = _smallest_size(task, n)
    memory = _draw(task, np.random.default_rng(seed), np.array([n]), size).memory[0].tolist()
    for wrong in (-1, size):
        if not _refusal(task, [*memory[:-1], wrong]):
            rule = "check_memory rejects a value outside 0..M-1"
            yield Finding(rule, f"{wrong} in the last cell, M = {size}", ("check_memory",))


def _check_enumeration(task: Task, seed: int) -> Iterator[Finding]:
    if type(task).enumerate_instances is Task.enumerate_instances:
        return
    method, n = "enumerate_instances", task.smallest_difficulty
    size = _smallest_size(task, n)
    memories = _ask(method, lambda: list(islice(task.enumerate_instances(n, size), _ENUMERATED)))
    if not memories or len(set(memories)) < len(memories):
        rule = "enumerate_instances yields each instance once"
        yield Finding(rule, f"{memories[:3]}... at n = {n}", (method,))
    for memory in memories:
        if refusal := _refusal(task, memory):
            rule = "check_memory accepts what enumerate_instances yields"
            yield Finding(rule, f"n = {n}, memory {memory}: {refusal}", ("check_memory", method))
        else:
            yield from _check_spec(task, memory, f"n = {n}, memory {memory}")


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
