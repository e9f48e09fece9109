"""Expressions, statements and guards as text for people. Arithmetic is modulo M throughout."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from analysis.program.block import Block, Constant, Guard
from analysis.program.expressions import Apply, Assign, Expression, Let, Statement, Variable, statements
from nram_env.machine import Gate

WIDTH = 100
"""Columns of a page where nothing says how many there are."""

_COMPARISONS = {Gate.LESS_THAN: "<", Gate.LESS_OR_EQUAL_THAN: "<=", Gate.EQUALITY_TEST: "=="}
_CONSTANTS = {Gate.ZERO: 0, Gate.ONE: 1, Gate.TWO: 2}


def hanging(text: str, width: int, indent: int) -> str:
    """One line of text, or several where it is wider than `width`; those behind the first are indented.

    Spaces within the text are kept as they are.

    Example:
        >>> print(hanging("time   right from T = 3 on", 20, 7))
        time   right from T
               = 3 on
    """
    if len(text) <= width:
        return text
    wrap = textwrap.TextWrapper(width, subsequent_indent=" " * indent, break_long_words=False)
    wrap.break_on_hyphens = False
    return wrap.fill(text)


def expression_text(expression: Expression, names: Sequence[str]) -> str:
    """An expression with the registers' names.

    Example:
        >>> expression_text(Apply(Gate.ADD, (Variable(0), Constant(-1))), ["i"])
        'i - 1'
    """
    if isinstance(expression, Variable):
        return names[expression.register]
    if isinstance(expression, Constant):
        return str(expression.value)
    if isinstance(expression, Apply):
        return _applied(expression, names)
    return f"t{expression.number}"


def _applied(expression: Apply, names: Sequence[str]) -> str:
    gate, arguments = expression.gate, expression.arguments
    if gate in _CONSTANTS:
        return str(_CONSTANTS[gate])
    texts = [expression_text(argument, names) for argument in arguments]
    if gate is Gate.READ:
        return f"mem[{texts[0]}]"
    if gate in (Gate.MIN, Gate.MAX):
        return f"{gate.label.lower()}({texts[0]}, {texts[1]})"
    if gate in _COMPARISONS:
        return f"[{texts[0]} {_COMPARISONS[gate]} {texts[1]}]"
    if gate in (Gate.INC, Gate.DEC):
        return f"{texts[0]} {'+' if gate is Gate.INC else '-'} 1"
    return _sum(gate, arguments, texts)


def _sum(gate: Gate, arguments: Sequence[Expression], texts: Sequence[str]) -> str:
    right = arguments[1]
    if isinstance(right, Constant) and right.value < 0:
        sign = "+" if gate is Gate.SUB else "-"
        return f"{texts[0]} {sign} {-right.value}"
    if gate is Gate.ADD:
        return f"{texts[0]} + {texts[1]}"
    is_sum = isinstance(right, Apply) and right.gate in (Gate.ADD, Gate.SUB, Gate.INC, Gate.DEC)
    return f"{texts[0]} - {f'({texts[1]})' if is_sum else texts[1]}"


def statement_text(statement: Statement, names: Sequence[str]) -> str:
    """A statement on one line."""
    if isinstance(statement, Let):
        return f"t{statement.temporary.number} = {expression_text(statement.value, names)}"
    if isinstance(statement, Assign):
        targets = ", ".join(names[register] for register in statement.registers)
        return f"{targets} = {', '.join(expression_text(value, names) for value in statement.values)}"
    return f"mem[{expression_text(statement.address, names)}] = {expression_text(statement.value, names)}"


def block_lines(block: Block, names: Sequence[str]) -> list[str]:
    """The statements of a block, one a line; "pass" if there is none.

    Args:
        block: The code.
        names: Names of the program's registers.
    """
    lines = [statement_text(statement, names) for statement in statements(block, len(names))]
    return lines or ["pass"]


def guard_text(guard: Guard, names: Sequence[str]) -> str:
    """A guard as in "i == 0 and flag != 0"; "always" if it tests nothing."""
    return " or ".join(_cube_text(mask, value, names) for mask, value in guard.cubes)


def _cube_text(mask: int, value: int, names: Sequence[str]) -> str:
    tests = [
        f"{name} {'==' if value >> register & 1 else '!='} 0"
        for register, name in enumerate(names)
        if mask >> register & 1
    ]
    return " and ".join(tests) or "always"
