"""Nothing is guessed: the guards of a program that was learned from runs hold where the runs have been."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from analysis.extraction.record import Recording
from analysis.program.block import Guard
from analysis.program.program import START, Edge, Program
from analysis.simplification.dataflow import live_registers
from analysis.simplification.guards import (
    MAX_REGISTERS,
    guard_of,
    mask_of,
    partition,
    separating_masks,
    tested_by,
    values_on,
)
from analysis.simplification.reach import program_reach

Seen = dict[tuple[int, int], int]
"""(state, zero-pattern of the registers that matter there) -> number of the edge that was taken."""


def seen_only(program: Program, recording: Recording) -> Program:
    """The program with guards that hold on no pattern that can occur and was not recorded in its state.

    Of a pattern counts what it says of the registers that matter in the state. Patterns that can never occur
    there, because of what the blocks leave in the registers, are covered where that makes a guard shorter.
    """
    live = [mask_of(registers) for registers in live_registers(program)]
    seen = _seen(program, recording, live)
    reach = program_reach(program)
    edges: list[Edge] = []
    min_size = program.min_size
    for state, mask in enumerate(live):
        taken = {bits: number for (place, bits), number in seen.items() if place == state}
        impossible = reach.impossible(mask, state) - taken.keys() if reach else set()
        guards = partition(taken, mask, impossible)
        edges += [replace(program.edges[number], guard=guards[number]) for number in sorted(guards)]
        if reach and any(guard.matches(value) for guard in guards.values() for value in impossible):
            min_size = max(min_size, reach.min_size)
    return replace(program, edges=tuple(edges), min_size=min_size)


def _seen(program: Program, recording: Recording, live: list[int]) -> Seen:
    """What the runs show if the program follows them."""
    sources = [register.source for register in program.registers]
    numbers = {edge: number for number, edge in enumerate(program.edges)}
    seen: Seen = {}
    for run in recording.runs:
        state: int | None = START
        for pattern in run.patterns:
            if state is None:
                break
            bits = live[state] & mask_of(place for place, at in enumerate(sources) if pattern >> at & 1)
            if (state, bits) not in seen:
                edge = next((e for e in program.edges_of_state[state] if e.guard.matches(bits)), None)
                if edge is None:
                    break
                seen[state, bits] = numbers[edge]
            state = program.edges[seen[state, bits]].target
    return seen


def unseen(program: Program) -> tuple[Guard | None, ...]:
    """For every state where it stops because the situation was never recorded.

    None if that cannot occur, or if so many registers are tested that it is not looked for.
    """
    reach = program_reach(program)
    guards: list[Guard | None] = []
    for state, edges in enumerate(program.edges_of_state):
        mask = tested_by(edge.guard for edge in edges)
        if mask.bit_count() > MAX_REGISTERS:
            guards.append(None)
            continue
        impossible = reach.impossible(mask, state) if reach else set[int]()
        uncovered = {v for v in values_on(mask) if not any(edge.guard.matches(v) for edge in edges)}
        stops = uncovered - impossible
        guards.append(guard_of(stops, mask, uncovered & impossible) if stops else None)
    return tuple(guards)


def as_if_seen(program: Program) -> Program:
    """The program with guards that tell its edges from each other and say nothing of where it stops unseen.

    For reading only, beside `unseen`.
    """
    edges: list[Edge] = []
    for state, stops in enumerate(unseen(program)):
        outgoing = program.edges_of_state[state]
        if stops is None:
            edges += outgoing
            continue
        values = values_on(tested_by(edge.guard for edge in outgoing))
        taken = {value: edge for value in values for edge in outgoing if edge.guard.matches(value)}
        edges += telling_apart(taken, outgoing)
    return replace(program, edges=tuple(edges))


def telling_apart(taken: Mapping[int, Edge], edges: Sequence[Edge]) -> list[Edge]:
    """Those edges of one state that are taken under some pattern, with the fewest tests that choose so.

    Args:
        taken: Zero-pattern -> edge.
        edges: The edges in their order.
    """
    if not taken:
        return []
    mask = separating_masks(taken, tested_by(edge.guard for edge in edges))[0]
    guards = partition(taken, mask, values_on(mask).difference(value & mask for value in taken))
    return [replace(edge, guard=guards[edge]) for edge in edges if edge in guards]
