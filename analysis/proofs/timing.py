"""When a program stops, and when its output is right: seen on runs of many sizes, large ones among them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.machine.batch import HALTED, UNSEEN, BatchMachine
from analysis.program.program import Program
from analysis.proofs.bounds import lower_bounds, upper_bounds
from analysis.proofs.claims import Claim, Stops, Window
from analysis.proofs.rows import Rows
from analysis.proofs.runs import padded, start_of, wanted_cells
from analysis.verification.stopping import stops_by_itself
from nram_env.tasks import Task, caps, horizons
from nram_env.tasks.spec import TaskSpec
from nram_env.tasks.terms import Term

_STOPS = 3
_LARGER, _SLACKS, _EACH = (4, 9, 17, 30), (0, 1, 2, 7, 24), 4
"""Sizes beyond the small ones, as n less the smallest, slacks of M, and how many of each."""


@dataclass(frozen=True)
class Timing:
    """What was seen of B runs.

    Attributes:
        start: The situations before the first timestep.
        must_stop: Whether the program is one that stops by itself: a run that does not is then wrong.
        stopped: (B,) whether it stopped.
        steps: (B,) how long it ran.
        horizon: (B,) T(n).
        first: (B,) first T from which on the output was right without a break to T(n), or to the stop.
        last: (B,) last T of that while.
        tested: (B,) the last T that was looked at.
        right: (B,) whether the output was right at T(n), or where the program stopped.
    """

    start: Rows
    must_stop: bool
    stopped: np.ndarray
    steps: np.ndarray
    horizon: np.ndarray
    first: np.ndarray
    last: np.ndarray
    tested: np.ndarray
    right: np.ndarray


def observe(program: Program, task: Task, spec: TaskSpec, memories: list[list[int]]) -> Timing:
    """Run a program until it stops, or is taken for endless."""
    sizes = np.array([len(memory) for memory in memories])
    start = start_of(spec, memories)
    horizon = horizons(task, start.integers["n"])
    limits = caps(task, start.integers["n"], sizes)
    wanted = wanted_cells(spec, memories)
    machine = BatchMachine(program, padded(memories, int(sizes.max()), 0), sizes)
    right = [_right(machine, wanted)]
    while machine.advance(limits):
        right.append(_right(machine, wanted))
    stopped = machine.state == HALTED
    over_time, at = np.array(right), np.where(stopped, machine.steps, horizon)
    at = np.minimum(at, len(over_time) - 1)
    first, last = _while(over_time, at)
    must_stop = stops_by_itself(program, task)
    good = over_time[at, np.arange(len(at))] & (stopped | (not must_stop))
    return Timing(start, must_stop, stopped, machine.steps, horizon, first, last, limits, good)


@dataclass(frozen=True)
class Conjecture:
    """A claim that fits all that was seen.

    Attributes:
        claim: The claim.
        right: From which T on the output was right.
    """

    claim: Claim
    right: Term


def conjectures(timing: Timing, spec: TaskSpec) -> list[Conjecture]:
    """What can be claimed, the strongest first: of a program that stops everywhere, when it does."""
    names = ["M", *spec.params]
    firsts = upper_bounds(timing.first, timing.start, names)
    if timing.must_stop:
        stops = upper_bounds(timing.steps, timing.start, names)[:_STOPS]
        return [Conjecture(Stops(steps), firsts[0]) for steps in stops]
    lasts = [last for last in _lasts(timing, names) if _reaches(timing, last)]
    windows = [Window(first, last) for last in lasts[:2] for first in firsts[:2]]
    exact = Window(spec.horizon, spec.horizon)
    return [Conjecture(window, window.first) for window in (*windows, exact)]


def _lasts(timing: Timing, names: list[str]) -> list[Term | None]:
    """Until when the output is right: None, for ever, where that was seen."""
    ended = np.flatnonzero(~timing.stopped & (timing.last < timing.tested))
    if not ended.size:
        return [None]
    return list(lower_bounds(timing.last[ended], timing.start.chosen(ended), names))


def _reaches(timing: Timing, last: Term | None) -> bool:
    """Whether T(n) is within at every size."""
    return last is None or bool((timing.start.value(last) >= timing.horizon).all())


def larger_instances(task: Task, seed: int) -> list[list[int]]:
    """Instances of some larger sizes."""
    rng = np.random.default_rng([seed, 12])
    found = []
    for n in (task.smallest_difficulty + more for more in _LARGER):
        needed = task.smallest_memory_size(n)
        for size in (*(needed + slack for slack in _SLACKS), 2 * needed):
            found += task.sample(rng, n, size, _EACH).memory.tolist()
    return found


def _right(machine: BatchMachine, wanted: np.ndarray) -> np.ndarray:
    return ((machine.memory == wanted) | (wanted < 0)).all(1) & (machine.state != UNSEEN)


def _while(right: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last T of the while of right outputs, (T, B), around a time of every run."""
    times = np.arange(len(right))[:, None]
    before = np.where(~right & (times <= at), times + 1, 0).max(0)
    after = np.where(~right & (times >= at), times - 1, len(right) - 1).min(0)
    return before, after
