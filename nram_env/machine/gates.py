"""The fourteen gates as integer functions: the truth that every other form is tested against.

Paper, Appendix A (the list of gates) and Section 3.2. Needs neither torch nor numpy.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableSequence, Sequence
from enum import IntEnum
from typing import Any

from nram_env.checks import shown
from nram_env.support import unknown_name


class Gate(IntEnum):
    """A gate of the machine, numbered in the paper's order.

    Example:
        >>> Gate.LESS_THAN.label, Gate.LESS_THAN.arguments
        ('LESS-THAN', ('a', 'b'))
    """

    READ = 0
    ZERO = 1
    ONE = 2
    TWO = 3
    INC = 4
    ADD = 5
    SUB = 6
    DEC = 7
    LESS_THAN = 8
    LESS_OR_EQUAL_THAN = 9
    EQUALITY_TEST = 10
    MIN = 11
    MAX = 12
    WRITE = 13

    @property
    def label(self) -> str:
        """The paper's name, as in LESS-OR-EQUAL-THAN."""
        return self.name.replace("_", "-")

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of the arguments that the gate reads: p is a pointer, a and b are values."""
        return _ARGUMENTS[self]

    @property
    def arity(self) -> int:
        """How many arguments the gate reads: 0, 1 or 2."""
        return len(_ARGUMENTS[self])


_ARGUMENTS: dict[Gate, tuple[str, ...]] = {
    Gate.READ: ("p",),
    Gate.ZERO: (),
    Gate.ONE: (),
    Gate.TWO: (),
    Gate.INC: ("a",),
    Gate.ADD: ("a", "b"),
    Gate.SUB: ("a", "b"),
    Gate.DEC: ("a",),
    Gate.LESS_THAN: ("a", "b"),
    Gate.LESS_OR_EQUAL_THAN: ("a", "b"),
    Gate.EQUALITY_TEST: ("a", "b"),
    Gate.MIN: ("a", "b"),
    Gate.MAX: ("a", "b"),
    Gate.WRITE: ("p", "a"),
}

PAPER_GATES: tuple[Gate, ...] = tuple(Gate)
"""The paper's module sequence: each gate once, READ first, WRITE last."""


def apply_gate(gate: Gate, arguments: Sequence[Any], memory: MutableSequence[Any]) -> Any:
    """Run one gate on integers. WRITE changes `memory`; its own output is the value it stored.

    Args:
        gate: Which gate.
        arguments: As many integers in 0..M-1 as `gate.arity`.
        memory: M integers in 0..M-1; M is its length and the modulus of all arithmetic.

    Returns:
        The output, an integer in 0..M-1.

    Example:
        >>> apply_gate(Gate.SUB, [1, 3], [0] * 8)
        6
    """
    if gate is Gate.READ:
        return memory[arguments[0]]
    if gate is Gate.WRITE:
        memory[arguments[0]] = arguments[1]
        return arguments[1]
    return pure_gate(gate, arguments, len(memory))


def pure_gate(gate: Gate, arguments: Sequence[Any], memory_size: Any) -> Any:
    """Value of a gate other than READ and WRITE, on integers or on integer arrays element by element.

    Args:
        gate: Any gate but READ and WRITE.
        arguments: As many integers (or equally shaped integer arrays) in 0..M-1 as `gate.arity`.
        memory_size: M, the modulus; or an array, the modulus of every element.

    Returns:
        Integer, or array of integers, in 0..M-1.

    Raises:
        KeyError: The gate needs the memory (READ, WRITE).
    """
    return _PURE[gate](memory_size, *arguments)


_PURE: dict[Gate, Any] = {
    Gate.ZERO: lambda size: 0,
    Gate.ONE: lambda size: 1 % size,
    Gate.TWO: lambda size: 2 % size,
    Gate.INC: lambda size, a: (a + 1) % size,
    Gate.ADD: lambda size, a, b: (a + b) % size,
    Gate.SUB: lambda size, a, b: (a - b) % size,
    Gate.DEC: lambda size, a: (a - 1) % size,
    Gate.LESS_THAN: lambda size, a, b: (a < b) * (1 % size),
    Gate.LESS_OR_EQUAL_THAN: lambda size, a, b: (a <= b) * (1 % size),
    Gate.EQUALITY_TEST: lambda size, a, b: (a == b) * (1 % size),
    Gate.MIN: lambda size, a, b: a * (a <= b) + b * (b < a),
    Gate.MAX: lambda size, a, b: a * (a >= b) + b * (b > a),
}


def parse_gates(gates: Iterable[Gate | str]) -> tuple[Gate, ...]:
    """Turn names into gates; upper or lower case, with hyphens or underscores.

    Args:
        gates: Gates or their names, in the order in which they run.

    Raises:
        ValueError: A name is unknown (the message offers the nearest), or the list is empty.

    Example:
        >>> parse_gates(["read", "LESS-THAN"])
        (<Gate.READ: 0>, <Gate.LESS_THAN: 8>)
    """
    if isinstance(gates, str):
        raise ValueError(f"gates must be a sequence of names, got the single string {shown(gates)}")
    try:
        names = tuple(gates)
    except TypeError:
        raise ValueError(f"gates must be a sequence of names, got {shown(gates)}") from None
    parsed = tuple(_parse_gate(gate) for gate in names)
    if not parsed:
        raise ValueError("the gate list is empty; a machine needs at least one gate")
    return parsed


def _parse_gate(gate: Gate | str) -> Gate:
    if isinstance(gate, Gate):
        return gate
    name = str(gate).upper().replace("-", "_")
    if name not in Gate.__members__:
        raise unknown_name("gate", gate, (member.label for member in Gate))
    return Gate[name]
