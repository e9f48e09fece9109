"""Reductions of whole programs: what is alike becomes one, what cannot matter goes, and nothing else."""

from dataclasses import replace

import numpy as np

from analysis.machine.vm import run
from analysis.program.block import Block, Constant, Guard, Operation
from analysis.program.program import Edge, Program
from analysis.program.text import block_lines
from analysis.simplification.program import (
    drop_known_tests,
    drop_registers,
    join_edges,
    join_states,
    keep_registers,
    simplify_edges,
    simplify_program,
)
from nram_env.machine import Gate
from tests.analysis.programs import program_with, random_programs

LOAD = Block((Operation(Gate.READ, (0,)),), ((0, 2),))
STORE = Block((Operation(Gate.WRITE, (0, 1)),), ())
COUNT = Block((Operation(Gate.INC, (1,)),), ((1, 2),))


def shape(program: Program) -> tuple[object, ...]:
    """All that decides what a program does."""
    edges = [(edge.source, edge.guard, edge.block, edge.target) for edge in program.edges]
    return len(program.states), sorted(edges, key=repr)


def doubled(program: Program, rng: np.random.Generator) -> Program:
    """Every state twice; every edge to either copy of its target, and as two that test another register."""
    count, edges = len(program.states), []
    for edge in program.edges:
        ((mask, value),) = edge.guard.cubes
        bit = 1 << int(rng.choice([r for r in range(program.num_registers) if not mask >> r & 1]))
        for copy in (0, count):
            for cube in ((mask | bit, value), (mask | bit, value | bit)):
                target = None if edge.target is None else edge.target + count * int(rng.integers(2))
                edges.append(replace(edge, source=edge.source + copy, guard=Guard((cube,)), target=target))
    edges.sort(key=lambda edge: edge.source)
    return replace(program, states=program.states * 2, edges=tuple(edges))


def test_doubled_states_and_edges_become_one_again():
    rng = np.random.default_rng(1)
    for program in random_programs(60):
        single = join_states(join_edges(program))
        again = doubled(program, rng)
        for _ in range(len(again.states)):
            again = join_edges(join_states(again))
        assert shape(join_states(again)) == shape(join_states(join_edges(single)))


def test_edges_that_do_the_same_are_joined_and_test_only_what_tells_them_from_the_others():
    edges = (
        Edge(0, Guard(((0b11, 0b11),)), LOAD, 1, support=3, witness=(0,) * 21),
        Edge(0, Guard(((0b11, 0b01),)), LOAD, 1, support=5, witness=(1,) * 21),
        Edge(0, Guard(((0b01, 0b00),)), STORE, 1, support=7),
        Edge(1, Guard(), COUNT, 0),
    )
    joined = join_edges(program_with(*edges)).edges
    assert joined == (
        replace(edges[1], guard=Guard(((0b01, 0b01),)), support=8),
        replace(edges[2], guard=Guard(((0b01, 0b00),))),
        edges[3],
    )


def test_joined_edges_hold_where_they_did_also_where_each_tests_other_registers():
    edges = (
        Edge(0, Guard(((0b11, 0b11),)), LOAD, 0),
        Edge(0, Guard(((0b11, 0b01),)), STORE, 0),
        Edge(0, Guard(((0b01, 0b00),)), LOAD, 0),
    )
    joined = join_edges(program_with(*edges, states=1)).edges
    assert len(joined) == 2
    for pattern, block in ((0b00, LOAD), (0b01, STORE), (0b10, LOAD), (0b11, LOAD)):
        assert [edge.block for edge in joined if edge.guard.matches(pattern)] == [block]


def test_edges_of_one_block_with_different_ends_are_kept_apart():
    edges = (
        Edge(0, Guard(((1, 1),)), LOAD, 1),
        Edge(0, Guard(((1, 0),)), LOAD, None),
        Edge(1, Guard(), STORE, 0),
    )
    assert join_edges(program_with(*edges)).edges == edges


def test_what_was_not_seen_is_not_decided_by_joined_edges_when_it_cannot_be_left_out():
    """Nothing is known of r0 = 0, r1 != 0; the joined guard may hold there, but two edges never both."""
    edges = (
        Edge(0, Guard(((0b11, 0b00),)), LOAD, 0),
        Edge(0, Guard(((0b11, 0b11),)), LOAD, 0),
        Edge(0, Guard(((0b11, 0b10),)), STORE, 0),
    )
    joined = join_edges(program_with(*edges, states=1)).edges
    for pattern, block in ((0b00, LOAD), (0b11, LOAD), (0b10, STORE)):
        assert [edge.block for edge in joined if edge.guard.matches(pattern)] == [block]


def test_states_that_behave_alike_become_the_first_of_them_and_unreached_ones_go():
    edges = (
        Edge(0, Guard(), LOAD, 2, support=1),
        Edge(1, Guard(), STORE, 0, support=50),
        Edge(2, Guard(), COUNT, 3, support=2),
        Edge(3, Guard(), COUNT, 2, support=4),
    )
    joined = join_states(program_with(*edges, states=4))
    assert joined.states == ("S0", "S2")
    assert joined.edges == (
        Edge(0, Guard(), LOAD, 1, support=1),
        Edge(1, Guard(), COUNT, 1, support=6),
    )


