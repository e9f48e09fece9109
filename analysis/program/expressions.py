"""Blocks as statements over nested expressions: what listings and exported sources are written from.

A block is a list of numbered values. Here a value that is used once is put where it is used, and a
value that must be kept (a cell that is overwritten before its use, a longer term that is used twice)
gets a temporary name, so that the statements, run one after another, mean what the block means.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from analysis.program.block import Block, Constant, Instruction, Operation
from nram_env.machine import Gate


@dataclass(frozen=True)
class Variable:
    """A register, by its number."""

    register: int


@dataclass(frozen=True)
class Temporary:
    """A value kept by an earlier `Let`, by its number: 0, 1, ... in order of appearance."""

    number: int


@dataclass(frozen=True)
class Apply:
    """A gate applied to expressions; READ is the cell at its argument."""

    gate: Gate
    arguments: tuple[Expression, ...]


Expression = Variable | Temporary | Constant | Apply


@dataclass(frozen=True)
class Let:
    """Keep a value for later statements of the same block."""

    temporary: Temporary
    value: Expression


@dataclass(frozen=True)
class Store:
    """Put a value into the cell at an address."""

    address: Expression
    value: Expression


@dataclass(frozen=True)
class Assign:
    """Assign registers; more than one only where each needs the others' old values: all at once."""

    registers: tuple[int, ...]
    values: tuple[Expression, ...]


Statement = Let | Store | Assign

DEEPEST = 30
"""Gates within each other in an expression; a value that would go deeper is kept under a name."""


def statements(block: Block, num_registers: int) -> tuple[Statement, ...]:
    """The statements of a block, to be run one after another.

    Args:
        block: The code.
        num_registers: R of its program.

    Example:
        >>> load = Block((Operation(Gate.READ, (0,)), Operation(Gate.INC, (0,))), ((0, 2), (1, 1)))
        >>> for statement in statements(load, 1): print(statement)
        Assign(registers=(1,), values=(Apply(gate=<Gate.READ: 0>, arguments=(Variable(register=0),)),))
        Assign(registers=(0,), values=(Apply(gate=<Gate.INC: 4>, arguments=(Variable(register=0),)),))
    """
    lowering = _Lowering(block, num_registers)
    body = tuple(lowering.body())
    assignments = {register: lowering.expression(number) for register, number in block.assignments}
    return _without_needless_names(body + tuple(_in_sequence(assignments)))


def expressions(statement: Statement) -> tuple[Expression, ...]:
    """What a statement computes."""
    if isinstance(statement, Assign):
        return statement.values
    return (statement.value,) if isinstance(statement, Let) else (statement.address, statement.value)


def variables(expression: Expression) -> frozenset[int]:
    """The registers that an expression reads."""
    if isinstance(expression, Variable):
        return frozenset((expression.register,))
    if isinstance(expression, Apply):
        return frozenset().union(*map(variables, expression.arguments))
    return frozenset()


class _Lowering:
    """Decides which values get a temporary name, and nests the others. Every pass is linear."""

    def __init__(self, block: Block, num_registers: int) -> None:
        self.block = block
        self.num_registers = num_registers
        self.end = len(block.instructions)
        self.stored = self._sources()
        self.used_by = self._users()
        named = self._named()
        numbered = enumerate(sorted(named | self._too_deep(named)))
        self.temporaries = {position: Temporary(number) for number, position in numbered}

    def body(self) -> Iterator[Statement]:
        """Everything but the assignments."""
        for position, instruction in enumerate(self.block.instructions):
            if _is_write(instruction):
                address, value = map(self.expression, instruction.arguments)
                yield Store(address, value)
            elif position in self.temporaries:
                yield Let(self.temporaries[position], self._term(position))

    def expression(self, number: int) -> Expression:
        """The expression of a value number where it is used."""
        number = self.stored[number]
        if number < self.num_registers:
            return Variable(number)
        position = number - self.num_registers
        return self.temporaries[position] if position in self.temporaries else self._term(position)

    def _term(self, position: int) -> Expression:
        instruction = self.block.instructions[position]
        if isinstance(instruction, Constant):
            return instruction
        return Apply(instruction.gate, tuple(map(self.expression, instruction.arguments)))

    def _sources(self) -> list[int]:
        """For every value number the one that it equals: WRITE's own output is the value that it stored."""
        sources = list(range(self.num_registers))
        for instruction in self.block.instructions:
            sources.append(sources[instruction.arguments[1]] if _is_write(instruction) else len(sources))
        return sources

    def _users(self) -> list[list[int]]:
        """For every position, the positions that use its value, with repetitions; `end` for assignments.

        A value that nothing needs uses nothing.
        """
        users: list[list[int]] = [[] for _ in range(self.end)]
        for _, number in self.block.assignments:
            self._use(users, number, self.end)
        for position in reversed(range(self.end)):
            instruction = self.block.instructions[position]
            if isinstance(instruction, Operation) and (users[position] or _is_write(instruction)):
                for number in instruction.arguments:
                    self._use(users, number, position)
        return users

    def _use(self, users: list[list[int]], number: int, user: int) -> None:
        position = self.stored[number] - self.num_registers
        if position >= 0:
            users[position].append(user)

    def _named(self) -> set[int]:
        """The positions whose values must be kept: used more than once, or before a cell is overwritten."""
        named: set[int] = set()
        places = [*range(self.end), self.end]
        next_write = self.end
        for position in reversed(range(self.end)):
            instruction, users = self.block.instructions[position], self.used_by[position]
            place = max((places[user] for user in users), default=position)
            if _is_write(instruction):
                next_write = position
            elif self._needs_name(instruction, users, self._is_overwritten(position, next_write, place)):
                named.add(position)
            else:
                places[position] = place
        return named

    def _is_overwritten(self, position: int, next_write: int, place: int) -> bool:
        """Whether some store between a value and its use may change what it was read from."""
        return next_write < place and may_be_overwritten(self.block, self.num_registers, position, place)

    def _needs_name(self, instruction: Instruction, users: list[int], overwritten: bool) -> bool:
        """Whether a value is kept; `overwritten` if some store lies between it and its use."""
        if isinstance(instruction, Constant) or not users:
            return False
        if instruction.gate is Gate.READ:
            return len(users) > 1 or overwritten
        return len(users) > 1 and not all(map(self._is_plain, instruction.arguments))

    def _too_deep(self, named: set[int]) -> set[int]:
        """The positions whose values are kept so that no expression is too deep."""
        depths = [0] * self.num_registers
        found = set()
        for position, instruction in enumerate(self.block.instructions):
            arguments = instruction.arguments if isinstance(instruction, Operation) else ()
            depth = 1 + max((depths[self.stored[number]] for number in arguments), default=0)
            if depth >= DEEPEST and self.used_by[position] and not _is_write(instruction):
                found.add(position)
            depths.append(0 if position in named or position in found else depth)
        return found

    def _is_plain(self, number: int) -> bool:
        number = self.stored[number]
        return number < self.num_registers or isinstance(
            self.block.instructions[number - self.num_registers], Constant
        )


