"""A short notation for one timestep of the machine.

    r1 = INC r1; WRITE r0 READ(r2); stop

Statements are separated by `;`, and their order does not matter: a timestep runs every gate once, in the
order of the gate list, and then updates all registers at once. What is not named changes nothing.
`analysis.game.parsing` reads it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from nram_env.machine import Gate, MachineConfig

STOP, IDLE = "stop", "idle"
"""Words that are statements by themselves: end the run after this timestep; change nothing."""

CONSTANTS = {"0": Gate.ZERO, "1": Gate.ONE, "2": Gate.TWO}
"""Numbers that stand for gates."""


class MoveError(ValueError):
    """A line that is no timestep of the machine: the message restates it and says what is possible."""


@dataclass(frozen=True)
class Move:
    """One hard action.

    Attributes:
        choices: What every selector takes, in the order of the machine's layout.
        stops: Whether the run ends after this timestep.
        gates: Positions of the gates that were named; the others idle.
    """

    choices: tuple[int, ...]
    stops: bool = False
    gates: frozenset[int] = frozenset()


def gate_names(machine: MachineConfig) -> tuple[str, ...]:
    """A name for every gate of the list; the second READ is READ2.

    Example:
        >>> gate_names(MachineConfig(1, ("READ", "ADD", "READ")))
        ('READ', 'ADD', 'READ2')
    """
    labels = [gate.label for gate in machine.gates]
    counts = (labels[: position + 1].count(label) for position, label in enumerate(labels))
    return tuple(
        label + (str(count) if count > 1 else "") for label, count in zip(labels, counts, strict=True)
    )


def move_text(
    machine: MachineConfig, choices: Sequence[int], stops: bool = False, live: Collection[int] | None = None
) -> str:
    """A hard action in the notation.

    Args:
        machine: Registers and gates.
        choices: What every selector takes.
        stops: Whether the run ends after it.
        live: Numbers of the selectors that matter; None for all. The others are left out.

    Example:
        >>> move_text(MachineConfig(2, ("READ", "INC", "WRITE")), (1, 1, 0, 2, 0, 3), stops=True)
        'WRITE r0 READ(r1); r1 = INC r1; stop'
    """
    matters = range(len(choices)) if live is None else live
    statements = list(_Writer(machine, choices).statements(matters)) + [STOP] * stops
    return "; ".join(statements) or IDLE


class _Writer:
    """Writes an action; a gate that is used again is named by its output alone."""

    def __init__(self, machine: MachineConfig, choices: Sequence[int]) -> None:
        self.machine, self.choices, self.names = machine, choices, gate_names(machine)
        self.written: set[int] = set()

    def statements(self, live: Collection[int]) -> Iterator[str]:
        layout = self.machine.layout
        for position, rows in enumerate(layout.rows_of_gate):
            if self.machine.gates[position] is Gate.WRITE and rows.start in live:
                yield self._call(self.machine.num_registers + position)
        for register, row in enumerate(range(layout.register_rows.start, layout.register_rows.stop)):
            if row in live and self.choices[row] != register:
                yield f"r{register} = {self._call(self.choices[row])}"

    def _call(self, choice: int) -> str:
        position = choice - self.machine.num_registers
        if position < 0 or position in self.written or not self.machine.gates[position].arity:
            return self._value(choice)
        return f"{self.names[position]} {self._arguments(position)}"

    def _value(self, choice: int) -> str:
        position = choice - self.machine.num_registers
        if position < 0:
            return f"r{choice}"
        gate = self.machine.gates[position]
        constants = [digit for digit, constant in CONSTANTS.items() if constant is gate]
        if constants or position in self.written:
            return constants[0] if constants else self.names[position]
        return f"{self.names[position]}({self._arguments(position)})"

    def _arguments(self, position: int) -> str:
        self.written.add(position)
        return " ".join(
            self._value(choice) for choice in self.choices[self.machine.layout.rows_of_gate[position]]
        )
