"""The program as code, for reading: structured, its first step written out, compared before it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

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
from nram_env.tasks import Task

_RUNS = 48

_REMARKS = 2
"""Tests that do not hold again are named up to so many."""


@dataclass(frozen=True)
class Code:
    """Code that did the same as the program on every run that was tried.

    Attributes:
        lines: The text.
        remarks: What the text takes for granted because it held on those runs.
        runs: How many there were.
    """

    lines: tuple[str, ...]
    remarks: tuple[str, ...]
    runs: int


def as_code(program: Program, task: Task | None) -> Code | None:
    """The program as code, if it can be written so and the code equals it on sampled runs of the task.

    Without a task there are no runs to compare on, and there is no code.
    """
    if task is None or len(program.edges) > MOST_EDGES:
        return None
    samples = list(_samples(task))
    shown, remarks = _without_rare_edges(as_if_seen(program), samples)
    nodes = structure(shown)
    if nodes is None:
        return None
    for memory, horizon in samples:
        result = run(program, memory, horizon)
        if (result.memory, result.steps) != run_code(nodes, shown.num_registers, memory, horizon):
            return None
    names = [register.name for register in shown.registers]
    return Code(tuple(_lines(nodes, names, 0)), remarks, len(samples))


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
    program: Program, samples: Sequence[tuple[tuple[int, ...], int]]
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
    return simplify_program(replace(peeled, edges=tuple(kept))), tuple(_remarks(never, names))


def _remarks(never: Sequence[Edge], names: Sequence[str]) -> Iterator[str]:
    for edge in never[:_REMARKS]:
        yield f"[{guard_text(edge.guard, names)}] does not hold again up to T(n)"
    if len(never) > _REMARKS:
        yield f"nor do the tests of {len(never) - _REMARKS} more blocks"


def _samples(task: Task) -> Iterator[tuple[tuple[int, ...], int]]:
    """Small instances of many sizes, run to the task's horizon."""
    rng = np.random.default_rng(7)
    for index in range(_RUNS):
        difficulty = task.smallest_difficulty + index % 8
        memory_size = task.smallest_memory_size(difficulty) + int(rng.integers(0, 4))
        memory = task.sample(rng, difficulty, memory_size).memory[0]
        yield tuple(memory.tolist()), task.horizon(difficulty)


def _lines(nodes: Sequence[Node], names: Sequence[str], depth: int) -> Iterator[str]:
    indent = "    " * depth
    for node in nodes:
        if isinstance(node, Do):
            yield from (indent + line for line in block_lines(node.edge.block, names) if line != "pass")
        elif isinstance(node, Loop):
            yield f"{indent}repeat{_until(node)}:"
            yield from _lines(node.body, names, depth + 1)
        elif isinstance(node, If):
            yield from _if_lines(node, names, depth)
        else:
            yield indent + ("break" if isinstance(node, Break) else "stop")


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


def _can_end(nodes: Sequence[Node]) -> bool:
    return any(
        isinstance(node, Break | Stop)
        or (isinstance(node, If) and any(_can_end(body) for _, body in node.branches))
        for node in nodes
    )
