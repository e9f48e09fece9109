"""Blocks made from blocks: a value replaced by another, two blocks one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from analysis.program.block import Block, Constant, Instruction, Operation
from nram_env.machine import Gate


def with_value(block: Block, num_registers: int, value: int, code: Sequence[Instruction]) -> Block:
    """The block that uses the last of `code`, put in front of it, instead of a value of its own.

    Args:
        block: The block.
        num_registers: R.
        value: Number of the value that is not used any more.
        code: Instructions over the registers before the step.
    """
    shift = len(code)

    def new(number: int) -> int:
        if number == value:
            return num_registers + shift - 1
        return number if number < num_registers else number + shift

    body = _renumbered(block.instructions, new)
    return Block((*code, *body), tuple((register, new(number)) for register, number in block.assignments))


def with_equal(block: Block, value: int, other: int) -> Block:
    """The block that uses an earlier value of its own instead of another."""

    def new(number: int) -> int:
        return other if number == value else number

    body = _renumbered(block.instructions, new)
    return Block(body, tuple((register, new(number)) for register, number in block.assignments))


def without_store(block: Block, position: int) -> Block:
    """The block whose instruction at a position, a WRITE, leaves the memory alone; its value stays."""
    instruction = block.instructions[position]
    assert isinstance(instruction, Operation)
    assert instruction.gate is Gate.WRITE
    kept = Operation(Gate.MAX, (instruction.arguments[1],) * 2)
    return Block(
        (*block.instructions[:position], kept, *block.instructions[position + 1 :]), block.assignments
    )


def without_assignment(block: Block, register: int) -> Block:
    """The block that leaves a register as it is."""
    return Block(block.instructions, tuple(pair for pair in block.assignments if pair[0] != register))


def moved(block: Block, num_registers: int, position: int) -> Iterator[Block]:
    """The block with an instruction as early as its arguments allow, and as late as those who use it do."""
    every = range(len(block.instructions))
    needed, waiting = {position}, [position]
    while waiting:
        made = block.instructions[waiting.pop()]
        new = {number - num_registers for number in getattr(made, "arguments", ())} - needed
        waiting += [before for before in new if before >= 0]
        needed |= new
    early = sorted(every, key=lambda place: (place not in needed, place))
    users = {position}
    for place in every:
        made = block.instructions[place]
        if users & {number - num_registers for number in getattr(made, "arguments", ())}:
            users.add(place)
    late = sorted(every, key=lambda place: (place in users, place))
    for order in (early, late):
        if order != list(every):
            numbers = {num_registers + old: num_registers + new for new, old in enumerate(order)}
            code = _renumbered([block.instructions[place] for place in order], partial(_new, numbers))
            yield Block(
                code, tuple((register, _new(numbers, number)) for register, number in block.assignments)
            )


def _new(numbers: Mapping[int, int], number: int) -> int:
    return numbers.get(number, number)


def composed(first: Block, second: Block, num_registers: int) -> Block:
    """One block that does what two do, one after the other."""
    shift, after_first = len(first.instructions), outputs(first, num_registers)

    def new(number: int) -> int:
        return after_first[number] if number < num_registers else number + shift

    code = (*first.instructions, *_renumbered(second.instructions, new))
    return _with_outputs(code, [new(number) for number in outputs(second, num_registers)])


def exchanged(block: Block, num_registers: int, one: int, other: int) -> Block:
    """The block behind which two registers hold what the other one held."""
    new = outputs(block, num_registers)
    new[one], new[other] = new[other], new[one]
    return _with_outputs(block.instructions, new)


def outputs(block: Block, num_registers: int) -> list[int]:
    """For every register the number of the value that it holds behind a block."""
    found = list(range(num_registers))
    for register, number in block.assignments:
        found[register] = number
    return found


def _with_outputs(code: Sequence[Instruction], numbers: Sequence[int]) -> Block:
    pairs = ((register, number) for register, number in enumerate(numbers) if register != number)
    return Block(tuple(code), tuple(pairs))


def _renumbered(code: Sequence[Instruction], new: Callable[[int], int]) -> tuple[Instruction, ...]:
    return tuple(
        instruction
        if isinstance(instruction, Constant)
        else Operation(instruction.gate, tuple(map(new, instruction.arguments)))
        for instruction in code
    )
