"""Roles of registers, read off how they are used, and names that go with them. Names change nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

from analysis.block import Constant
from analysis.expressions import Apply, Assign, Expression, Let, Store, Variable, statements, variables
from analysis.program import Edge, Program, Register
from analysis.terms import COMPARISONS
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
    return tuple(_role(program, register) for register in range(program.num_registers))


def looping_states(program: Program) -> frozenset[int]:
    """The states that can be entered more than once."""
    reach = {state: _reachable(program, state) for state in range(len(program.states))}
    return frozenset(state for state, reached in reach.items() if state in reached)


def _reachable(program: Program, start: int) -> set[int]:
    reached: set[int] = set()
    waiting = [start]
    while waiting:
        for edge in program.edges_of_state[waiting.pop()]:
            if edge.target is not None and edge.target not in reached:
                reached.add(edge.target)
                waiting.append(edge.target)
    return reached


def _candidates(kind: str) -> Iterator[str]:
    if kind in _WORDS:
        yield _WORDS[kind]
        yield from (f"{_WORDS[kind]}{number}" for number in count(2))
    yield from _NAMES[kind]
    yield from (f"{_NAMES[kind][0]}{number}" for number in count(2))


def _role(program: Program, register: int) -> Role:
    looping = looping_states(program)
    assigned = [
        (edge, value) for edge in program.edges if (value := _assigned(program, edge, register)) is not None
    ]
    repeated = [value for edge, value in assigned if edge.source in looping]
    is_address = any(_is_address(program, edge, register) for edge in program.edges)
    if not repeated:
        return Role(
            "pointer" if is_address else "constant", f"set once{', an address' if is_address else ''}"
        )
    steps = {_step(value, same) for value in repeated for same in {register, *_delayed(program, register)}}
    for step in sorted(step for step in steps if step is not None):
        by = "" if abs(step) == 1 else f" by {abs(step)}"
        return Role(
            "counter", f"counts {'up' if step > 0 else 'down'}{by}{', an address' if is_address else ''}"
        )
    if all(_is_bit(value) for _, value in assigned):
        return Role("flag", "0 or 1")
    sources = {value.register for value in repeated if isinstance(value, Variable)}
    if len(sources) == 1 and all(isinstance(value, Variable | Constant) for value in repeated):
        return Role("previous", f"what r{program.registers[sources.pop()].source} was one step earlier")
    return Role("pointer", "an address") if is_address else Role("value", "a value")


def _assigned(program: Program, edge: Edge, register: int) -> Expression | None:
    for statement in statements(edge.block, program.num_registers):
        if isinstance(statement, Assign) and register in statement.registers:
            return statement.values[statement.registers.index(register)]
    return None


def _delayed(program: Program, register: int) -> set[int]:
    """Registers that repeatedly take this register's value: it may count by way of one of them."""
    looping = looping_states(program)
    return {
        other
        for other in range(program.num_registers)
        for edge in program.edges
        if edge.source in looping and _assigned(program, edge, other) == Variable(register)
    }


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


def _is_address(program: Program, edge: Edge, register: int) -> bool:
    return any(register in variables(address) for address in _addresses(program, edge))


def _addresses(program: Program, edge: Edge) -> Iterator[Expression]:
    for statement in statements(edge.block, program.num_registers):
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
