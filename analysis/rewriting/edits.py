"""Single edits of a program, each with its reason. Whether one may be made, the judge says, and a proof."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations

import numpy as np

from analysis.program.block import Block, Constant, Instruction, gate_of
from analysis.program.block import Operation as Op
from analysis.program.program import Program, Rewrite
from analysis.rewriting.blocks import (
    composed,
    exchanged,
    moved,
    with_equal,
    with_value,
    without_assignment,
    without_store,
)
from analysis.rewriting.cases import FIXED, Seen, Visits
from analysis.rewriting.locations import choices
from analysis.simplification.terms import COMPARISONS
from nram_env.machine import Gate

CONSTANTS = (0, 1, 2, -1)
_OFFSETS = (1, -1, 2, -2)


def stores(program: Program, seen: Seen) -> Iterator[Program]:
    """Leave out a store."""
    for place, edge in enumerate(program.edges):
        for position, instruction in enumerate(edge.block.instructions):
            if gate_of(instruction) is Gate.WRITE:
                why = Rewrite("a store", "none", "nothing needs it")
                yield _edited(program, place, why, without_store(edge.block, position))


def tests(program: Program, seen: Seen) -> Iterator[Program]:
    """Choose the edges of a state by other registers."""
    for state in range(len(program.states)):
        for guards in choices(program, seen, state):
            edges = list(program.edges)
            for place, guard in guards.items():
                edges[place] = replace(edges[place], guard=guard)
            yield replace(program, edges=tuple(edges))


def values(program: Program, seen: Seen) -> Iterator[Program]:
    """Use something simpler that was equal, or an argument of a gate instead of what the gate makes of it."""
    for place, edge in enumerate(program.edges):
        for value in range(program.num_registers + len(edge.block.instructions)):
            for why, block in _simpler(edge.block, program.num_registers, value, seen.visits[place]):
                yield _edited(program, place, why, block)


def _simpler(block: Block, num_registers: int, value: int, visits: Visits) -> Iterator[tuple[Rewrite, Block]]:
    made = block.instructions[value - num_registers] if value >= num_registers else None
    if isinstance(made, Constant) or (made is not None and made.gate is Gate.WRITE):
        return
    for constant in CONSTANTS:
        always = np.array_equal(visits.values[value], constant % visits.sizes)
        if always or (gate_of(made) in COMPARISONS if made else False):
            why = Rewrite("a value", str(constant), "constant" if always else "nothing needs to know")
            yield why, with_value(block, num_registers, value, [Constant(constant)])
    for other in range(value):
        equal = np.array_equal(visits.values[other], visits.values[value])
        if equal or (isinstance(made, Op) and other in made.arguments):
            why = Rewrite("a value", "another", "equal" if equal else "the gate is not needed")
            yield why, with_equal(block, value, other)


def assignments(program: Program, seen: Seen) -> Iterator[Program]:
    """Leave a register as it is."""
    for place, edge in enumerate(program.edges):
        for register, _ in edge.block.assignments:
            why = Rewrite("an assignment", "none", "nothing needs it")
            yield _edited(program, place, why, without_assignment(edge.block, register))


def registers(program: Program, seen: Seen) -> Iterator[Program]:
    """Do without a register: wherever it is read, something else has its value."""
    for register in range(program.num_registers):
        ways = [list(_stand_ins(register, program.num_registers, visits)) for visits in seen.visits]
        for choice in range(max(map(len, ways), default=0) if all(ways) else 0):
            edges = [
                replace(edge, block=way[min(choice, len(way) - 1)](edge.block), witness=())
                for edge, way in zip(program.edges, ways, strict=True)
            ]
            why = Rewrite("a register", "others", "they have its value")
            edges[0] = replace(edges[0], rewrites=(*edges[0].rewrites, why))
            yield replace(program, edges=tuple(edges))


def _stand_ins(register: int, num_registers: int, visits: Visits) -> Iterator[Callable[[Block], Block]]:
    """What has the value of a register at all visits: a constant, a register, one near it, a fixed cell."""

    def instead(*code: Instruction) -> Callable[[Block], Block]:
        return partial(with_value, num_registers=num_registers, value=register, code=code)

    column, sizes = visits.values[register], visits.sizes
    for constant in CONSTANTS:
        if np.array_equal(column, constant % sizes):
            yield instead(Constant(constant))
    for other in (r for r in range(num_registers) if r != register):
        if np.array_equal(column, visits.values[other]):
            yield partial(with_equal, value=register, other=other)
        for offset in _OFFSETS:
            if np.array_equal(column, (visits.values[other] + offset) % sizes):
                yield instead(Constant(offset), Op(Gate.ADD, (other, num_registers)))
    for cell in range(FIXED):
        if np.array_equal(column, visits.fixed[cell]):
            yield instead(Constant(cell), Op(Gate.READ, (num_registers,)))


def edges(program: Program, seen: Seen) -> Iterator[Program]:
    """Do, and go where, another edge does and goes; or do nothing and go anywhere."""
    others = [(edge.block, edge.target) for edge in program.edges]
    nothing = [(Block(), state) for state in range(len(program.states))]
    for place, edge in enumerate(program.edges):
        for block, target in dict.fromkeys((*others, *nothing)):
            if (block, target) != (edge.block, edge.target):
                why = Rewrite("a block", "another", "it does the same here")
                yield _edited(program, place, why, block, target)


def states(program: Program, seen: Seen) -> Iterator[Program]:
    """Go to another state: every edge that leads to one, then single edges."""
    every = range(len(program.states))
    for state in every:
        for other in every:
            if state != other:
                found = [replace(e, target=other) if e.target == state else e for e in program.edges]
                yield replace(program, edges=tuple(found))
    for place, edge in enumerate(program.edges):
        for other in every:
            if edge.target not in (None, other):
                why = Rewrite("a state", "another", "it goes on in the same way")
                yield _edited(program, place, why, edge.block, other)


def exchanges(program: Program, seen: Seen) -> Iterator[Program]:
    """Let two registers change their parts behind a block."""
    for place, edge in enumerate(program.edges):
        for one, other in combinations(range(program.num_registers), 2):
            why = Rewrite("two registers", "exchanged", "what follows treats them alike")
            yield _edited(program, place, why, exchanged(edge.block, program.num_registers, one, other))


def orders(program: Program, seen: Seen) -> Iterator[Program]:
    """Store as early or as late in a block as can be."""
    for place, edge in enumerate(program.edges):
        for position, instruction in enumerate(edge.block.instructions):
            if gate_of(instruction) is Gate.WRITE:
                for block in moved(edge.block, program.num_registers, position):
                    why = Rewrite("a store", "the same", "its order does not matter")
                    yield _edited(program, place, why, block)


def detours(program: Program, seen: Seen) -> Iterator[Program]:
    """Go, without doing anything, where what a block does is done anyway."""
    alone = {
        (edges[0].block, edges[0].target): state
        for state, edges in enumerate(program.edges_of_state)
        if len(edges) == 1 and edges[0].guard.always
    }
    for place, edge in enumerate(program.edges):
        state = alone.get((edge.block, edge.target))
        if state not in (None, edge.source):
            why = Rewrite("a block", "another state's", "it is the same")
            yield _edited(program, place, why, Block(), state)


def passes(program: Program, seen: Seen) -> Iterator[Program]:
    """Make one pass of two that always follow each other."""
    for place, edge in enumerate(program.edges):
        following = () if edge.target in (None, edge.source) else program.edges_of_state[edge.target]
        if len(following) == 1 and following[0].guard.always:
            block = composed(edge.block, following[0].block, program.num_registers)
            why = Rewrite("two passes", "one", "they always follow each other")
            yield _edited(program, place, why, block, following[0].target)


_SAME = -1


def _edited(program: Program, place: int, why: Rewrite, block: Block, target: int | None = _SAME) -> Program:
    edge = program.edges[place]
    new = replace(
        edge,
        block=block,
        target=edge.target if target == _SAME else target,
        witness=(),
        rewrites=(*edge.rewrites, why),
    )
    return replace(program, edges=(*program.edges[:place], new, *program.edges[place + 1 :]))


EDITS = (stores, tests, values, assignments, edges, states, registers, exchanges, orders, detours, passes)
"""In the order in which they are tried."""
