"""Raw circuits: what a hardened controller chooses in one timestep, and the block that it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.program.block import Block, Operation
from nram_env.machine import MachineConfig, hard_advance


@dataclass(frozen=True)
class HardChoice:
    """One hardened output of a controller.

    Attributes:
        choices: What every selector chose, in the order of the machine's layout.
        halts: Whether the run ends after this step.
    """

    choices: tuple[int, ...]
    halts: bool = False


def circuit_block(machine: MachineConfig, choices: Sequence[int]) -> Block:
    """The block that runs all gates of a machine and assigns all of its registers, nothing left out.

    Args:
        machine: Registers and gates; the block speaks of the machine's own registers.
        choices: What every selector chose, in the order of the layout.

    Example:
        >>> circuit_block(MachineConfig(1, ("READ", "WRITE")), [0, 0, 1, 2]).assignments
        ((0, 2),)
    """
    layout = machine.layout
    arguments = [tuple(int(choice) for choice in choices[rows]) for rows in layout.rows_of_gate]
    instructions = [Operation(gate, chosen) for gate, chosen in zip(machine.gates, arguments, strict=True)]
    updates = [int(choice) for choice in choices[layout.register_rows]]
    return Block(tuple(instructions), tuple(enumerate(updates)))


class CircuitMachine:
    """The hard machine for B runs, each with circuits of its own; changed by `advance`.

    Attributes:
        registers: (B, R) integers.
        memory: (B, M) integers; of a row whose own M is smaller the first M cells count.
    """

    def __init__(
        self, machine: MachineConfig, memories: np.ndarray, memory_sizes: np.ndarray | None = None
    ) -> None:
        self.machine = machine
        self.memory = memories.astype(np.int64)
        batch, width = self.memory.shape
        self._sizes = np.full(batch, width) if memory_sizes is None else memory_sizes
        self.registers = np.zeros((len(memories), machine.num_registers), dtype=np.int64)

    def advance(self, choices: np.ndarray, active: np.ndarray) -> None:
        """Run one timestep in the active rows.

        Args:
            choices: (B, S); the choices of every run.
            active: (B,); rows where it is false are left as they are.
        """
        rows = np.flatnonzero(active)
        self.registers[rows] = hard_advance(
            self.machine, self.registers[rows], self.memory, choices[rows], rows, self._sizes[rows]
        )
