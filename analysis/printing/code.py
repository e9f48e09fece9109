"""The program as code, for reading: structured, its first step written out, compared before it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis.extraction.seen import as_if_seen, telling_apart
from analysis.machine.vm import run, steps, zero_bits
from analysis.printing.layout import code_lines
from analysis.printing.lowering import nested_code
from analysis.printing.nested import run_nested
from analysis.printing.structure import MOST_EDGES
from analysis.program.block import Guard
from analysis.program.graph import looping_states
from analysis.program.program import START, Edge, Program
from analysis.program.text import guard_text
from analysis.simplification.program import simplify_program
from analysis.verification.stopping import limits, stops_by_itself
from nram_env.tasks import Task, draw_plan

_RUNS = 48

_REMARKS = 2
"""Tests that do not hold again are named up to so many."""


@dataclass(frozen=True)
class Code:
    """Code that did the same as the program on every run that was tried.

    Attributes:
        lines: The text.
        remarks: What the text takes for granted because it held on those runs.
        runs: How many there were, and how far they went: to where the program stops, or to T(n).
    """

    lines: tuple[str, ...]
    remarks: tuple[str, ...]
    runs: str


def as_code(program: Program, task: Task | None) -> Code | None:
    """The program as code, if it can be written so and the code equals it on sampled runs of the task.

    Without a task there are no runs to compare on, and there is no code.
    """
    if task is None or len(program.edges) > MOST_EDGES:
        return None
    must_stop = stops_by_itself(program, task)
    samples, end = list(_samples(task, must_stop)), "the stop" if must_stop else "T(n)"
    shown, remarks = _without_rare_edges(as_if_seen(program), samples, end)
    body = nested_code(shown)
    if body is None:
        return None
    for memory, horizon in samples:
        result = run(program, memory, horizon)
        if (result.memory, result.steps) != run_nested(body, shown.num_registers, memory, horizon):
            return None
    names = [register.name for register in shown.registers]
    runs = f"{len(samples)} runs {'to their stop' if must_stop else 'of T(n) steps'}"
    return Code(tuple(code_lines(body, names)), remarks, runs)


def short_code(program: Program) -> list[str]:
    """The lines of a short form, which is printed as it is; none where its states do not nest."""
    body = nested_code(program)
    return [] if body is None else list(code_lines(body, [register.name for register in program.registers]))


def peel_first_step(program: Program) -> Program:
    """The same program with a start of its own, where all registers are known to be 0."""
    if START not in looping_states(program):
        return program
    everything_zero = (1 << program.num_registers) - 1
    first = next((e for e in program.edges_of_state[START] if e.guard.matches(everything_zero)), None)
    if first is None:
        return program
    shifted = [
        replace(edge, source=edge.source + 1, target=None if edge.target is None else edge.target + 1)
        for edge in program.edges
    ]
    target = None if first.target is None else first.target + 1
    start = replace(first, guard=Guard(), target=target)
    return replace(program, states=("start", *program.states), edges=(start, *shifted))


def _without_rare_edges(
    program: Program, samples: Sequence[tuple[tuple[int, ...], int]], end: str
) -> tuple[Program, tuple[str, ...]]:
    """The program with its first step written out, less the edges and tests that no sample needs after it."""
    if len(program.edges) == 1:
        return program, ()
    peeled = peel_first_step(program)
    taken: list[dict[int, Edge]] = [{} for _ in peeled.states]
    for memory, horizon in samples:
        for step in steps(peeled, list(memory), horizon):
            taken[step.edge.source][zero_bits(step.registers)] = step.edge
    never = [edge for edge in peeled.edges if edge not in taken[edge.source].values()]
    kept = [
        edge
        for met, edges in zip(taken, peeled.edges_of_state, strict=True)
        for edge in telling_apart(met, edges)
    ]
    names = [register.name for register in program.registers]
    return simplify_program(replace(peeled, edges=tuple(kept))), tuple(_remarks(never, names, end))


def _remarks(never: Sequence[Edge], names: Sequence[str], end: str) -> Iterator[str]:
    for edge in never[:_REMARKS]:
        yield f"[{guard_text(edge.guard, names)}] does not hold again up to {end}"
    if len(never) > _REMARKS:
        yield f"nor do the tests of {len(never) - _REMARKS} more blocks"


def _samples(task: Task, must_stop: bool) -> Iterator[tuple[tuple[int, ...], int]]:
    """Small instances of many sizes, run until they stop or to the task's horizon."""
    rng = np.random.default_rng(7)
    difficulties = [task.smallest_difficulty + run % 8 for run in range(_RUNS)]
    for batch in draw_plan(task, rng, difficulties, examples=1).batches(task, rng):
        yield tuple(batch.memory[0].tolist()), int(limits(task, batch, must_stop)[0])
