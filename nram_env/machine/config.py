"""What fixes a machine: its registers and its gates. The memory size is not part of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from nram_env.machine.gates import PAPER_GATES, Gate, parse_gates
from nram_env.machine.layout import ActionLayout


@dataclass(frozen=True)
class MachineConfig:
    """Registers and gate list of a machine (paper, Section 3.1).

    M, the size of the memory, is a property of a state and not of the machine: the same controller
    runs at any M.

    Args:
        num_registers: R >= 1.
        gates: The module sequence, gates or names, repetitions allowed; order matters.

    Raises:
        ValueError: R is not a positive integer, or a gate name is unknown.

    Example:
        >>> MachineConfig(4).layout.size
        308
    """

    num_registers: int
    gates: tuple[Gate, ...] = PAPER_GATES

    def __post_init__(self) -> None:
        registers = self.num_registers
        if isinstance(registers, bool) or not isinstance(registers, int) or registers < 1:
            raise ValueError(f"num_registers must be an integer of at least 1, got {registers!r}")
        object.__setattr__(self, "gates", parse_gates(self.gates))

    @property
    def num_gates(self) -> int:
        """Q, the length of the gate list, repetitions counted."""
        return len(self.gates)

    @cached_property
    def layout(self) -> ActionLayout:
        """Which number of an action steers what."""
        return ActionLayout.of(self.num_registers, self.gates)
