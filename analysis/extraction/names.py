"""Roles of registers, read off how they are used, and names that go with them. Names change nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from analysis.program.block import Constant
from analysis.program.expressions import (
    Apply,
    Assign,
    Expression,
    Let,
    Statement,
    Store,
    Variable,
    statements,
    variables,
)
from analysis.program.graph import looping_states
from analysis.program.program import Program, Register
from analysis.simplification.terms import COMPARISONS
from nram_env.machine import Gate

_NAMES = {
    "counter": "ijklmn",
    "pointer": "pquv",
    "constant": "cde",
    "value": "xyzw",
}
_WORDS = {"flag": "flag", "previous": "prev"}


@dataclass(frozen=True)
class Role:
    """What a register is for.

    Attributes:
        kind: "counter", "pointer", "constant", "flag", "previous" or "value".
        says: A few words for the listing.
    """

    kind: str
    says: str


def name_registers(program: Program) -> Program:
    """The program with its registers named by their roles and its states S0, S1, ... in order."""
    taken: set[str] = set()
    registers = []
    for register, role in zip(program.registers, roles(program), strict=True):
        name = next(name for name in _candidates(role.kind) if name not in taken)
        taken.add(name)
        registers.append(Register(name, register.source))
    states = tuple(f"S{state}" for state in range(len(program.states)))
    return replace(program, registers=tuple(registers), states=states)


def roles(program: Program) -> tuple[Role, ...]:
    """For every register its role."""
    uses = _Uses(program)
    return tuple(_role(uses, register) for register in range(program.num_registers))


class _Uses:
    """How a program uses its registers, found in one pass over its blocks.

    Attributes:
        program: The program.
        assigned: For every register the values that it is set to.
        repeated: Those of them that it can be set to more than once.
        addresses: Registers that are part of an address.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.assigned: list[list[Expression]] = [[] for _ in program.registers]
        self.repeated: list[list[Expression]] = [[] for _ in program.registers]
        self.addresses: set[int] = set()
        looping = looping_states(program)
        for edge in program.edges:
            code = statements(edge.block, program.num_registers)
            self.addresses.update(*map(variables, _addresses(code)))
            for register, value in _assignments(code):
                self.assigned[register].append(value)
                if edge.source in looping:
                    self.repeated[register].append(value)


def _candidates(kind: str) -> Iterator[str]:
    if kind in _WORDS:
        yield _WORDS[kind]
        yield from (f"{_WORDS[kind]}{number}" for number in count(2))
    yield from _NAMES[kind]
    yield from (f"{_NAMES[kind][0]}{number}" for number in count(2))


def _role(uses: _Uses, register: int) -> Role:
    repeated, is_address = uses.repeated[register], register in uses.addresses
    if not repeated:
        return Role(
            "pointer" if is_address else "constant", f"set once{', an address' if is_address else ''}"
        )
    same = {register, *_delayed(uses, register)}
    steps = {_step(value, other) for value in repeated for other in same}
    for step in sorted(step for step in steps if step is not None):
        by = "" if abs(step) == 1 else f" by {abs(step)}"
        return Role(
            "counter", f"counts {'up' if step > 0 else 'down'}{by}{', an address' if is_address else ''}"
        )
    if all(map(_is_bit, uses.assigned[register])):
        return Role("flag", "0 or 1")
    sources = {value.register for value in repeated if isinstance(value, Variable)}
    if len(sources) == 1 and all(isinstance(value, Variable | Constant) for value in repeated):
        source = uses.program.registers[sources.pop()].source
        return Role("previous", f"what r{source} was one step earlier")
    return Role("pointer", "an address") if is_address else Role("value", "a value")


def _assignments(code: Sequence[Statement]) -> Iterator[tuple[int, Expression]]:
    for statement in code:
        if isinstance(statement, Assign):
            yield from zip(statement.registers, statement.values, strict=True)


def _delayed(uses: _Uses, register: int) -> set[int]:
    """Registers that repeatedly take this register's value: it may count by way of one of them."""
    return {other for other, values in enumerate(uses.repeated) if Variable(register) in values}


def _step(value: Expression, register: int) -> int | None:
    """c where a register is set to itself plus c, else None; also inside a min or max."""
    if isinstance(value, Apply) and value.gate in (Gate.MIN, Gate.MAX):
        steps = [_step(argument, register) for argument in value.arguments]
        return next((step for step in steps if step is not None), None)
    if isinstance(value, Apply) and value.gate is Gate.ADD and value.arguments[0] == Variable(register):
        right = value.arguments[1]
        return right.value if isinstance(right, Constant) else None
    return None


def _is_bit(value: Expression) -> bool:
    if isinstance(value, Constant):
        return value.value in (0, 1)
    return isinstance(value, Apply) and value.gate in COMPARISONS


def _addresses(code: Sequence[Statement]) -> Iterator[Expression]:
    for statement in code:
        if isinstance(statement, Store):
            yield statement.address
            yield from _read_addresses(statement.value)
            yield from _read_addresses(statement.address)
        elif isinstance(statement, Let):
            yield from _read_addresses(statement.value)
        else:
            for value in statement.values:
                yield from _read_addresses(value)


def _read_addresses(expression: Expression) -> Iterator[Expression]:
    if isinstance(expression, Apply):
        if expression.gate is Gate.READ:
            yield expression.arguments[0]
        for argument in expression.arguments:
            yield from _read_addresses(argument)
