"""When is the output right? First and last T, found by running past the end; and what else was changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

import numpy as np

from analysis.machine.batch import HALTED, UNSEEN, BatchMachine
from analysis.program.certificate import Certificate, Counterexample, rule_of_three
from analysis.program.program import Program
from analysis.verification.correctness import counterexample
from analysis.verification.formula import bound_of
from analysis.verification.stopping import limits, stops_by_itself
from nram_env.tasks import MixedBatch, Task, draw_plan, grid_plan

_STEPS = (0, 1, 2, 3, 4, 5, 7, 15, 31)
"""The n's at which windows are looked for, less the smallest."""

_EXAMPLES = 32
_EFFECTS = 512


@dataclass(frozen=True)
class Window:
    """What was seen at one size.

    Attributes:
        difficulty: n.
        memory_size: M.
        horizon: T(n); of a program that has to stop by itself the cap, and below "T(n)" is where it stops.
        first: First T from which on the output of all instances is right, without a break to T(n); where it
            is wrong at T(n), first T of the longest while in which it is right; None if there is none.
        last: Last T of that while; None if it reaches the end of the test.
        tested: T at which the test ended.
        wrong: An instance on which the output is wrong at T(n), or where the program stopped before.
    """

    difficulty: int
    memory_size: int
    horizon: int
    first: int | None
    last: int | None
    tested: int
    wrong: Counterexample | None


def find_windows(program: Program, task: Task, seed: int, must_stop: bool = False) -> tuple[Window, ...]:
    """Windows at many n and M, each over instances of that n and M alone, from small M to large."""
    rng = np.random.default_rng([seed, 5])
    plan = grid_plan(task, sizes_of(task), _EXAMPLES)
    batches = plan.mixed(task, rng)
    return tuple(window for batch in batches for window in _Watch(program, task, batch, must_stop).windows())


def sizes_of(task: Task) -> list[int]:
    """The n's at which it is looked for when a program is done."""
    return [task.smallest_difficulty + step for step in _STEPS]


def check_window(program: Program, task: Task, seed: int, must_stop: bool | None = None) -> Certificate:
    """In which window of T the output is right, in terms of n and M where one formula fits all sizes.

    The window must hold T(n), or the step after which a program that stops by itself does, at every size.

    Args:
        program: The program.
        task: Gives the instances.
        seed: Seed of the instances.
        must_stop: Whether the program has to stop by itself; default: whether it does.
    """
    must_stop = stops_by_itself(program, task) if must_stop is None else must_stop
    windows = find_windows(program, task, seed, must_stop)
    largest, longest = max(w.difficulty for w in windows), max(w.tested for w in windows)
    count = len(windows) * _EXAMPLES
    domain = f"{count:,} random instances of {len(windows)} sizes, n to {largest}, T to {longest} at most"
    bad = [window for window in windows if window.wrong is not None]
    if bad:
        claim = f"the output is right from some T up to {'where it stops' if must_stop else 'T(n)'}"
        return Certificate("time", claim, "REFUTED", domain, count, _wrong_text(bad))
    said = describe(windows, must_stop)
    return Certificate("time", said, "TESTED", domain, count, error_below=rule_of_three(count))


def _wrong_text(bad: Sequence[Window]) -> str:
    first, wrong = bad[0], bad[0].wrong
    place = f"n = {first.difficulty}, M = {first.memory_size}"
    end = first.tested if first.last is None else first.last
    seen = "never right" if first.first is None else f"right from T = {first.first} to {end} alone"
    horizon = "" if wrong is not None and wrong.must_stop else f", T(n) = {first.horizon}"
    return f"{len(bad)} sizes, first {place}: {seen}{horizon}; {wrong}"


def describe(windows: Sequence[Window], must_stop: bool = False) -> str:
    """The windows in words, as in "output right from T = n + 1 on, and to the end of the test"."""
    first = _formula(windows, lambda window: window.first, max)
    words = f"output right from T = {first or _seen(windows, lambda window: window.first)} on"
    if must_stop:
        return f"{words}, to where it stops by itself" if first else "output right where it stops by itself"
    if all(window.last is None for window in windows):
        return f"{words}, and as long as it was run (T(n) + 3 M)"
    last = _formula(windows, lambda window: window.last, min)
    last = last or _seen(windows, lambda window: window.last)
    return f"{words}, to T = {last} (beyond, it is destroyed)"


def check_effects(program: Program, task: Task, seed: int, must_stop: bool | None = None) -> Certificate:
    """Which cells that are no output are changed, where the program stops by itself or at the task's horizon.

    A task says nothing of such cells, so none of what is found refutes the program. Arguments as before.
    """
    must_stop = stops_by_itself(program, task) if must_stop is None else must_stop
    rng = np.random.default_rng([seed, 6])
    plan = draw_plan(task, rng, [task.smallest_difficulty + step for step in range(8)], _EFFECTS // 8)
    runs, changed, cells, example = 0, 0, set[int](), ""
    for batch in plan.mixed(task, rng):
        machine = BatchMachine(program, batch.memory, batch.memory_sizes)
        while machine.advance(limits(task, batch, must_stop)):
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


class _Watch:
    """A batch, run to the end of the test; every _EXAMPLES rows share n and M."""

    def __init__(self, program: Program, task: Task, batch: MixedBatch, must_stop: bool) -> None:
        self.program, self.task, self.batch, self.must_stop = program, task, batch, must_stop
        self.horizon = limits(task, batch, must_stop)
        self.tested = self.horizon + (0 if must_stop else 3 * batch.memory_sizes)
        machine = BatchMachine(program, batch.memory, batch.memory_sizes)
        right = [_right(machine, batch)]
        while machine.advance(self.tested):
            right.append(_right(machine, batch))
        self.right = np.array(right).T
        self.lost = (machine.state != HALTED) & must_stop

    def windows(self) -> Iterator[Window]:
        """One window for every size."""
        for first in range(0, self.batch.batch_size, _EXAMPLES):
            yield self._window(slice(first, first + _EXAMPLES))

    def _window(self, rows: slice) -> Window:
        """What was seen on some rows of one size."""
        memory_size, horizon = int(self.batch.memory_sizes[rows.start]), int(self.horizon[rows.start])
        tested = int(self.tested[rows.start])
        right: np.ndarray = self.right[rows, : tested + 1]
        judged = min(horizon, right.shape[1] - 1)
        first, last = _while_right(np.all(right, axis=0), judged)
        wrong, found = np.flatnonzero(~right[:, judged] | self.lost[rows]), None
        if wrong.size:
            memory = self.batch.memory[rows.start + wrong[0], :memory_size]
            found = counterexample(self.program, self.task, memory, horizon, self.must_stop)
        return Window(
            difficulty=int(self.batch.difficulty[rows.start]),
            memory_size=memory_size,
            horizon=horizon,
            first=first,
            last=None if last == right.shape[1] - 1 else last,
            tested=right.shape[1] - 1,
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
) -> str | None:
    """A formula in n and M of what is not None; None where none fits."""
    known = [(window, found) for window in windows if (found := value(window)) is not None]
    sizes = [(window.difficulty, window.memory_size) for window, _ in known]
    formula = bound_of(sizes, [found for _, found in known], bound)
    return None if formula is None else str(formula)


def _seen(windows: Sequence[Window], value: Callable[[Window], int | None]) -> str:
    """What was seen at the first few sizes."""
    known = (window for window in windows if value(window) is not None)
    return ", ".join(f"{value(w)} (n = {w.difficulty}, M = {w.memory_size})" for w in islice(known, 4))
