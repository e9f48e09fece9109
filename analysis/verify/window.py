"""When is the output right? First and last T, found by running past the end; and what else was changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.batch import BatchMachine
from analysis.certificate import Certificate, Counterexample
from analysis.program import Program
from analysis.verify.correctness import first_wrong, horizons
from nram_env.tasks import Task, TaskBatch

_EXAMPLES = 24


@dataclass(frozen=True)
class Window:
    """What was seen at one size.

    Attributes:
        difficulty: n.
        memory_size: M.
        first: First T from which on the output of all instances is right, None if it never is.
        last: Last T up to which it stays right; None if it is right to the end of the test.
        tested: T at which the test ended.
        stopped: The step after which the runs stopped by themselves; None if some did not, or differently.
        wrong: Where the output is never right, an instance on which it is wrong at the end of the test.
    """

    difficulty: int
    memory_size: int
    first: int | None
    last: int | None
    tested: int
    stopped: int | None
    wrong: Counterexample | None


def find_windows(program: Program, task: Task, seed: int) -> tuple[Window, ...]:
    """Windows at several n and M, each over instances of that n alone."""
    rng = np.random.default_rng([seed, 5])
    found = []
    for step in (1, 2, 3, 5, 7):
        difficulty = task.smallest_difficulty + step
        needed = task.smallest_memory_size(difficulty)
        for memory_size in (needed, needed + 3, 2 * needed):
            batch = task.sample(rng, difficulty, memory_size, _EXAMPLES)
            found.append(_window(program, task, batch, int(horizons(task, batch)[0]) + 3 * memory_size))
    return tuple(found)


def check_window(program: Program, task: Task, seed: int) -> Certificate:
    """In which window of T the output is right, in terms of n and M where one formula fits all sizes."""
    windows = find_windows(program, task, seed)
    domain = f"{len(windows)} sizes, n to {windows[-1].difficulty}, T to {windows[-1].tested} at most"
    if any(window.first is None for window in windows):
        bad = next(window for window in windows if window.first is None)
        claim = "the output is right from some T on"
        found = f"n = {bad.difficulty}, M = {bad.memory_size}: never right to T = {bad.tested}; {bad.wrong}"
        return Certificate("time", claim, "REFUTED", domain, len(windows), found)
    return Certificate("time", describe(windows), "TESTED", domain, len(windows))


def describe(windows: Sequence[Window]) -> str:
    """The windows in words, as in "output right from T = n + 1 on, and to the end of the test"."""
    first = _formula(windows, lambda window: window.first)
    words = f"output right from T = {first} on"
    stopped = _formula(windows, lambda window: window.stopped)
    if all(window.stopped is not None for window in windows):
        return f"{words}; stops by itself after step {stopped}"
    if all(window.last is None for window in windows):
        return f"{words}, and as long as it was run (T(n) + 3 M)"
    return f"{words}, to T = {_formula(windows, lambda window: window.last)} (beyond, it is destroyed)"


def check_effects(program: Program, task: Task, seed: int) -> Certificate:
    """Whether only output cells are changed, at the task's horizon or where the program stops."""
    rng = np.random.default_rng([seed, 6])
    claim, runs, changed = "only output cells are changed", 0, 0
    example = ""
    for step in range(6):
        difficulty = task.smallest_difficulty + step
        batch = task.sample(rng, difficulty, task.smallest_memory_size(difficulty) + step, _EXAMPLES)
        machine = BatchMachine(program, batch.memory)
        limits = horizons(task, batch)
        while machine.advance(limits):
            pass
        other = (machine.memory != batch.memory) & ~batch.mask
        runs, changed = runs + batch.batch_size, changed + int(other.any(1).sum())
        if other.any() and not example:
            row, cell = np.argwhere(other)[0]
            example = f"cell {cell} of mem = {batch.memory[row].tolist()} becomes {machine.memory[row, cell]}"
    if changed:
        found = f"{changed} of {runs} runs; {example}"
        return Certificate("effects", claim, "REFUTED", f"{runs} runs", runs, found)
    return Certificate("effects", claim, "TESTED", f"{runs} runs", runs)


def _window(program: Program, task: Task, batch: TaskBatch, tested: int) -> Window:
    machine = BatchMachine(program, batch.memory)
    right = [_all_right(machine, batch)]
    for _ in range(tested):
        machine.advance()
        right.append(_all_right(machine, batch))
    first = right.index(True) if True in right else None
    last = None
    if first is not None and False in right[first:]:
        last = first + right[first:].index(False) - 1
    steps = set(machine.steps.tolist())
    stopped = steps.pop() if len(steps) == 1 and (machine.state < 0).all() else None
    wrong = first_wrong(program, task, batch, np.full(batch.batch_size, tested)) if first is None else None
    return Window(int(batch.difficulty[0]), batch.memory_size, first, last, tested, stopped, wrong)


def _all_right(machine: BatchMachine, batch: TaskBatch) -> bool:
    return bool(((machine.memory == batch.target) | ~batch.mask).all())


def _formula(windows: Sequence[Window], value: Callable[[Window], int | None]) -> str:
    """a n + b M + c if that fits every window, else the values seen."""
    known = [(window, found) for window in windows if (found := value(window)) is not None]
    for a, b in ((0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (0, 1), (-1, 1), (1, 1), (0, 2)):
        rest = {found - a * window.difficulty - b * window.memory_size for window, found in known}
        if len(rest) == 1:
            return _linear(a, b, rest.pop())
    return ", ".join(f"{found} (n = {w.difficulty}, M = {w.memory_size})" for w, found in known[:4])


def _linear(a: int, b: int, c: int) -> str:
    words = [
        f"{'' if abs(times) == 1 else abs(times)}{name}" for times, name in ((b, "M"), (a, "n")) if times
    ]
    signs = ["-" if times < 0 else "+" for times in (b, a) if times]
    if c or not words:
        words.append(str(abs(c)))
        signs.append("-" if c < 0 else "+")
    return " ".join(f"{sign} {word}" for sign, word in zip(signs, words, strict=True)).removeprefix("+ ")
