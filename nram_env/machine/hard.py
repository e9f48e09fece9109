"""The hard machine: a batch of runs on plain integers, reading and writing in O(1). Needs numpy alone.

Every selector is one choice (paper, Section 3.4); see also "Hard (discretised) machine" in the docs.
"""

from __future__ import annotations

import numpy as np

from nram_env.machine.config import MachineConfig
from nram_env.machine.gates import Gate, pure_gate


def hard_step(
    config: MachineConfig, registers: np.ndarray, memory: np.ndarray, choices: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Run one timestep on integers.

    Args:
        config: The machine.
        registers: Integers (B, R) in 0..M-1.
        memory: Integers (B, M) in 0..M-1.
        choices: Integers (B, S), one choice a selector, in the order of `config.layout.selectors`.

    Returns:
        New registers (B, R) and new memory (B, M); the arguments are left as they were.
    """
    rows, memory = np.arange(len(registers)), memory.copy()
    values = np.empty((len(registers), config.num_registers + config.num_gates), dtype=registers.dtype)
    values[:, : config.num_registers] = registers
    chosen = choices.astype(np.intp)
    for position, gate in enumerate(config.gates):
        arguments = [values[rows, column] for column in chosen[:, config.layout.rows_of_gate[position]].T]
        values[:, config.num_registers + position] = _run_gate(gate, arguments, memory, rows)
    return np.take_along_axis(values, chosen[:, config.layout.register_rows], axis=1), memory


def _run_gate(gate: Gate, arguments: list[np.ndarray], memory: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Output of one gate for the whole batch; WRITE changes `memory`."""
    if gate is Gate.READ:
        return memory[rows, arguments[0]]
    if gate is Gate.WRITE:
        memory[rows, arguments[0]] = arguments[1]
        return arguments[1]
    return pure_gate(gate, arguments, memory.shape[1])
