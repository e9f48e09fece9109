"""The simplifier: equal meaning for every M that it allows, in as little code as its rules find."""

from itertools import product

import numpy as np
import pytest

from analysis.block import Block, Constant, Guard, Operation
from analysis.circuits import circuit_block
from analysis.dataflow import facts_under
from analysis.meaning import Facts
from analysis.program import Rewrite
from analysis.reduce import simplify_program
from analysis.simplify import simplify_block
from analysis.text import block_lines
from analysis.verify import compare
from analysis.vm import execute, run
from nram_env.machine import PAPER_GATES, Gate, MachineConfig
from tests.analysis.planted import PlantedNetwork
from tests.analysis.programs import CASES, program_of, random_choices, random_program
from tests.analysis.recovery import random_inputs


def seeds(count: int) -> pytest.MarkDecorator:
    """One of many parts of a long test; `make mutants` runs the first."""
    return pytest.mark.parametrize("seed", range(count), ids=lambda seed: f"seed{seed}")


@seeds(20)
def test_20_times_500_random_blocks_keep_their_live_registers_and_stores(seed):
    rng = np.random.default_rng(seed)
    for _ in range(500):
        machine = MachineConfig(int(rng.integers(1, 5)), PAPER_GATES * int(rng.integers(1, 3)))
        count = machine.num_registers
        block = circuit_block(machine, random_choices(machine, rng))
        zero = rng.random(count) < 0.4
        live = frozenset(np.flatnonzero(rng.random(count) < 0.7).tolist())
        guard = Guard(((2**count - 1, int(zero @ (1 << np.arange(count)))),))
        facts = facts_under(guard, tuple(("copy", r) for r in range(count)))
        new = simplify_block(block, count, live, facts)
        size = max(2, new.min_size + int(rng.integers(4)))
        registers = np.where(zero, 0, rng.integers(1, size, size=count)).tolist()
        memory = rng.integers(size, size=size).tolist()
        twin = list(memory)
        before, after = execute(block, registers, memory), execute(new.block, registers, twin)
        assert memory == twin
        assert all(before[register] == after[register] for register in live)
        assert len(new.block.instructions) <= len(block.instructions) + 8


@seeds(10)
def test_random_programs_keep_every_run(seed):
    rng = np.random.default_rng(seed)
    for _ in range(15):
        machine = MachineConfig(int(rng.integers(1, 5)), PAPER_GATES * int(rng.integers(1, 3)))
        program = random_program(machine, int(rng.integers(1, 6)), rng)
        simple = simplify_program(program)
        for _ in range(6):
            size = max(2, simple.min_size + int(rng.integers(8)))
            memory, limit = rng.integers(size, size=size).tolist(), int(rng.integers(20))
            before, after = run(program, memory, limit), run(simple, memory, limit)
            assert (before.memory, before.steps, before.outcome) == (after.memory, after.steps, after.outcome)


@seeds(10)
def test_random_programs_keep_every_register_that_they_still_need(seed):
    rng = np.random.default_rng(seed)
    for _ in range(15):
        program = random_program(MachineConfig(int(rng.integers(2, 5))), int(rng.integers(1, 6)), rng)
        simple = simplify_program(program)
        inputs = [batch for batch in random_inputs(4, runs=3) if batch.memory.shape[1] >= simple.min_size]
        assert compare(simple, PlantedNetwork(program), inputs[::3]).first is None


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


def test_reads_and_writes_touch_the_memory_and_nothing_else_does():
    code = (Constant(3), Operation(Gate.READ, (0,)), Operation(Gate.INC, (1,)), Operation(Gate.WRITE, (0, 2)))
    assert Block(code).num_accesses == 2


def test_x_less_than_x_plus_1_is_left_alone_because_it_is_false_at_the_top():
    block = Block((Operation(Gate.INC, (0,)), Operation(Gate.LESS_THAN, (0, 1))), ((0, 2),))
    assert block_lines(simplify_block(block, 1).block, ["x"]) == ["x = [x < x + 1]"]


def test_a_read_after_a_write_is_not_the_read_before_it():
    read, write = Operation(Gate.READ, (0,)), Operation(Gate.WRITE, (1, 1))
    block = Block((read, write, read), ((0, 2), (1, 4)))
    assert simplify_block(block, 2).block.num_accesses == 3


def test_a_read_of_what_was_just_written_is_the_written_value():
    block = Block((Operation(Gate.WRITE, (0, 1)), Operation(Gate.READ, (0,))), ((0, 3),))
    assert block_lines(simplify_block(block, 2).block, ["p", "x"]) == ["mem[p] = x", "p = x"]


def test_a_store_of_what_the_cell_holds_is_dropped_and_the_reason_is_kept():
    block = Block((Operation(Gate.READ, (0,)), Operation(Gate.WRITE, (0, 1))), ((0, 1),))
    new = simplify_block(block, 1)
    assert block_lines(new.block, ["p"]) == ["p = mem[p]"]
    assert new.rewrites == (Rewrite("mem[r0] = mem[r0]", "", "store"),)


