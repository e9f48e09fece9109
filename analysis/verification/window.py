"""When is the output right? First and last T, found by running past the end; and what else was changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from analysis.machine.batch import UNSEEN, BatchMachine
from analysis.program.certificate import Certificate, Counterexample, rule_of_three
from analysis.program.program import Program
from analysis.verification.correctness import counterexample
from nram_env.tasks import MixedBatch, Task, draw_plan, grid_plan

_STEPS = (0, 1, 2, 3, 4, 5, 7, 15, 31)
"""The n's at which windows are looked for, less the smallest."""

_EXAMPLES = 32
_EFFECTS = 512
_MET = 0.8


@dataclass(frozen=True)
class Window:
    """What was seen at one size.

    Attributes:
        difficulty: n.
        memory_size: M.
        horizon: T(n).
        first: First T from which on the output of all instances is right, without a break to T(n); where it
            is wrong at T(n), first T of the longest while in which it is right; None if there is none.
        last: Last T of that while; None if it reaches the end of the test.
        tested: T at which the test ended.
        stopped: The step after which the runs stopped by themselves; None if some did not, or differently.
        wrong: An instance on which the output is wrong at T(n), or where the program stopped before.
    """

    difficulty: int
    memory_size: int
    horizon: int
    first: int | None
    last: int | None
    tested: int
    stopped: int | None
    wrong: Counterexample | None


def find_windows(program: Program, task: Task, seed: int) -> tuple[Window, ...]:
    """Windows at many n and M, each over instances of that n and M alone, from small M to large."""
    rng = np.random.default_rng([seed, 5])
    plan = grid_plan(task, [task.smallest_difficulty + step for step in _STEPS], _EXAMPLES)
    return tuple(window for batch in plan.mixed(task, rng) for window in _windows(program, task, batch))


def check_window(program: Program, task: Task, seed: int) -> Certificate:
    """In which window of T the output is right, in terms of n and M where one formula fits all sizes.

    The window must hold T(n), or the step after which the program stops, at every size.
    """
    windows = find_windows(program, task, seed)
    largest, longest = max(w.difficulty for w in windows), max(w.tested for w in windows)
    count = len(windows) * _EXAMPLES
    domain = f"{count:,} random instances of {len(windows)} sizes, n to {largest}, T to {longest} at most"
    bad = [window for window in windows if window.wrong is not None]
    if bad:
        claim = "the output is right from some T up to T(n), or to where the program stops"
        return Certificate("time", claim, "REFUTED", domain, count, _wrong_text(bad))
    return Certificate("time", describe(windows), "TESTED", domain, count, error_below=rule_of_three(count))


def _wrong_text(bad: Sequence[Window]) -> str:
    first = bad[0]
    place = f"n = {first.difficulty}, M = {first.memory_size}"
    end = first.tested if first.last is None else first.last
    seen = "never right" if first.first is None else f"right from T = {first.first} to {end} alone"
    return f"{len(bad)} sizes, first {place}: {seen}, T(n) = {first.horizon}; {first.wrong}"


def describe(windows: Sequence[Window]) -> str:
    """The windows in words, as in "output right from T = n + 1 on, and to the end of the test"."""
    words = f"output right from T = {_formula(windows, lambda window: window.first, max)} on"
    if all(window.stopped is not None for window in windows):
        stopped = _formula(windows, lambda window: window.stopped, max)
        return f"{words}; stops by itself after step {stopped}"
    if all(window.last is None for window in windows):
        return f"{words}, and as long as it was run (T(n) + 3 M)"
    return f"{words}, to T = {_formula(windows, lambda window: window.last, min)} (beyond, it is destroyed)"


