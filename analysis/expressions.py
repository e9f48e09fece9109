"""Blocks as statements over nested expressions: what listings and exported sources are written from.

A block is a list of numbered values. Here a value that is used once is put where it is used, and a
value that must be kept (a cell that is overwritten before its use, a longer term that is used twice)
gets a temporary name, so that the statements, run one after another, mean what the block means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analysis.block import Block, Constant, Operation
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


def variables(expression: Expression) -> frozenset[int]:
    """The registers that an expression reads."""
    if isinstance(expression, Variable):
        return frozenset((expression.register,))
    if isinstance(expression, Apply):
        return frozenset().union(*map(variables, expression.arguments))
    return frozenset()


class _Lowering:
    """Decides which values get a temporary name, and nests the others."""

    def __init__(self, block: Block, num_registers: int) -> None:
        self.block = block
        self.num_registers = num_registers
        self.end = len(block.instructions)
        self.used_by = self._users()
        self.temporaries: dict[int, Temporary] = {}
        for position in reversed(range(self.end)):
            if self._needs_name(position):
                self.temporaries[position] = Temporary(-1)
        numbered = enumerate(sorted(self.temporaries))
        self.temporaries = {position: Temporary(number) for number, position in numbered}

    def body(self) -> Iterator[Statement]:
        """Everything but the assignments."""
        for position, instruction in enumerate(self.block.instructions):
            if isinstance(instruction, Operation) and instruction.gate is Gate.WRITE:
                address, value = map(self.expression, instruction.arguments)
                yield Store(address, value)
            elif position in self.temporaries:
                yield Let(self.temporaries[position], self._term(position))

    def expression(self, number: int) -> Expression:
        """The expression of a value number where it is used."""
        number = self._stored(number)
        if number < self.num_registers:
            return Variable(number)
        position = number - self.num_registers
        return self.temporaries[position] if position in self.temporaries else self._term(position)

    def _term(self, position: int) -> Expression:
        instruction = self.block.instructions[position]
        if isinstance(instruction, Constant):
            return instruction
        return Apply(instruction.gate, tuple(map(self.expression, instruction.arguments)))

    def _stored(self, number: int) -> int:
        """WRITE's own output is the value that it stored."""
        while number >= self.num_registers:
            instruction = self.block.instructions[number - self.num_registers]
            if not isinstance(instruction, Operation) or instruction.gate is not Gate.WRITE:
                break
            number = instruction.arguments[1]
        return number

    def _users(self) -> Mapping[int, list[int]]:
        """For every position, the positions that use its value, with repetitions; `end` for assignments.

        A value that nothing needs uses nothing.
        """
        users: dict[int, list[int]] = {position: [] for position in range(self.end)}
        for _, number in self.block.assignments:
            self._use(users, number, self.end)
        for position in reversed(range(self.end)):
            instruction = self.block.instructions[position]
            if isinstance(instruction, Constant):
                continue
            if users[position] or instruction.gate is Gate.WRITE:
                for number in instruction.arguments:
                    self._use(users, number, position)
        return users

    def _use(self, users: dict[int, list[int]], number: int, user: int) -> None:
        number = self._stored(number)
        if number >= self.num_registers:
            users[number - self.num_registers].append(user)

    def _needs_name(self, position: int) -> bool:
        instruction, users = self.block.instructions[position], self.used_by[position]
        if isinstance(instruction, Constant) or instruction.gate is Gate.WRITE or not users:
            return False
        if instruction.gate is Gate.READ:
            return len(users) > 1 or self._overwritten_before(position, self._place(users[0]))
        return len(users) > 1 and not all(map(self._is_plain, instruction.arguments))

    def _place(self, position: int) -> int:
        """Where the statement stands that a value used at `position` ends up in."""
        while position < self.end and position not in self.temporaries:
            instruction = self.block.instructions[position]
            if isinstance(instruction, Operation) and instruction.gate is Gate.WRITE:
                break
            position = max(self._place(user) for user in self.used_by[position])
        return position

    def _overwritten_before(self, position: int, place: int) -> bool:
        between = self.block.instructions[position + 1 : place]
        return any(isinstance(other, Operation) and other.gate is Gate.WRITE for other in between)

    def _is_plain(self, number: int) -> bool:
        number = self._stored(number)
        return number < self.num_registers or isinstance(
            self.block.instructions[number - self.num_registers], Constant
        )


def _without_needless_names(parts: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """Put a kept value into its register at once where nothing later needs the register's old value."""
    for position, part in enumerate(parts):
        if not isinstance(part, Let):
            continue
        later = parts[position + 1 :]
        final = next((s for s in later if isinstance(s, Assign) and s.values == (part.temporary,)), None)
        if final is None or any(final.registers[0] in _read(s) for s in later):
            continue
        variable = Variable(final.registers[0])
        changed = [_substituted(s, part.temporary, variable) for s in later if s is not final]
        now = Assign(final.registers, (part.value,))
        return _without_needless_names((*parts[:position], now, *changed))
    return parts


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
    while waiting:
        readers = {r: {q for q in waiting if q != r and r in variables(waiting[q])} for r in waiting}
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
