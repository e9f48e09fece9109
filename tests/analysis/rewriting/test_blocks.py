"""Blocks made from blocks, run beside those they were made from."""

import numpy as np
import pytest

from analysis.machine.vm import run
from analysis.program.block import Block, Constant, Guard, Operation
from analysis.program.program import Edge
from analysis.rewriting.blocks import composed, moved, with_equal, with_value
from nram_env.machine import Gate
from tests.analysis.exported import dump_block
from tests.analysis.programs import program_with

REGISTERS, SIZE, COUNT = 3, 7, 40
GATES = (Gate.ADD, Gate.SUB, Gate.MIN, Gate.LESS_THAN, Gate.READ, Gate.WRITE, Gate.INC)


def random_block(rng: np.random.Generator) -> Block:
    code: list[Constant | Operation] = [Constant(int(rng.integers(SIZE)))]
    for gate in rng.choice(len(GATES), 6):
        known = REGISTERS + len(code)
        arguments = tuple(int(rng.integers(known)) for _ in range(GATES[gate].arity))
        code.append(Operation(GATES[gate], arguments))
    chosen = (int(rng.integers(REGISTERS + len(code))) for _ in range(REGISTERS))
    return Block(tuple(code), tuple(pair for pair in enumerate(chosen) if pair[0] != pair[1]))


def after(*blocks: Block, seed: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The memory behind blocks on a random memory that the registers are filled from, and the registers."""
    memory = np.random.default_rng(seed).integers(SIZE, size=SIZE).tolist()
    code = [
        part for r in range(REGISTERS) for part in (Constant(r), Operation(Gate.READ, (REGISTERS + 2 * r,)))
    ]
    fill = Block(tuple(code), tuple((r, REGISTERS + 2 * r + 1) for r in range(REGISTERS)))
    run_of = []
    for chain in ((fill, *blocks), (fill, *blocks, dump_block(REGISTERS, SIZE))):
        edges = [Edge(s, Guard(), block, s + 1) for s, block in enumerate(chain)]
        program = program_with(*edges, registers=REGISTERS, states=len(chain) + 1)
        run_of.append(run(program, memory, len(chain)).memory)
    return run_of[0], run_of[1][:REGISTERS]


@pytest.fixture(params=range(COUNT))
def rng(request):
    return np.random.default_rng(request.param)


def test_a_composed_block_does_what_two_do(rng):
    first, second = random_block(rng), random_block(rng)
    for seed in range(5):
        assert after(composed(first, second, REGISTERS), seed=seed) == after(first, second, seed=seed)


def test_a_moved_instruction_that_no_store_is_between_changes_nothing(rng):
    block = random_block(rng)
    plain = Block(
        tuple(
            Operation(Gate.MAX, part.arguments)
            if isinstance(part, Operation) and part.gate is Gate.WRITE
            else part
            for part in block.instructions
        ),
        block.assignments,
    )
    for position in range(len(plain.instructions)):
        for new in moved(plain, REGISTERS, position):
            assert new != plain
            assert all(after(new, seed=seed) == after(plain, seed=seed) for seed in range(3))


def test_a_value_replaced_by_code_for_the_same_value_changes_nothing(rng):
    """Register 1 is computed anew as itself + 1 - 1; constants by another constant in front."""
    block = random_block(rng)
    again = (Operation(Gate.INC, (1,)), Operation(Gate.DEC, (REGISTERS,)))
    for seed in range(3):
        expected = after(block, seed=seed)
        new = with_value(block, REGISTERS, 1, again)
        kept = 1 in dict(block.assignments)
        assert after(new, seed=seed)[0] == expected[0]
        assert not kept or after(new, seed=seed) == expected
        assert after(with_value(block, REGISTERS, REGISTERS, (block.instructions[0],)), seed=seed) == expected


def test_a_value_is_replaced_by_an_equal_one_and_by_no_other():
    double = (Operation(Gate.ADD, (0, 0)), Operation(Gate.ADD, (0, 0)))
    block = Block((*double, Operation(Gate.SUB, (3, 4))), ((0, 5), (1, 4)))
    equal = with_equal(block, 4, 3)
    assert equal == Block((*double, Operation(Gate.SUB, (3, 3))), ((0, 5), (1, 3)))
    assert all(after(equal, seed=seed) == after(block, seed=seed) for seed in range(5))
    other = with_equal(block, 3, 0)
    assert any(after(other, seed=seed) != after(block, seed=seed) for seed in range(5))
