"""The canonical form: the same for the same program in other names and numbers, another for another one."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.machine.vm import run
from analysis.program.block import Block, Constant, Guard, Operation
from analysis.program.program import Edge, Program, Register, Semantics
from analysis.simplification import canonical
from analysis.simplification.canonical import canonical_hash, canonical_text
from analysis.simplification.dataflow import live_after, live_registers
from analysis.simplification.program import keep_registers, simplify_program
from nram_env.machine import Gate, MachineConfig
from tests.analysis.programs import random_programs


def simplified_programs(count: int) -> list[Program]:
    return [simplify_program(program) for program in random_programs(count)]


def renumbered(program: Program, order: list[int]) -> Program:
    """The same program with its states in another order, state 0 first, and its edges likewise."""
    place = {old: new for new, old in enumerate(order)}
    edges = [
        replace(edge, source=place[edge.source], target=None if edge.target is None else place[edge.target])
        for edge in reversed(program.edges)
    ]
    names = tuple(f"other {program.states[old]}" for old in order)
    return replace(program, states=names, edges=tuple(sorted(edges, key=lambda edge: edge.source)))


def test_neither_the_order_of_registers_states_and_edges_nor_names_nor_records_change_the_form():
    rng = np.random.default_rng(1)
    for program in simplified_programs(15):
        states = [0, *(1 + rng.permutation(len(program.states) - 1)).tolist()]
        other = renumbered(keep_registers(program, rng.permutation(program.num_registers).tolist()), states)
        edges = tuple(replace(edge, support=7, witness=(), rewrites=()) for edge in other.edges)
        registers = tuple(replace(register, name=f"x{register.name}") for register in other.registers)
        other = replace(other, name="other", edges=edges, registers=registers, min_size=other.min_size + 1)
        assert canonical_text(other) == canonical_text(program)
        assert canonical_hash(other) == canonical_hash(program)


def with_dead_code(program: Program, edge: Edge) -> Edge:
    """The edge with a value more, which every register takes that does not matter afterwards."""
    after = live_after(edge, live_registers(program))
    number = program.num_registers + len(edge.block.instructions)
    assigned = dict.fromkeys(set(range(program.num_registers)) - after, number) | dict(edge.block.assignments)
    code = (*edge.block.instructions, Constant(1))
    return replace(edge, block=Block(code, tuple(sorted(assigned.items()))))


def test_what_nothing_needs_does_not_change_the_form():
    for program in simplified_programs(15):
        edges = tuple(with_dead_code(program, edge) for edge in program.edges)
        assert canonical_text(replace(program, edges=edges)) == canonical_text(program)


def edited(program: Program) -> list[Program]:
    """Programs whose edges end elsewhere, or hold where another did."""
    found = []
    for place, edge in enumerate(program.edges):
        for target in (None, *range(len(program.states))):
            if target != edge.target:
                found.append((place, replace(edge, target=target)))
    swapped = [list(program.edges)]
    for place in range(len(program.edges) - 1):
        one, other = program.edges[place : place + 2]
        if one.source == other.source:
            changed = list(program.edges)
            changed[place : place + 2] = [replace(one, guard=other.guard), replace(other, guard=one.guard)]
            swapped.append(changed)
    ends = [[*program.edges[:p], new, *program.edges[p + 1 :]] for p, new in found]
    return [replace(program, edges=tuple(edges)) for edges in (*ends, *swapped[1:])]


def behaviour(program: Program) -> list[object]:
    rng = np.random.default_rng(2)
    runs = [run(program, rng.integers(7, size=7).tolist(), 12) for _ in range(6)]
    return [(result.memory, result.steps, result.outcome) for result in runs]


def test_programs_that_run_differently_have_different_forms():
    told_apart = 0
    for program in simplified_programs(12):
        for other in edited(program):
            if behaviour(other) != behaviour(program):
                told_apart += 1
                assert canonical_text(other) != canonical_text(program)
    assert told_apart > 50


def program_of_one_edge(block: Block, registers: int, **options: object) -> Program:
    names = tuple(Register(f"r{r}", r) for r in range(registers))
    edge = Edge(0, Guard(), block, 0)
    return Program("p", names, ("S",), (edge,), "machine", MachineConfig(registers), **options)


def test_the_rule_for_stops_and_the_number_of_registers_belong_to_the_form():
    count = Block((Operation(Gate.INC, (0,)), Operation(Gate.WRITE, (0, 0))), ((0, 1),))
    plain = program_of_one_edge(count, 1)
    assert canonical_text(plain) != canonical_text(replace(plain, semantics=Semantics(stop_rule="never")))
    two = program_of_one_edge(Block((Operation(Gate.INC, (0,)), Operation(Gate.WRITE, (0, 0))), ((0, 2),)), 2)
    assert canonical_text(plain) != canonical_text(two)


def ring(order: list[int]) -> Program:
    """Each register takes what the next one holds, all are stored where the first points."""
    count = len(order)
    code, total = [], order[0]
    for number, register in enumerate(order[1:]):
        code.append(Operation(Gate.ADD, (total, register)))
        total = count + number
    code.append(Operation(Gate.WRITE, (total, total)))
    turns = sorted((register, order[(place + 1) % count]) for place, register in enumerate(order))
    return program_of_one_edge(Block(tuple(code), tuple(turns)), count)


def test_registers_of_the_same_use_are_tried_in_every_order_up_to_a_limit(monkeypatch):
    straight, mixed = ring([0, 1, 2, 3]), ring([2, 0, 3, 1])
    assert canonical_text(straight) == canonical_text(mixed)
    monkeypatch.setattr(canonical, "MAX_ORDERS", 4 * 3 * 2 - 1)
    assert canonical_text(straight) != canonical_text(mixed), "beyond it they keep their order"
    monkeypatch.setattr(canonical, "MAX_ORDERS", 4 * 3 * 2)
    assert canonical_text(straight) == canonical_text(mixed)


@pytest.mark.parametrize("gate", [Gate.MIN, Gate.MAX, Gate.EQUALITY_TEST])
def test_the_order_of_what_a_commutative_gate_takes_does_not_matter(gate):
    def compared(first: int, second: int, order: tuple[int, int]) -> Program:
        code = (
            Operation(gate, order),
            Operation(Gate.WRITE, (first, 2)),
            Operation(Gate.READ, (second,)),
            Operation(Gate.INC, (first,)),
        )
        return program_of_one_edge(Block(code, tuple(sorted([(first, 5), (second, 4)]))), 2)

    assert canonical_text(compared(0, 1, (0, 1))) == canonical_text(compared(1, 0, (0, 1)))
    assert canonical_text(compared(0, 1, (0, 1))) == canonical_text(compared(0, 1, (1, 0)))


def test_the_hash_is_sixteen_hexadecimal_digits():
    found = canonical_hash(ring([0, 1]))
    assert len(found) == 16
    assert int(found, 16) >= 0