def check_effects(program: Program, task: Task, seed: int) -> Certificate:
    """Which cells that are no output are changed, at the task's horizon or where the program stops.

    A task says nothing of such cells, so none of what is found refutes the program.
    """
    rng = np.random.default_rng([seed, 6])
    plan = draw_plan(task, rng, [task.smallest_difficulty + step for step in range(8)], _EFFECTS // 8)
    runs, changed, cells, example = 0, 0, set[int](), ""
    for batch in plan.mixed(task, rng):
        machine = BatchMachine(program, batch.memory, batch.memory_sizes)
        while machine.advance(batch.horizon):
            pass
        other = (machine.memory != batch.memory) & ~batch.mask
        runs, changed = runs + batch.batch_size, changed + int(other.any(1).sum())
        cells |= set(np.flatnonzero(other.any(0)).tolist())
        example = example or _example(machine.memory, batch, other)
    if not changed:
        claim, domain = "only output cells are changed", f"{runs} runs"
        return Certificate("effects", claim, "TESTED", domain, runs, error_below=rule_of_three(runs))
    claim = (
        f"also changes {_cells_text(cells)} not output (allowed by the task), in {changed} of them: {example}"
    )
    return Certificate("effects", claim, "TESTED", f"{runs} runs", runs)


def _example(after: np.ndarray, batch: MixedBatch, other: np.ndarray) -> str:
    for row, cell in np.argwhere(other)[:1]:
        before = batch.memory[row, : batch.memory_sizes[row]].tolist()
        return f"cell {cell} of mem = {before} becomes {after[row, cell]}"
    return ""


def _cells_text(cells: set[int]) -> str:
    """As in "cells 0..2, 5, which are"; of many runs of cells the first three and the last cell."""
    if len(cells) == 1:
        return f"cell {min(cells)}, which is"
    runs = [
        [cell for _, cell in run]
        for _, run in groupby(enumerate(sorted(cells)), key=lambda place: place[1] - place[0])
    ]
    words = [str(run[0]) if len(run) == 1 else f"{run[0]}..{run[-1]}" for run in runs]
    shown = words if len(words) <= 4 else [*words[:3], f"others up to {max(cells)}"]
    return f"cells {', '.join(shown)}, which are"


def _windows(program: Program, task: Task, batch: MixedBatch) -> list[Window]:
    """One window for every _EXAMPLES rows of a batch, which share n and M."""
    machine = BatchMachine(program, batch.memory, batch.memory_sizes)
    tested = batch.horizon + 3 * batch.memory_sizes
    right = [_right(machine, batch)]
    for _ in range(int(tested.max())):
        machine.advance(tested)
        right.append(_right(machine, batch))
    over_time = np.array(right).T
    groups = (slice(first, first + _EXAMPLES) for first in range(0, batch.batch_size, _EXAMPLES))
    return [_window(program, task, batch, rows, over_time[rows], machine) for rows in groups]


def _window(
    program: Program, task: Task, batch: MixedBatch, rows: slice, right: np.ndarray, machine: BatchMachine
) -> Window:
    """What was seen on some rows of one size, right (B, T) of which were right after 0, 1, 2, ... steps."""
    first_row, memory_size = rows.start, int(batch.memory_sizes[rows.start])
    horizon = int(batch.horizon[first_row])
    tested = horizon + 3 * memory_size
    wrong = np.flatnonzero(~right[:, horizon])
    found = None
    if wrong.size:
        found = counterexample(program, task, batch.memory[first_row + wrong[0], :memory_size], horizon)
    first, last = _while_right(np.all(right[:, : tested + 1], axis=0), horizon)
    steps = set(machine.steps[rows].tolist())
    return Window(
        difficulty=int(batch.difficulty[first_row]),
        memory_size=memory_size,
        horizon=horizon,
        first=first,
        last=None if last == tested else last,
        tested=tested,
        stopped=steps.pop() if len(steps) == 1 and (machine.state[rows] < 0).all() else None,
        wrong=found,
    )


def _while_right(right: np.ndarray, horizon: int) -> tuple[int | None, int | None]:
    """First and last T of the while that holds the horizon, else of the longest; None if there is none."""
    runs = [[t for t, _ in run] for good, run in groupby(enumerate(right), key=lambda at: at[1]) if good]
    if not runs:
        return None, None
    best = max(runs, key=lambda run: (run[0] <= horizon <= run[-1], len(run)))
    return best[0], best[-1]


def _right(machine: BatchMachine, batch: MixedBatch) -> np.ndarray:
    """Which rows have all their output right, (B,)."""
    return ((machine.memory == batch.target) | ~batch.mask).all(1) & (machine.state != UNSEEN)


def _formula(
    windows: Sequence[Window],
    value: Callable[[Window], int | None],
    bound: Callable[[Sequence[int]], int],
) -> str:
    """a n + b M + c, a bound that holds for every window and is met by all but a few; or the values seen.

    By chance an output is right too early, or still right too late, on all instances of a size.
    """
    known = [(window, found) for window in windows if (found := value(window)) is not None]
    for a, b in ((0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (0, 1), (-1, 1), (1, 1), (0, 2)):
        rest = [found - a * window.difficulty - b * window.memory_size for window, found in known]
        if rest.count(bound(rest)) >= _MET * len(rest):
            return _linear(a, b, bound(rest))
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
