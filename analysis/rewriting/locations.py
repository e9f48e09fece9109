"""Where a run is, as states of the program: what was done last, and tests that choose as was seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from analysis.program.block import Block, Guard
from analysis.program.program import Program
from analysis.rewriting.cases import Seen
from analysis.simplification.dataflow import Known, contradicts, known_at_entry, live_registers, transfer
from analysis.simplification.guards import length, partition, separating_masks, values_on


def split(program: Program, seen: Seen, history: int) -> Program:
    """The same runs with a state for each sequence of edges that were taken last.

    Registers that say where a run is, flags and phases, are known there: they become control.

    Args:
        program: The program.
        seen: Runs of it; what none of them did is left out.
        history: Edges of a sequence, at most.
    """
    steps = sorted(_steps(seen.edges, history))
    places = sorted({before for before, _ in steps}, key=lambda before: (len(before), before))
    edges = [
        replace(
            edge,
            source=places.index(before),
            target=None if edge.target is None else places.index((*before, now)[-history:]),
            witness=(),
        )
        for before, now in steps
        for edge in [program.edges[now]]
    ]
    edges.sort(key=lambda edge: edge.source)
    states = tuple(f"S{place}" for place in range(len(places)))
    return replace(program, states=states, edges=tuple(edges), kind="machine")


def _steps(edges: np.ndarray, history: int) -> set[tuple[tuple[int, ...], int]]:
    """Every edge that was taken, with those before it."""
    found: set[tuple[tuple[int, ...], int]] = set()
    for time in range(len(edges)):
        before = edges[max(time - history, 0) : time + 1]
        columns = np.unique(before[:, before[-1] >= 0], axis=1).T
        found |= {(tuple(column[:-1]), column[-1]) for column in columns.tolist()}
    return found


def retested(program: Program, seen: Seen) -> Program:
    """Every state with the fewest tests that choose as was seen; edges that nothing took are left out."""
    guards: dict[int, Guard] = {}
    for state in range(len(program.states)):
        ways = list(choices(program, seen, state))
        best = min(ways, key=lambda way: sum(map(length, way.values()))) if ways else {}
        guards |= best
    edges = [
        replace(edge, guard=guards[place]) for place, edge in enumerate(program.edges) if place in guards
    ]
    return replace(program, edges=tuple(edges))


def choices(program: Program, seen: Seen, state: int) -> Iterator[dict[int, Guard]]:
    """All ways of choosing the edges of a state by as few registers as can be: edge -> guard."""
    known = _patterns(program, seen, state)
    for mask in separating_masks(known, (1 << program.num_registers) - 1) if known else ():
        yield partition(known, mask, values_on(mask).difference(bits & mask for bits in known))


def _patterns(program: Program, seen: Seen, state: int) -> dict[int, int]:
    """The zero-patterns that were seen in a state, with the number of the edge that was taken."""
    powers = 1 << np.arange(program.num_registers)
    return {
        bits: place
        for place, edge in enumerate(program.edges)
        if edge.source == state
        for bits in np.unique(powers @ (seen.visits[place].values[: program.num_registers] == 0)).tolist()
        if seen.visits[place].sizes.size
    }


def shortcut(program: Program) -> Program:
    """Lead every edge past a state in which, coming from there, nothing is done but to go on."""
    flow, live = known_at_entry(program), live_registers(program)
    edges, min_size = list(program.edges), program.min_size
    for place, edge in enumerate(program.edges):
        entry = flow.known[edge.source]
        if edge.target is None or entry is None:
            continue
        after, needed = transfer(edge, entry, live[edge.target])
        beyond = _beyond(program, edge.target, after)
        if beyond != edge.target:
            edges[place] = replace(edge, target=beyond, witness=())
            min_size = max(min_size, needed, flow.min_size)
    return replace(program, edges=tuple(edges), min_size=min_size)


def _beyond(program: Program, state: int, known: Known) -> int:
    """Where a state leads that does nothing where this is known; the state itself if it does something."""
    possible = [edge for edge in program.edges_of_state[state] if not contradicts(edge.guard, known)]
    alone = possible[0] if len(possible) == 1 else None
    if alone is None or alone.target is None or alone.block != Block():
        return state
    return alone.target
