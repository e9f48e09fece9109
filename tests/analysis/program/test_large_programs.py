"""Small files with large programs in them: nothing hangs, nothing recurses as deep as the program is long."""

import itertools
import xml.etree.ElementTree as ElementTree

import pytest

from analysis.exporters.c import to_c
from analysis.exporters.python import to_python
from analysis.machine.vm import run
from analysis.pictures.circuit_diagram import MOST_DRAWN
from analysis.pictures.diagram import to_svg
from analysis.printing.page import listing
from analysis.program.block import Block, Guard, Operation, ProgramError
from analysis.program.expressions import DEEPEST, Apply, Expression, Let, statements
from analysis.program.graph import components, looping_states
from analysis.program.program import Edge, Program, Register
from analysis.simplification.canonical import canonical_hash
from analysis.simplification.program import simplify_program
from nram_env.machine import Gate, MachineConfig

LENGTH = 1_000
REGISTERS = 4


def chained(gate: Gate, second, length: int = LENGTH) -> Program:
    """One block: each value is the gate applied to the one before and to `second` of its position."""
    code = []
    for position in range(length):
        last = REGISTERS + position - 1 if position else 0
        code.append(Operation(gate, (last, second(position))[: gate.arity]))
    block = Block(tuple(code), ((0, REGISTERS + length - 1),))
    return program(Edge(0, Guard(), block, 0))


def program(*edges: Edge, states: int = 1) -> Program:
    registers = tuple(Register(f"r{register}", register) for register in range(REGISTERS))
    names = tuple(f"S{state}" for state in range(states))
    return Program("large", registers, names, edges, "machine", MachineConfig(REGISTERS))


def itself(position: int) -> int:
    return REGISTERS + position - 1 if position else 0


def the_one_before(position: int) -> int:
    return max(REGISTERS + position - 2, 0)


CHAINS = {
    "ADDs that double": (Gate.ADD, itself),
    "ADDs of a register": (Gate.ADD, lambda position: 1),
    "ADDs of the two before": (Gate.ADD, the_one_before),
    "SUBs": (Gate.SUB, lambda position: 1),
    "INCs": (Gate.INC, itself),
    "MINs of the two before": (Gate.MIN, the_one_before),
    "comparisons": (Gate.LESS_THAN, lambda position: 1),
    "READs": (Gate.READ, itself),
    "WRITEs": (Gate.WRITE, itself),
}


@pytest.mark.parametrize(("gate", "second"), CHAINS.values(), ids=CHAINS)
def test_a_block_of_a_thousand_chained_gates_is_listed_simplified_and_exported(gate, second):
    large = chained(gate, second)
    assert "never seen" not in listing(large)
    assert len(canonical_hash(large)) == 16
    memory = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]
    namespace: dict = {}
    exec(compile(to_python(large), "large.py", "exec"), namespace)
    assert namespace["run"](memory, 2) == list(run(large, memory, 2).memory)
    assert run(simplify_program(large), memory, 2).memory == run(large, memory, 2).memory
    assert to_c(large).count("\n") < 10 * LENGTH


def test_no_expression_is_deeper_than_the_bound():
    def depth(expression: Expression) -> int:
        return 1 + max(map(depth, expression.arguments), default=0) if isinstance(expression, Apply) else 0

    code = statements(chained(Gate.ADD, lambda position: 1).edges[0].block, REGISTERS)
    kept = [statement for statement in code if isinstance(statement, Let)]
    assert len(kept) == LENGTH // DEEPEST
    assert max(depth(statement.value) for statement in kept) == DEEPEST


def test_a_block_that_is_too_large_to_draw_says_so():
    assert ElementTree.fromstring(to_svg(chained(Gate.ADD, itself, MOST_DRAWN))).tag.endswith("svg")
    with pytest.raises(ProgramError, match="a block of 257 instructions is too large"):
        to_svg(chained(Gate.ADD, itself, MOST_DRAWN + 1))


BODY = Block(
    (Operation(Gate.READ, (0,)), Operation(Gate.INC, (4,)), Operation(Gate.WRITE, (1, 5))), ((0, 5),)
)


def ring(states: int, closed: bool) -> Program:
    edges = [Edge(state, Guard(), BODY, state + 1) for state in range(states - 1)]
    return program(*edges, Edge(states - 1, Guard(), BODY, 0 if closed else None), states=states)


def test_two_thousand_states_are_listed():
    assert len(listing(ring(2_000, closed=True)).splitlines()) > 2_000


def test_what_loops_is_found_among_ten_thousand_states():
    assert looping_states(ring(10_000, closed=True)) == frozenset(range(10_000))
    assert looping_states(ring(10_000, closed=False)) == frozenset()


def test_the_components_are_the_states_that_lead_to_each_other():
    edges = [(0, 1), (1, 2), (2, 1), (2, 3), (3, 4), (4, 4), (5, 3), (6, 7), (7, 8), (8, 6), (8, 2)]
    codes = itertools.count()
    found = program(
        *(Edge(a, Guard(((15, next(codes)),)), Block(), b) for a, b in sorted(edges)),
        states=9,
    )
    groups: dict[int, set[int]] = {}
    for state, component in enumerate(components(found)):
        groups.setdefault(component, set()).add(state)
    assert sorted(map(sorted, groups.values())) == [[0], [1, 2], [3], [4], [5], [6, 7, 8]]
    assert looping_states(found) == {1, 2, 4, 6, 7, 8}