def test_a_store_that_the_next_overwrites_is_dropped_and_the_reason_is_kept():
    block = Block((Operation(Gate.WRITE, (0, 1)), Operation(Gate.WRITE, (0, 0))))
    new = simplify_block(block, 2)
    assert block_lines(new.block, ["p", "x"]) == ["mem[p] = p"]
    assert new.rewrites == (Rewrite("mem[r0] = r1", "", "store"),)


@pytest.mark.parametrize(
    ("instructions", "rewrites"),
    [
        ([Operation(Gate.INC, (0,)), Operation(Gate.DEC, (2,))], [Rewrite("DEC(r0 + 1)", "r0", "identity")]),
        ([Operation(Gate.SUB, (0, 0))], [Rewrite("SUB(r0, r0)", "0", "constant")]),
        (
            [Operation(Gate.MIN, (0, 1)), Operation(Gate.MIN, (1, 0)), Operation(Gate.SUB, (2, 3))],
            [
                Rewrite("MIN(r1, r0)", "MIN(r0, r1)", "copy"),
                Rewrite("SUB(MIN(r0, r1), MIN(r0, r1))", "0", "constant"),
            ],
        ),
        (
            [Constant(1), Constant(2), Operation(Gate.LESS_THAN, (2, 3))],
            [Rewrite("LESS-THAN(1, 2)", "1", "constant", "M >= 3")],
        ),
        (
            [Operation(Gate.READ, (0,)), Operation(Gate.SUB, (1, 2)), Operation(Gate.SUB, (3, 3))],
            [Rewrite("SUB(r1 - mem[r0], r1 - mem[r0])", "0", "constant")],
        ),
    ],
)
def test_a_rewrite_says_what_stood_there_what_stands_there_now_and_why(instructions, rewrites):
    block = Block(tuple(instructions), ((0, 1 + len(instructions)),))
    found = [rewrite for rewrite in simplify_block(block, 2).rewrites if rewrite.why != "dead"]
    assert found == rewrites


def test_a_register_known_to_be_0_becomes_the_constant():
    block = Block((Operation(Gate.READ, (0,)),), ((0, 1),))
    new = simplify_block(block, 1, facts=Facts({0: ("constant", 0)}))
    assert block_lines(new.block, ["p"]) == ["p = mem[0]"]


def test_the_paper_s_copy_comes_to_two_blocks_of_six_lines():
    program = simplify_program(program_of(CASES["copy"]))
    lines = [line for edge in program.edges for line in block_lines(edge.block, ["d", "prev", "i"])]
    assert lines == [
        "d = mem[0] - 1",
        "prev = 0",
        "i = 1",
        "mem[d + i] = mem[i]",
        "prev, i = i, min(d, prev + 1)",
    ]
    assert program.edges[0].rewrites


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


P, X_VALUE = 0, 1
NEXT = Operation(Gate.INC, (P,))


@pytest.mark.parametrize(
    ("code", "lines", "min_size"),
    [  # value 2 is p + 1
        (
            (
                NEXT,
                Operation(Gate.WRITE, (P, X_VALUE)),
                Operation(Gate.WRITE, (2, P)),
                Operation(Gate.READ, (P,)),
            ),
            ["mem[p] = x", "mem[p + 1] = p", "p = x"],
            2,
        ),
        (
            (
                NEXT,
                Operation(Gate.WRITE, (P, X_VALUE)),
                Operation(Gate.WRITE, (2, P)),
                Operation(Gate.READ, (2,)),
            ),
            ["mem[p] = x", "mem[p + 1] = p"],
            1,
        ),
        (
            (
                NEXT,
                Operation(Gate.WRITE, (X_VALUE, P)),
                Operation(Gate.WRITE, (2, P)),
                Operation(Gate.READ, (P,)),
            ),
            ["mem[x] = p", "t0 = mem[p]", "mem[p + 1] = p", "p = t0"],
            2,
        ),
        (
            (
                NEXT,
                Operation(Gate.WRITE, (P, X_VALUE)),
                Operation(Gate.WRITE, (P, P)),
                Operation(Gate.READ, (2,)),
            ),
            ["t0 = mem[p + 1]", "mem[p] = p", "p = t0"],
            2,
        ),
        (
            (
                NEXT,
                Operation(Gate.WRITE, (P, X_VALUE)),
                Operation(Gate.READ, (X_VALUE,)),
                Operation(Gate.WRITE, (P, P)),
                Operation(Gate.INC, (4,)),
            ),
            ["mem[p] = x", "t0 = mem[x]", "mem[p] = p", "p = t0 + 1"],
            1,
        ),
    ],
)
def test_the_memory_is_followed_as_far_as_addresses_are_known_to_differ(code, lines, min_size):
    new = simplify_block(Block(code, ((P, 1 + len(code)),)), 2)
    assert (block_lines(new.block, ["p", "x"]), new.min_size) == (lines, min_size)
