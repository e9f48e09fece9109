"""What holds at a state, and which registers matter there: true of every run, and as much as can be seen."""

import numpy as np
import pytest

from analysis.machine.vm import choose_edge, execute
from analysis.program.block import Block, Constant, Guard, Operation
from analysis.program.program import Edge, Program
from analysis.simplification.dataflow import known_at_entry, live_registers
from nram_env.machine import Gate
from tests.analysis.programs import program_with, random_programs


@pytest.mark.parametrize("registers", [2, 4])
def test_what_is_said_to_hold_at_a_state_holds_whenever_it_is_entered(registers):
    rng = np.random.default_rng(3)
    for program in random_programs(40, registers):
        flow = known_at_entry(program)
        live = live_registers(program)
        for _ in range(8):
            size = max(2, flow.min_size) + int(rng.integers(5))
            memory, state, values = rng.integers(size, size=size).tolist(), 0, (0,) * registers
            for _ in range(15):
                entry = flow.known[state]
                assert entry is not None, "a state that is entered is known to be"
                for register in live[state]:
                    kind, number = entry[register]
                    assert values[register] == (number % size if kind == "constant" else values[number])
                edge = choose_edge(program, state, values)
                if edge is None or edge.target is None:
                    break
                values, state = execute(edge.block, values, memory), edge.target


def test_a_register_that_does_not_matter_at_a_state_can_hold_anything_there():
    rng = np.random.default_rng(4)
    spoilt = 0
    for program in random_programs(40, 4):
        live = live_registers(program)
        for state in range(len(program.states)):
            for _ in range(4):
                memory, values = rng.integers(6, size=6).tolist(), tuple(rng.integers(6, size=4).tolist())
                other = tuple(v if r in live[state] else (v + 1) % 6 for r, v in enumerate(values))
                spoilt += values != other
                assert follow(program, state, values, memory) == follow(program, state, other, memory)
    assert spoilt


def follow(program: Program, state: int, values: tuple[int, ...], memory: list[int]) -> list[object]:
    """States and memories of a run from the middle of a program on."""
    memory, seen = list(memory), []
    for _ in range(15):
        edge = choose_edge(program, state, values)
        if edge is None:
            return [*seen, "unseen"]
        values = execute(edge.block, values, memory)
        seen += [edge.target, *memory]
        if edge.target is None:
            return seen
        state = edge.target
    return seen


def test_only_what_a_guard_a_store_or_a_later_step_needs_is_live():
    edges = (
        Edge(0, Guard(), Block((Operation(Gate.INC, (2,)),), ((0, 3), (1, 2))), 1),
        Edge(1, Guard(((0b001, 0b001),)), Block((Constant(1), Operation(Gate.WRITE, (3, 1)))), None),
        Edge(1, Guard(((0b001, 0b000),)), Block(), 1),
    )
    live = live_registers(program_with(*edges, registers=3))
    assert live == (frozenset({2}), frozenset({0, 1}))


def test_constants_and_copies_are_followed_through_loops_and_lost_where_ways_differ():
    edges = (
        Edge(0, Guard(), Block((Operation(Gate.READ, (0,)), Constant(2)), ((0, 4), (1, 3), (2, 3))), 1),
        Edge(1, Guard(), Block((Operation(Gate.INC, (0,)), Operation(Gate.WRITE, (1, 2))), ((0, 3),)), 2),
        Edge(2, Guard(((0b010, 0b010),)), Block((Operation(Gate.DEC, (0,)),), ((0, 3),)), 1),
        Edge(2, Guard(((0b010, 0b000),)), Block((Operation(Gate.WRITE, (0, 2)),)), None),
    )
    flow = known_at_entry(program_with(*edges, registers=3, states=3))
    assert flow.known == (
        (("constant", 0), ("copy", 1), ("copy", 2)),
        (("constant", 2), ("copy", 1), ("copy", 1)),
        (("constant", 3), ("copy", 1), ("copy", 1)),
    )
