"""The rules of the simplifier: what they find of every value, and from which memory on it holds."""

from itertools import product

import numpy as np
import pytest

from analysis.machine.vm import execute
from analysis.program.block import Block, Constant, Operation
from analysis.program.text import block_lines
from analysis.simplification.block import simplify_block
from analysis.simplification.meaning import Facts
from nram_env.machine import Gate

X, Y, ZERO, ONE, TWO = range(5)
"""Value numbers in the rule table: two registers, then three constants."""


@pytest.mark.parametrize(
    ("gate", "arguments", "text", "min_size"),
    [
        (Gate.ADD, (X, ZERO), "x", 1),
        (Gate.ADD, (X, ONE), "x + 1", 1),
        (Gate.SUB, (X, ZERO), "x", 1),
        (Gate.SUB, (X, X), "0", 1),
        (Gate.SUB, (X, ONE), "x - 1", 1),
        (Gate.MIN, (X, X), "x", 1),
        (Gate.MIN, (X, ZERO), "0", 1),
        (Gate.MAX, (ZERO, X), "x", 1),
        (Gate.LESS_THAN, (X, X), "0", 1),
        (Gate.LESS_THAN, (X, ZERO), "0", 1),
        (Gate.LESS_THAN, (X, ONE), "[x == 0]", 2),
        (Gate.LESS_THAN, (ONE, TWO), "1", 3),
        (Gate.LESS_OR_EQUAL_THAN, (ZERO, X), "1", 1),
        (Gate.LESS_OR_EQUAL_THAN, (X, X), "1", 1),
        (Gate.EQUALITY_TEST, (X, X), "1", 1),
        (Gate.EQUALITY_TEST, (ONE, TWO), "0", 2),
        (Gate.LESS_THAN, (X, Y), "[x < y]", 1),
    ],
)
def test_a_rule_holds_from_its_smallest_memory_on(gate, arguments, text, min_size):
    code = (Constant(0), Constant(1), Constant(2), Operation(gate, arguments))
    block = Block(code, ((1, 5),))
    new = simplify_block(block, 2)
    assert new.min_size == min_size
    lines = block_lines(new.block, ["x", "y"])
    assert lines == ([f"y = {text}"] if text != "y" else ["pass"])
    for size in range(new.min_size, 7):
        for x in range(size):
            for y in range(size):
                assert execute(block, (x, y), [0] * size) == execute(new.block, (x, y), [0] * size)


VALUES = ("-1", "0", "1", "2", "x", "y")
COMPARED = [Gate.LESS_THAN, Gate.LESS_OR_EQUAL_THAN, Gate.EQUALITY_TEST, Gate.MIN, Gate.MAX]


def _alone(gate: Gate, arguments: tuple[str, ...]) -> Block:
    """y becomes what the gate makes of these values; x and y are the registers."""
    code = [Constant(int(value)) for value in VALUES[:4]]
    numbers = {value: (number + 2) % 6 for number, value in enumerate(VALUES)}
    return Block((*code, Operation(gate, tuple(numbers[value] for value in arguments))), ((1, 6),))


def _outputs(block: Block, nonzero: frozenset[int], size: int) -> list[tuple[int, int, int]]:
    """(x, y, the new y) for all registers that the facts allow."""
    return [
        (x, y, execute(block, (x, y), [0] * size)[1])
        for x in range(0 in nonzero, size)
        for y in range(1 in nonzero, size)
    ]


@pytest.mark.parametrize("nonzero", [frozenset(), frozenset({0}), frozenset({1}), frozenset({0, 1})], ids=str)
@pytest.mark.parametrize("gate", COMPARED, ids=lambda gate: gate.label)
def test_a_comparison_that_is_one_of_its_values_or_0_or_1_at_every_memory_is_written_so(gate, nonzero):
    """From M = 3 on, where the constants differ; what is found holds from `min_size` on."""
    for arguments in product(VALUES[1:], repeat=2):
        block = _alone(gate, arguments)
        new = simplify_block(block, 2, frozenset({1}), Facts(nonzero=nonzero))
        outputs = {size: _outputs(block, nonzero, size) for size in range(2, 8)}
        for size in range(new.min_size, 8):
            assert size < 2 or _outputs(new.block, nonzero, size) == outputs[size]
        forms = {"x": lambda x, y: x, "y": lambda x, y: y, **{c: lambda x, y, c=c: int(c) for c in "012"}}
        fitting = {
            text
            for text, form in forms.items()
            if all(out == form(x, y) for size in range(3, 8) for x, y, out in outputs[size])
        }
        if fitting:
            (line,) = block_lines(new.block, ["x", "y"])
            assert line.removeprefix("y = ").replace("pass", "y") in fitting, arguments
        assert new.min_size <= 3


