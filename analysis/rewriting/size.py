"""How much there is to read in a program."""

from __future__ import annotations

from analysis.program.block import Constant, Operation
from analysis.program.expressions import Assign, statements
from analysis.program.graph import components
from analysis.program.program import Edge, Program
from analysis.simplification.dataflow import live_registers
from analysis.simplification.guards import length
from analysis.simplification.terms import COMPARISONS

_REGISTER, _FLAG, _STATE, _EDGE, _STATEMENT = 6, 12, 3, 3, 4


def size(program: Program) -> int:
    """A weight for registers, flags, states, edges, statements, gates and tests: less is easier to read."""
    total = _REGISTER * program.num_registers + _STATE * len(program.states) + num_tests(program)
    for edge in program.edges:
        code = statements(edge.block, program.num_registers)
        assigned = (len(part.registers) if isinstance(part, Assign) else 1 for part in code)
        total += _EDGE + _STATEMENT * sum(assigned) + len(edge.block.instructions)
    return total + _FLAG * len(flags(program))


def num_tests(program: Program) -> int:
    """The tests of all guards, with one more for each cube."""
    return sum(length(edge.guard) for edge in program.edges if not edge.guard.always)


def flags(program: Program) -> list[int]:
    """The registers that hold nothing but 0 and 1 and are remembered.

    One that a loop always sets right before it is tested is not: the test says what is compared.
    """
    return [register for register in range(program.num_registers) if _is_flag(program, register)]


def _is_flag(program: Program, register: int) -> bool:
    made = [_made(program, edge, register) for edge in program.edges]
    live, component = live_registers(program), components(program)
    return "else" not in made and any(
        edge.target is not None
        and register in live[edge.target]
        and component[edge.source] == component[edge.target]
        and one != "compared"
        for edge, one in zip(program.edges, made, strict=True)
    )


def _made(program: Program, edge: Edge, register: int) -> str:
    """What a block sets a register to: "compared", "constant", "kept" or something "else"."""
    number = dict(edge.block.assignments).get(register)
    if number is None:
        return "kept"
    made = (
        edge.block.instructions[number - program.num_registers] if number >= program.num_registers else None
    )
    if isinstance(made, Constant) and made.value in (0, 1):
        return "constant"
    return "compared" if isinstance(made, Operation) and made.gate in COMPARISONS else "else"
