"""Simplify a whole program: known registers, dead registers, equal edges and equal states.

Every pass keeps what the program does from its start; they are repeated until none finds anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from analysis.program.block import Block, Constant, Guard, Instruction, Operation
from analysis.program.program import Edge, Program
from analysis.simplification.block import drop_dead, simplify_block
from analysis.simplification.dataflow import (
    Known,
    facts_under,
    known_at_entry,
    live_after,
    live_registers,
)
from analysis.simplification.guards import MAX_REGISTERS, guard_of, separating_masks, tested_by, values_on


def simplify_program(program: Program) -> Program:
    """The same behaviour from the start in as few registers, states and instructions as the rules find.

    Stores, order of stores and stops stay the same at every step, for every M >= the new `min_size`.
    """
    while True:
        smaller = program
        for reduction in (
            drop_known_tests,
            drop_dead_code,
            simplify_edges,
            join_edges,
            join_states,
            drop_registers,
        ):
            smaller = reduction(smaller)
        if smaller == program:
            return program
        program = smaller


def drop_known_tests(program: Program) -> Program:
    """Leave out edges that cannot be taken, and tests whose result is known."""
    flow = known_at_entry(program)
    edges = [
        replace(edge, guard=guard)
        for edge in program.edges
        if (entry := flow.known[edge.source]) is not None and (guard := _with_known(edge.guard, entry)).cubes
    ]
    changed = tuple(edges) != program.edges
    return replace(program, edges=tuple(edges), min_size=flow.min_size if changed else program.min_size)


def drop_dead_code(program: Program) -> Program:
    """Leave out what no store, no stop and no later step needs."""
    live = live_registers(program)
    edges = [_lean(edge, program.num_registers, live_after(edge, live)) for edge in program.edges]
    return replace(program, edges=tuple(edges))


def simplify_edges(program: Program) -> Program:
    """Simplify every block under what is known before it; all registers stay assigned as they were."""
    flow = known_at_entry(program)
    edges, min_size = [], program.min_size
    for edge in program.edges:
        entry = flow.known[edge.source]
        if entry is None:  # nothing enters it any more, as edges before it are gone
            min_size = max(min_size, flow.min_size)
            continue
        facts = facts_under(edge.guard, entry)
        new = simplify_block(edge.block, program.num_registers, facts=facts)
        if new.block != edge.block:
            edge = replace(edge, block=new.block, rewrites=edge.rewrites + new.rewrites)
            min_size = max(min_size, new.min_size, flow.min_size)
        edges.append(edge)
    return replace(program, edges=tuple(edges), min_size=min_size)


def join_edges(program: Program) -> Program:
    """Make one edge of those of a state that do the same, and test only what the others need."""
    edges: list[Edge] = []
    for outgoing in program.edges_of_state:
        groups: dict[tuple[Block, int | None], list[Edge]] = {}
        for edge in outgoing:
            groups.setdefault((edge.block, edge.target), []).append(edge)
        if len(groups) == len(outgoing):
            edges += outgoing
        else:
            edges += _joined(list(groups.values()))
    return replace(program, edges=tuple(edges))


def join_states(program: Program) -> Program:
    """Make one state of those that behave alike for ever, and leave out those that are never entered."""
    classes = [0] * len(program.states)
    while True:
        behaviours = [_behaviour(program, state, classes) for state in range(len(program.states))]
        numbers: dict[object, int] = {}
        finer = [numbers.setdefault(behaviour, len(numbers)) for behaviour in behaviours]
        if len(numbers) == len(set(classes)):
            break
        classes = finer
    return _renumber_states(program, finer)


def drop_registers(program: Program) -> Program:
    """Leave out registers that matter in no state."""
    anywhere = frozenset[int]().union(*live_registers(program))
    kept = [register for register in range(program.num_registers) if register in anywhere]
    return keep_registers(drop_dead_code(program), kept)


def keep_registers(program: Program, kept: list[int]) -> Program:
    """The program over these registers alone, in this order; the others must not be needed."""
    numbers = {old: new for new, old in enumerate(kept)}
    edges = [
        replace(
            edge,
            guard=_renumber_guard(edge.guard, numbers),
            block=renumber_registers(edge.block, numbers, program.num_registers, len(kept)),
        )
        for edge in program.edges
    ]
    registers = tuple(program.registers[register] for register in kept)
    return replace(program, registers=registers, edges=tuple(edges))


def _lean(edge: Edge, num_registers: int, live: frozenset[int]) -> Edge:
    block, rewrites = drop_dead(edge.block, num_registers, live)
    return replace(edge, block=block, rewrites=edge.rewrites + rewrites)


def _with_known(guard: Guard, known: Known) -> Guard:
    """The guard less tests of registers known to be 0; of registers with equal content one is tested."""
    cubes = (_cube_with_known(mask, value, known) for mask, value in guard.cubes)
    return Guard(tuple(sorted({cube for cube in cubes if cube is not None})))


def _cube_with_known(mask: int, value: int, known: Known) -> tuple[int, int] | None:
    """The cube, or None where it cannot hold."""
    wanted: dict[int, int] = {}
    for register, (kind, number) in enumerate(known):
        if not mask >> register & 1:
            continue
        is_zero = value >> register & 1
        if (kind, number) == ("constant", 0):
            if not is_zero:
                return None
            continue
        tested = number if kind == "copy" else register
        if wanted.setdefault(tested, is_zero) != is_zero:
            return None
    mask = sum(1 << register for register in wanted)
    return mask, sum(1 << register for register, is_zero in wanted.items() if is_zero)


def _joined(groups: list[list[Edge]]) -> list[Edge]:
    tested = tested_by(edge.guard for group in groups for edge in group)
    if tested.bit_count() > MAX_REGISTERS:
        return [edge for group in groups for edge in group]
    classes = {
        pattern: number
        for number, group in enumerate(groups)
        for pattern in sorted(values_on(tested))
        if any(edge.guard.matches(pattern) for edge in group)
    }
    mask = separating_masks(classes, tested)[0]
    return [_as_one(group, [p for p in classes if classes[p] == n], mask) for n, group in enumerate(groups)]


def _as_one(group: list[Edge], patterns: list[int], mask: int) -> Edge:
    main = max(group, key=lambda edge: edge.support)
    return replace(main, guard=guard_of(patterns, mask), support=sum(edge.support for edge in group))


def _behaviour(program: Program, state: int, classes: list[int]) -> object:
    outgoing = program.edges_of_state[state]
    ends = [None if edge.target is None else classes[edge.target] for edge in outgoing]
    return frozenset((e.guard, e.block, end) for e, end in zip(outgoing, ends, strict=True))


def _renumber_states(program: Program, classes: list[int]) -> Program:
    """One state for every class that is entered, in the order of first entry from the start."""
    first = {number: classes.index(number) for number in classes}
    order = [classes[0]]
    for number in order:
        for edge in program.edges_of_state[first[number]]:
            if edge.target is not None and classes[edge.target] not in order:
                order.append(classes[edge.target])
    place = {number: position for position, number in enumerate(order)}
    supports = _supports(program, classes)
    edges = [
        replace(
            edge,
            source=place[number],
            target=None if edge.target is None else place[classes[edge.target]],
            support=supports[number, edge.guard],
        )
        for number in order
        for edge in program.edges_of_state[first[number]]
    ]
    names = tuple(program.states[first[number]] for number in order)
    return replace(program, states=names, edges=tuple(edges))


def _supports(program: Program, classes: list[int]) -> dict[tuple[int, Guard], int]:
    total: dict[tuple[int, Guard], int] = {}
    for edge in program.edges:
        key = classes[edge.source], edge.guard
        total[key] = total.get(key, 0) + edge.support
    return total


def _renumber_guard(guard: Guard, numbers: dict[int, int]) -> Guard:
    return Guard(
        tuple(sorted((_moved(numbers, mask), _moved(numbers, value)) for mask, value in guard.cubes))
    )


def _moved(numbers: dict[int, int], mask: int) -> int:
    return sum(1 << new for old, new in numbers.items() if mask >> old & 1)


def renumber_registers(block: Block, numbers: Mapping[int, int], before: int, after: int) -> Block:
    """A block over other registers.

    Args:
        block: The code.
        numbers: Old register -> new one; assignments to others are left out, and it must not read them.
        before: How many registers there were.
        after: How many there are.
    """

    def new(number: int) -> int:
        return numbers[number] if number < before else number - before + after

    def renumber(instruction: Instruction) -> Instruction:
        if isinstance(instruction, Constant):
            return instruction
        return Operation(instruction.gate, tuple(map(new, instruction.arguments)))

    assignments = sorted((numbers[r], new(number)) for r, number in block.assignments if r in numbers)
    return Block(tuple(map(renumber, block.instructions)), tuple(assignments))