@pytest.mark.parametrize("gate", COMPARED[:3], ids=lambda gate: gate.label)
def test_what_is_known_of_constants_is_claimed_from_the_smallest_memory_on_that_tells_them_apart(gate):
    for arguments in product("012", repeat=2):
        block = _alone(gate, arguments)
        new = simplify_block(block, 2, frozenset({1}))
        if new.min_size > 2:
            before = new.min_size - 1
            assert _outputs(new.block, frozenset(), before) != _outputs(block, frozenset(), before)


@pytest.mark.parametrize(
    ("gate", "arguments", "text"),
    [
        (Gate.LESS_THAN, ("-1", "x"), "0"),
        (Gate.LESS_OR_EQUAL_THAN, ("x", "-1"), "1"),
        (Gate.MIN, ("x", "-1"), "x"),
        (Gate.MIN, ("-1", "x"), "x"),
        (Gate.MAX, ("x", "-1"), "-1"),
        (Gate.MAX, ("-1", "x"), "-1"),
    ],
)
def test_nothing_is_above_minus_1_at_any_memory(gate, arguments, text):
    new = simplify_block(_alone(gate, arguments), 2, frozenset({1}))
    assert block_lines(new.block, ["x", "y"]) == [f"y = {text}"]
    assert new.min_size == 1


def _sums(order: list[tuple[int, Gate]], registers: int) -> Block:
    """The first value with all others added to it or taken from it, one after the other."""
    code, total = [], order[0][0]
    for place, (value, gate) in enumerate(order[1:]):
        code.append(Operation(gate, (total, value)))
        total = registers + place
    return Block(tuple(code), ((0, total),))


@pytest.mark.parametrize("length", [2, 4, 5, 7])
def test_sums_of_any_length_keep_their_value(length):
    rng = np.random.default_rng(length)
    for _ in range(60):
        order = [(int(rng.integers(3)), (Gate.ADD, Gate.SUB)[rng.integers(2)]) for _ in range(length)]
        block = _sums(order, 3)
        new = simplify_block(block, 3)
        assert new.min_size == 1
        for _ in range(5):
            registers = tuple(rng.integers(11, size=3).tolist())
            assert execute(new.block, registers, [0] * 11) == execute(block, registers, [0] * 11)


@pytest.mark.parametrize("gate", [Gate.ADD, Gate.MIN, Gate.MAX, Gate.EQUALITY_TEST])
def test_a_commutative_gate_of_long_sums_is_computed_once_in_either_order(gate):
    """Sums of more than four parts are kept as the gates that made them."""
    code = [Operation(Gate.ADD, (0, 0)), Operation(Gate.ADD, (2, 2)), Operation(Gate.ADD, (3, 1))]
    twice = (*code, Operation(gate, (3, 4)), Operation(gate, (4, 3)))
    new = simplify_block(Block(twice, ((0, 5), (1, 6))), 2).block
    assert new.assignments[0][1] == new.assignments[1][1]
    other_way = (*code, Operation(Gate.SUB, (3, 4)), Operation(Gate.SUB, (4, 3)))
    new = simplify_block(Block(other_way, ((0, 5), (1, 6))), 2).block
    assert execute(new, (2, 3), [0] * 9) == (8 - 11 + 9, 3)


def test_x_less_than_x_plus_1_is_left_alone_because_it_is_false_at_the_top():
    block = Block((Operation(Gate.INC, (0,)), Operation(Gate.LESS_THAN, (0, 1))), ((0, 2),))
    assert block_lines(simplify_block(block, 1).block, ["x"]) == ["x = [x < x + 1]"]
