"""Small memories on which a program is wrong: drawn, or found by unrolling its runs; all are replayed.

In unrolled runs every cell is a symbol, so that one question to the solver is about all memories of one size;
where it finds none, there is none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from threading import Timer

import numpy as np

from analysis.program.certificate import Counterexample
from analysis.program.program import Program
from analysis.proofs.grounding import Grounding
from analysis.proofs.readings import conjunction, disjunction, negated
from analysis.proofs.setting import spec_of
from analysis.proofs.solver import z3_module
from analysis.proofs.unrolling import Unrolling
from analysis.verification.correctness import counterexample, first_wrong_of
from nram_env.tasks import Task, caps, grid_plan

SLACKS_OF_A_DIFFICULTY = 3
"""One more of n is tried when so many more slacks of M have been: what grows with n is harder."""

MOST_SLACK = 16
"""No slack beyond is tried."""

_DRAWN_DIFFICULTIES, _DRAWN = 9, 32
"""So many instances are drawn at every slack of so many n: where some are wrong, that is faster."""


@dataclass(frozen=True)
class Search:
    """What came of a search for a counterexample.

    Attributes:
        counterexample: The first that was found, replayed; None if there was none.
        cleared: Sizes (n, M) at which there is none, whatever the memory holds.
        undecided: Sizes at which the solver found no answer in time.
    """

    counterexample: Counterexample | None
    cleared: tuple[tuple[int, int], ...]
    undecided: tuple[tuple[int, int], ...]


def drawn_counterexample(program: Program, task: Task, must_stop: bool) -> Counterexample | None:
    """The smallest counterexample among instances of many sizes, always the same.

    Args:
        program: The program.
        task: The task.
        must_stop: Whether the program has to stop by itself; otherwise its runs are cut at T(n).

    Example:
        >>> from analysis import find_program
        >>> from nram_env import get_task
        >>> found = drawn_counterexample(find_program("zoo:copy"), get_task("reverse"), must_stop=False)
        >>> found.got != found.wanted
        True
    """
    first = task.smallest_difficulty
    plan = grid_plan(task, range(first, first + _DRAWN_DIFFICULTIES), _DRAWN, MOST_SLACK)
    return first_wrong_of(program, task, plan, np.random.default_rng(0), must_stop)[0]


def search_unrolled(
    program: Program,
    task: Task,
    must_stop: bool,
    seconds: float,
    watch: Callable[[str], None] = lambda line: None,
) -> Search:
    """Look for a legal memory on which a program is wrong among all of a size, from small sizes to large.

    Args:
        program: The program.
        task: The task, with a specification.
        must_stop: Whether the program has to stop by itself; otherwise its runs are cut at T(n).
        seconds: When to give up.
        watch: Gets a line a size.

    Raises:
        ValueError: The task has no specification, or z3 is not installed.
    """
    deadline = time.monotonic() + seconds
    cleared, undecided = list[tuple[int, int]](), list[tuple[int, int]]()
    for size in sizes(task):
        if time.monotonic() >= deadline:
            break
        try:
            found = counterexample_at(program, task, size, must_stop, deadline - time.monotonic())
        except UndecidedError:
            undecided.append(size)
            continue
        watch(f"n = {size[0]}, M = {size[1]}: {found or 'right'}")
        if found:
            return Search(found, tuple(cleared), tuple(undecided))
        cleared.append(size)
    return Search(None, tuple(cleared), tuple(undecided))


def sizes(task: Task) -> Iterator[tuple[int, int]]:
    """Sizes (n, M) from those that are quickly decided to those that are not, without end."""
    for effort in count():
        for more in range(effort // SLACKS_OF_A_DIFFICULTY + 1):
            n, slack = task.smallest_difficulty + more, effort - SLACKS_OF_A_DIFFICULTY * more
            if slack <= MOST_SLACK:
                yield n, task.smallest_memory_size(n) + slack


class UndecidedError(Exception):
    """The solver found neither a memory nor that there is none."""


def counterexample_at(
    program: Program, task: Task, size: tuple[int, int], must_stop: bool, seconds: float
) -> Counterexample | None:
    """The counterexample of one size (n, M), replayed; None if there is certainly none.

    Raises:
        ValueError: The task has no specification, or z3 is not installed.
        UndecidedError: The time was too short.
    """
    n, memory_size = size
    cap = int(caps(task, np.array([n]), memory_size)[0]) if must_stop else task.horizon(n)
    ground = Grounding(spec_of(task), n, memory_size)
    runs, excluded = Unrolling(program, ground.cells), list[str]()
    deadline, steps = time.monotonic() + seconds, task.horizon(n)
    while True:
        while runs.steps < steps:
            runs.step()
        memory = _memory(ground, runs, must_stop, excluded, deadline - time.monotonic())
        if memory is None:
            return None
        found = _replayed(program, task, memory, cap, must_stop)
        if found is not None:
            return found
        if must_stop and steps < cap:
            steps = min(2 * steps, cap)
        else:
            excluded.append(_is(ground.cells, memory))


def _replayed(
    program: Program, task: Task, memory: list[int], cap: int, must_stop: bool
) -> Counterexample | None:
    """What the integer machine says of a memory; None as well if the memory is not legal."""
    if not task.is_legal(memory):
        return None
    return counterexample(program, task, np.array(memory), cap, must_stop)


def _memory(
    ground: Grounding, runs: Unrolling, must_stop: bool, excluded: Sequence[str], seconds: float
) -> list[int] | None:
    """A memory on which the runs are wrong after so many steps, or not at their end where they have to be."""
    reading, wrong = ground.wrong(runs.memory)
    faults = [runs.unseen, wrong, *([negated(runs.stopped)] if must_stop else [])]
    known = [*ground.facts(), *map(negated, excluded), disjunction(faults)]
    commands = [*ground.declarations(), *runs.commands, reading, *(f"(assert {fact})" for fact in known)]
    return solution("\n".join(commands), ground.cells, seconds)


def solution(script: str, names: Sequence[str], seconds: float) -> list[int] | None:
    """Integers for which a script holds; None if there are none.

    Raises:
        UndecidedError: The time was too short.
    """
    if seconds <= 0:
        raise UndecidedError("no time is left")
    z3 = z3_module()
    context = z3.Context()
    tactics = ("simplify", "solve-eqs", "propagate-values", "smt")
    solver = z3.Then(*(z3.Tactic(tactic, ctx=context) for tactic in tactics), ctx=context).solver()
    solver.from_string(script)
    timer = Timer(seconds, context.interrupt)
    timer.start()
    try:
        verdict = solver.check()
    finally:
        timer.cancel()
    if verdict == z3.unsat:
        return None
    if verdict != z3.sat:
        raise UndecidedError(solver.reason_unknown())
    model = solver.model()
    values = (model.eval(z3.Int(name, ctx=context), model_completion=True) for name in names)
    return [value.as_long() for value in values]


def _is(cells: Sequence[str], memory: Sequence[int]) -> str:
    return conjunction([f"(= {cell} {value})" for cell, value in zip(cells, memory, strict=True)])
