"""Straight-line code: what a program does in one timestep, and the tests that choose between blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nram_env.checks import shown
from nram_env.machine import Gate

MAX_INSTRUCTIONS = 1_024
"""Most instructions of a block: a timestep of the largest machine has 256."""

LARGEST_CONSTANT = 2**31
"""Largest absolute value of a constant."""


class ProgramError(ValueError):
    """A program that cannot be: the message says which part, and what would be right."""


@dataclass(frozen=True)
class Constant:
    """The integer `value` modulo M, within +-2^31; negative values count from M downwards."""

    value: int


@dataclass(frozen=True)
class Operation:
    """One gate applied to earlier values.

    Attributes:
        gate: Which gate; READ and WRITE see the memory as the instructions before left it.
        arguments: Value numbers: v < R is register v before the step, R + j the j-th instruction.
    """

    gate: Gate
    arguments: tuple[int, ...] = ()


Instruction = Constant | Operation


@dataclass(frozen=True)
class Block:
    """Straight-line code of one timestep.

    Attributes:
        instructions: In the order in which they run.
        assignments: (register, value number) in increasing order of registers; all take place at
            once at the end of the step. A register that is not named keeps its value.
    """

    instructions: tuple[Instruction, ...] = ()
    assignments: tuple[tuple[int, int], ...] = ()

    @property
    def num_accesses(self) -> int:
        """How often the block touches the memory: its READs and WRITEs."""
        return sum(gate_of(instruction) in (Gate.READ, Gate.WRITE) for instruction in self.instructions)


def gate_of(instruction: Instruction) -> Gate | None:
    """The gate of an instruction, None for a constant."""
    return instruction.gate if isinstance(instruction, Operation) else None


@dataclass(frozen=True)
class Guard:
    """A test of which registers are 0: a disjunction of cubes.

    Attributes:
        cubes: (mask, value) pairs; bit r of the mask says that register r is tested, bit r of the
            value that it must be 0. A cube with mask 0 holds always.

    Example:
        >>> Guard(((0b10, 0b10),)).matches(0b11)  # register 1 is 0
        True
    """

    cubes: tuple[tuple[int, int], ...] = ((0, 0),)

    @property
    def mask(self) -> int:
        """The registers that are tested, as a bit mask."""
        tested = 0
        for mask, _ in self.cubes:
            tested |= mask
        return tested

    @property
    def always(self) -> bool:
        """Whether it holds whatever the registers are."""
        return (0, 0) in self.cubes

    def matches(self, zero_bits: Any) -> Any:
        """Whether it holds; bit r of `zero_bits` (integer, or integer array) is set where register r is 0."""
        result = zero_bits != zero_bits
        for mask, value in self.cubes:
            result = result | ((zero_bits & mask) == value)
        return result


def require(holds: bool, problem: str) -> None:
    """Raise ProgramError with this message unless it holds."""
    if not holds:
        raise ProgramError(problem)


def check_block(block: Block, num_registers: int, where: str) -> None:
    """Raise ProgramError at the first value number that names nothing; `where` says whose block it is."""
    require(
        len(block.instructions) <= MAX_INSTRUCTIONS,
        f"{where} has {len(block.instructions)} instructions; a block has at most {MAX_INSTRUCTIONS}",
    )
    for position, instruction in enumerate(block.instructions):
        if isinstance(instruction, Constant):
            require(
                abs(instruction.value) <= LARGEST_CONSTANT,
                f"{where}, instruction {position} is the constant {shown(instruction.value)}, beyond 2^31",
            )
            continue
        place = f"{where}, instruction {position} ({instruction.gate.label})"
        require(
            len(instruction.arguments) == instruction.gate.arity,
            f"{place} has {len(instruction.arguments)} arguments instead of {instruction.gate.arity}",
        )
        for value in instruction.arguments:
            require(
                0 <= value < num_registers + position,
                f"{place} uses value {value}; only 0..{num_registers + position - 1} are there before it",
            )
    _check_assignments(block, num_registers, where)


def _check_assignments(block: Block, num_registers: int, where: str) -> None:
    last = num_registers + len(block.instructions) - 1
    targets = [register for register, _ in block.assignments]
    require(targets == sorted(set(targets)), f"{where} assigns registers {targets}, not in increasing order")
    for register, value in block.assignments:
        require(register in range(num_registers), f"{where} assigns register {register} of {num_registers}")
        require(0 <= value <= last, f"{where} assigns value {value}; only 0..{last} are there")