def may_be_overwritten(block: Block, num_registers: int, position: int, end: int | None = None) -> bool:
    """Whether a store behind an instruction, before `end`, may change the cell that it reads.

    Constant addresses one apart are different cells at every M.
    """
    cell = _constant_address(block, num_registers, position)
    for later in range(position + 1, len(block.instructions) if end is None else end):
        if _is_write(block.instructions[later]):
            other = _constant_address(block, num_registers, later)
            if cell is None or other is None or abs(cell - other) != 1:
                return True
    return False


def _constant_address(block: Block, num_registers: int, position: int) -> int | None:
    """The address that an instruction reads or writes, where it is a constant."""
    instruction = block.instructions[position]
    number = instruction.arguments[0] if isinstance(instruction, Operation) and instruction.arguments else 0
    address = block.instructions[number - num_registers] if number >= num_registers else None
    return address.value if isinstance(address, Constant) else None


def _is_write(instruction: Instruction) -> TypeGuard[Operation]:
    return isinstance(instruction, Operation) and instruction.gate is Gate.WRITE


def _without_needless_names(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """Put a kept value into its register at once where nothing later needs the register's old value."""
    parts = list(statements)
    for position in range(len(parts)):
        part = parts[position] if position < len(parts) else None
        if not isinstance(part, Let):
            continue
        later = parts[position + 1 :]
        final = next((s for s in later if isinstance(s, Assign) and s.values == (part.temporary,)), None)
        if final is None or any(final.registers[0] in _read(s) for s in later):
            continue
        variable = Variable(final.registers[0])
        changed = [_substituted(s, part.temporary, variable) for s in later if s is not final]
        parts[position:] = [Assign(final.registers, (part.value,)), *changed]
    return tuple(parts)


def _read(statement: Statement) -> frozenset[int]:
    return frozenset[int]().union(*map(variables, _expressions(statement)))


def _expressions(statement: Statement) -> tuple[Expression, ...]:
    if isinstance(statement, Assign):
        return statement.values
    return (statement.value,) if isinstance(statement, Let) else (statement.address, statement.value)


def _substituted(statement: Statement, old: Temporary, new: Variable) -> Statement:
    def inside(expression: Expression) -> Expression:
        if expression == old:
            return new
        if isinstance(expression, Apply):
            return Apply(expression.gate, tuple(map(inside, expression.arguments)))
        return expression

    if isinstance(statement, Assign):
        return Assign(statement.registers, tuple(map(inside, statement.values)))
    if isinstance(statement, Let):
        return Let(statement.temporary, inside(statement.value))
    return Store(inside(statement.address), inside(statement.value))


def _in_sequence(assignments: Mapping[int, Expression]) -> Iterator[Assign]:
    """Order parallel assignments so that no value is overwritten before its last use.

    Registers that need each other's old values stay together.
    """
    waiting = {r: value for r, value in assignments.items() if value != Variable(r)}
    read = {r: variables(value) for r, value in waiting.items()}
    while waiting:
        readers = {r: {q for q in waiting if q != r and r in read[q]} for r in waiting}
        free = [r for r in waiting if not readers[r]]
        group = free[:1] or _smallest_knot(readers)
        yield Assign(tuple(group), tuple(waiting.pop(r) for r in group))


def _smallest_knot(readers: Mapping[int, set[int]]) -> list[int]:
    """Smallest set of registers that is closed under "must not be assigned before its readers"."""
    knots = []
    for start in readers:
        knot, frontier = {start}, [start]
        while frontier:
            new = readers[frontier.pop()] - knot
            knot |= new
            frontier += new
        knots.append(sorted(knot))
    return min(knots, key=lambda knot: (len(knot), knot))
