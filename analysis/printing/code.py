"""The program as code, for reading: structured, its first step written out, compared before it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import UnionType

import numpy as np

from analysis.extraction.seen import as_if_seen, telling_apart
from analysis.machine.vm import run, steps, zero_bits
from analysis.printing.structure import MOST_EDGES, Break, Do, If, Loop, Node, Stop, run_code, structure
from analysis.program.block import Guard
from analysis.program.graph import looping_states
from analysis.program.program import START, Edge, Program
from analysis.program.text import block_lines, guard_text
from analysis.simplification.guards import covers
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
    nodes = structure(shown)
    if nodes is None:
        return None
    for memory, horizon in samples:
        result = run(program, memory, horizon)
        if (result.memory, result.steps) != run_code(nodes, shown.num_registers, memory, horizon):
            return None
    names = [register.name for register in shown.registers]
    runs = f"{len(samples)} runs {'to their stop' if must_stop else 'of T(n) steps'}"
    return Code(tuple(_lines(nodes, names, 0)), remarks, runs)


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


def _lines(nodes: Sequence[Node], names: Sequence[str], depth: int) -> Iterator[str]:
    indent = "    " * depth
    for node in nodes:
        if isinstance(node, Do):
            yield from (indent + line for line in block_lines(node.edge.block, names) if line != "pass")
        elif isinstance(node, Loop):
            yield from _loop_lines(node, names, depth)
        elif isinstance(node, If):
            yield from _if_lines(node, names, depth)
        else:
            yield indent + ("break" if isinstance(node, Break) else "stop")


def _loop_lines(loop: Loop, names: Sequence[str], depth: int) -> Iterator[str]:
    """A loop, with its condition at the head where one of its two branches is what leaves it."""
    indent, heads = "    " * depth, _ways(loop)
    if heads is None:
        yield f"{indent}repeat{_until(loop)}:"
        yield from _lines(loop.body, names, depth + 1)
        return
    (guard, again), last = heads
    yield f"{indent}while {guard_text(guard, names)}:"
    yield from list(_lines(again, names, depth + 1)) or [f"{indent}    pass"]
    yield from _lines([node for node in last if not isinstance(node, Break)], names, depth)


def _ways(loop: Loop) -> tuple[tuple[Guard, Sequence[Node]], Sequence[Node]] | None:
    """The branch that goes round, and what is done instead at the end; None if a loop is not made so."""
    branching = loop.body[0]
    if len(loop.body) > 1 or not isinstance(branching, If) or len(branching.branches) != 2:
        return None
    leaving = [place for place, (_, body) in enumerate(branching.branches) if _leaves(body)]
    if len(leaving) != 1 or not covers([guard for guard, _ in branching.branches]):
        return None
    again, (_, last) = branching.branches[1 - leaving[0]], branching.branches[leaving[0]]
    return None if _can_break(again[1]) else (again, last)


def _leaves(body: Sequence[Node]) -> bool:
    """Whether code ends by leaving its loop, and there alone."""
    return bool(body) and isinstance(body[-1], Break | Stop) and not _can_break(body[:-1])


def _if_lines(node: If, names: Sequence[str], depth: int) -> Iterator[str]:
    indent = "    " * depth
    for position, (guard, body) in enumerate(node.branches):
        last = position == len(node.branches) - 1
        if last and position and covers([branch for branch, _ in node.branches]):
            yield f"{indent}else:"
        else:
            yield f"{indent}{'if' if position == 0 else 'elif'} {guard_text(guard, names)}:"
        lines = list(_lines(body, names, depth + 1))
        yield from lines or [f"{indent}    pass"]


def _until(loop: Loop) -> str:
    return "" if _can_end(loop.body) else " until T"


def _can_break(nodes: Sequence[Node]) -> bool:
    return _meets(nodes, Break)


def _can_end(nodes: Sequence[Node]) -> bool:
    return _meets(nodes, Break | Stop)


def _meets(nodes: Sequence[Node], kinds: type | UnionType) -> bool:
    """Whether such a node is among them, other than in a loop within."""
    return any(
        isinstance(node, kinds)
        or (isinstance(node, If) and any(_meets(body, kinds) for _, body in node.branches))
        for node in nodes
    )