def test_states_that_part_ways_only_later_are_kept_apart():
    edges = (
        Edge(0, Guard(((1, 1),)), LOAD, 1),
        Edge(0, Guard(((1, 0),)), LOAD, 2),
        Edge(1, Guard(), COUNT, 3),
        Edge(2, Guard(), COUNT, 4),
        Edge(3, Guard(), STORE, 0),
        Edge(4, Guard(), STORE, None),
    )
    program = program_with(*edges, states=5)
    assert join_states(program) == program


def test_states_are_numbered_in_the_order_in_which_they_are_entered():
    edges = (Edge(0, Guard(), LOAD, 2), Edge(1, Guard(), STORE, None), Edge(2, Guard(), COUNT, 1))
    joined = join_states(program_with(*edges, states=3))
    assert [(edge.source, edge.block, edge.target) for edge in joined.edges] == [
        (0, LOAD, 1),
        (1, COUNT, 2),
        (2, STORE, None),
    ]
    assert joined.states == ("S0", "S2", "S1")


def test_an_edge_that_needs_a_register_that_is_0_not_to_be_cannot_be_taken():
    edges = (
        Edge(0, Guard(((0b01, 0b01),)), COUNT, 1),
        Edge(0, Guard(((0b01, 0b00),)), STORE, 1),
        Edge(1, Guard(((0b10, 0b10),)), STORE, 1),
        Edge(1, Guard(((0b10, 0b00),)), STORE, 0),
    )
    new = drop_known_tests(program_with(*edges))
    assert new.edges == (replace(edges[0], guard=Guard()), *edges[2:])


def test_of_registers_with_the_same_content_one_is_tested():
    copy = Block((Operation(Gate.READ, (0,)),), ((0, 2), (1, 2)))
    use = Block((Operation(Gate.WRITE, (0, 1)),))
    edges = (
        Edge(0, Guard(), copy, 1),
        Edge(1, Guard(((0b11, 0b11),)), use, 1),
        Edge(1, Guard(((0b11, 0b01),)), use, 1),  # asks for two different things of one content
        Edge(1, Guard(((0b11, 0b00),)), use, None),
    )
    new = drop_known_tests(program_with(*edges))
    assert [(edge.guard.cubes, edge.target) for edge in new.edges[1:]] == [(((1, 1),), 1), (((1, 0),), None)]


def test_a_register_that_nothing_needs_goes_and_the_others_move_up():
    load = Block((Operation(Gate.READ, (1,)), Operation(Gate.INC, (0,))), ((0, 4), (1, 3)))
    edges = (
        Edge(0, Guard(((0b010, 0b010),)), load, 0),
        Edge(0, Guard(((0b010, 0b000),)), Block((Operation(Gate.WRITE, (1, 2)),)), None),
    )
    new = drop_registers(program_with(*edges, registers=3, states=1))
    assert [register.name for register in new.registers] == ["r1", "r2"]
    assert [(edge.guard.cubes, edge.block) for edge in new.edges] == [
        (((0b01, 0b01),), Block((Operation(Gate.READ, (0,)),), ((0, 2),))),
        (((0b01, 0b00),), Block((Operation(Gate.WRITE, (0, 1)),))),
    ]


def test_registers_in_another_order_run_alike():
    rng = np.random.default_rng(2)
    for program in random_programs(30):
        order = rng.permutation(program.num_registers).tolist()
        turned = keep_registers(program, order)
        assert [register.source for register in turned.registers] == order
        for _ in range(5):
            memory = rng.integers(6, size=6).tolist()
            before, after = run(program, memory, 12), run(turned, memory, 12)
            assert (before.memory, before.steps, before.outcome) == (after.memory, after.steps, after.outcome)


def test_simplifying_again_changes_nothing():
    for program in random_programs(40):
        simple = simplify_program(program)
        assert simplify_program(simple) == simple


def test_what_a_guard_says_of_registers_is_known_in_its_block():
    is_zero = Block((Constant(0), Operation(Gate.EQUALITY_TEST, (0, 2)), Operation(Gate.WRITE, (1, 3))))
    read = Edge(0, Guard(), LOAD, 1)
    edges = (read, Edge(1, Guard(((1, 1),)), is_zero, 0), Edge(1, Guard(((1, 0),)), is_zero, 0))
    new = simplify_edges(program_with(*edges))
    assert [block_lines(edge.block, ["p", "q"]) for edge in new.edges[1:]] == [["mem[0] = 1"], ["mem[0] = 0"]]


def test_simplifying_never_claims_smaller_memories_than_before():
    doubled_store = Block((*STORE.instructions, *STORE.instructions))
    program = replace(program_with(Edge(0, Guard(), doubled_store, None), states=1), min_size=9)
    new = simplify_edges(program)
    assert block_lines(new.edges[0].block, ["p", "q"]) == ["mem[0] = 0"]
    assert new.min_size == 9


def test_what_nothing_enters_is_left_out_where_blocks_are_simplified():
    """An edge before it may have gone in the same pass, as in a program that was learned for x-sum."""
    program = program_with(Edge(0, Guard(), STORE, 0), Edge(1, Guard(), LOAD, 0))
    assert [edge.source for edge in simplify_edges(program).edges] == [0]
