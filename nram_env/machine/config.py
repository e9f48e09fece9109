"""What fixes a machine: its registers and its gates. The memory size is not part of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from nram_env.checks import built, integer, list_of, record, shown, text
from nram_env.machine.gates import PAPER_GATES, Gate, parse_gates
from nram_env.machine.layout import ActionLayout

MAX_REGISTERS = 63
"""Most registers of a machine: which of them are 0 is one signed 64-bit integer wherever programs run."""

MAX_GATES = 256
"""Most gates of a machine: eighteen times the paper's list."""


@dataclass(frozen=True)
class MachineConfig:
    """Registers and gate list of a machine (paper, Section 3.1).

    M, the size of the memory, is a property of a state and not of the machine: the same controller
    runs at any M.

    Args:
        num_registers: R in 1..63.
        gates: The module sequence, 1 to 256 gates or names, repetitions allowed; order matters.

    Raises:
        ValueError: R or the number of gates is out of its range, or a gate name is unknown.

    Example:
        >>> MachineConfig(4).layout.size
        308
    """

    num_registers: int
    gates: tuple[Gate, ...] = PAPER_GATES

    def __post_init__(self) -> None:
        registers = self.num_registers
        if type(registers) is not int or not 1 <= registers <= MAX_REGISTERS:
            raise ValueError(
                f"num_registers must be an integer in 1..{MAX_REGISTERS}, got {shown(registers)}"
            )
        gates = parse_gates(self.gates)
        if len(gates) > MAX_GATES:
            raise ValueError(f"a machine has at most {MAX_GATES} gates, got {len(gates)}")
        object.__setattr__(self, "gates", gates)

    @property
    def num_gates(self) -> int:
        """Q, the length of the gate list, repetitions counted."""
        return len(self.gates)

    @cached_property
    def layout(self) -> ActionLayout:
        """Which number of an action steers what."""
        return ActionLayout.of(self.num_registers, self.gates)

    def to_json(self) -> dict[str, Any]:
        """As JSON values, the gates by their labels."""
        return {"num_registers": self.num_registers, "gates": [gate.label for gate in self.gates]}


MACHINE = built(
    record({"num_registers": integer(1, MAX_REGISTERS), "gates": list_of(text(), MAX_GATES, least=1)}),
    lambda values: MachineConfig(**values),
)
"""Check of what `MachineConfig.to_json` writes; returns the machine."""
