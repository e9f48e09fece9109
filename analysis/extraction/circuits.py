"""Raw circuits: what a hardened controller chooses in one timestep, and the block that it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.program.block import Block, Operation
from nram_env.machine import Gate, MachineConfig, pure_gate


@dataclass(frozen=True)
class HardStep:
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
    """The hardened machine for B runs, each with circuits of its own; changed by `advance`.

    Attributes:
        registers: (B, R) integers.
        memory: (B, M) integers.
        touched: (W, B); the addresses that the last `advance` wrote to, one row a WRITE gate.
    """

    def __init__(self, machine: MachineConfig, memories: np.ndarray) -> None:
        self.machine = machine
        self.memory = memories.astype(np.int64)
        self.registers = np.zeros((len(memories), machine.num_registers), dtype=np.int64)
        self.touched = np.zeros((0, len(memories)), dtype=np.int64)

    def advance(self, choices: np.ndarray, active: np.ndarray) -> None:
        """Run one timestep in the active rows.

        Args:
            choices: (B, S); the choices of every run.
            active: (B,); rows where it is false are left as they are.
        """
        rows = np.flatnonzero(active)
        if not rows.size:
            return
        batch, size = self.memory.shape
        values = list(self.registers[rows].T)
        touched = []
        for gate, selectors in zip(self.machine.gates, self.machine.layout.rows_of_gate, strict=True):
            arguments = [_choose(values, choice) for choice in choices[rows, selectors].T]
            if gate is Gate.READ:
                values.append(self.memory[rows, arguments[0]])
            elif gate is Gate.WRITE:
                self.memory[rows, arguments[0]] = arguments[1]
                touched.append(_scatter(batch, rows, arguments[0]))
                values.append(arguments[1])
            else:
                values.append(np.broadcast_to(pure_gate(gate, arguments, size), rows.shape))
        updates = choices[rows, self.machine.layout.register_rows].T
        self.registers[rows] = np.stack([_choose(values, choice) for choice in updates], axis=1)
        self.touched = np.array(touched, dtype=np.int64).reshape(-1, batch)


def _choose(values: Sequence[np.ndarray], choice: np.ndarray) -> np.ndarray:
    if (choice == choice[0]).all():
        return values[choice[0]]
    return np.stack(values)[choice, np.arange(len(choice))]


def _scatter(batch: int, rows: np.ndarray, addresses: np.ndarray) -> np.ndarray:
    full = np.zeros(batch, dtype=np.int64)
    full[rows] = addresses
    return full
