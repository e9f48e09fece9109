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
    memory = memory.copy()
    rows, sizes = np.arange(len(registers)), np.full(len(registers), memory.shape[1])
    return hard_advance(config, registers, memory, choices, rows, sizes), memory


def hard_advance(
    config: MachineConfig,
    registers: np.ndarray,
    memory: np.ndarray,
    choices: np.ndarray,
    rows: np.ndarray,
    memory_sizes: np.ndarray,
) -> np.ndarray:
    """Run one timestep of some rows, which may differ in M, writing where their memory stands.

    Args:
        config: The machine.
        registers: Integers (K, R), those of the K rows that run.
        memory: Integers (B, at least M); changed.
        choices: Integers (K, S), as in `hard_step`.
        rows: (K,); which rows of `memory` run.
        memory_sizes: (K,); M of each, the modulus of its arithmetic. Cells from M on are not touched.

    Returns:
        New registers (K, R).

    Example:
        >>> config, memory = MachineConfig(1, ["INC", "WRITE"]), np.zeros((2, 4), dtype=np.int64)
        >>> rows, twos, choices = np.arange(2), np.full((2, 1), 2), np.array([[0, 0, 1, 1]] * 2)
        >>> hard_advance(config, twos, memory, choices, rows, np.array([3, 4])).tolist()  # mem[r0] = r0 + 1
        [[0], [3]]
        >>> memory.tolist()
        [[0, 0, 0, 0], [0, 0, 3, 0]]
    """
    values = np.empty((len(registers), config.num_registers + config.num_gates), dtype=registers.dtype)
    values[:, : config.num_registers] = registers
    own, chosen = np.arange(len(registers)), choices.astype(np.intp)
    for position, gate in enumerate(config.gates):
        arguments = [values[own, column] for column in chosen[:, config.layout.rows_of_gate[position]].T]
        values[:, config.num_registers + position] = _run_gate(gate, arguments, memory, rows, memory_sizes)
    return np.take_along_axis(values, chosen[:, config.layout.register_rows], axis=1)


def _run_gate(
    gate: Gate, arguments: list[np.ndarray], memory: np.ndarray, rows: np.ndarray, memory_sizes: np.ndarray
) -> np.ndarray:
    """Output of one gate for all rows that run; WRITE changes `memory`."""
    if gate is Gate.READ:
        return memory[rows, arguments[0]]
    if gate is Gate.WRITE:
        memory[rows, arguments[0]] = arguments[1]
        return arguments[1]
    return pure_gate(gate, arguments, memory_sizes)


def zeros_of_patterns(num_registers: int) -> np.ndarray:
    """(2^R, R) booleans; for every zero-pattern, in the order of their numbers, which registers are 0.

    Example:
        >>> zeros_of_patterns(2).astype(int).tolist()
        [[0, 0], [1, 0], [0, 1], [1, 1]]
    """
    return (np.arange(1 << num_registers)[:, None] >> np.arange(num_registers) & 1).astype(bool)


def patterns_of_zeros(zeros: np.ndarray) -> np.ndarray:
    """Numbers (B,) of zero-patterns: bit r is set where register r is 0, as `zeros`, booleans (B, R), says.

    Example:
        >>> patterns_of_zeros(zeros_of_patterns(2)).tolist()
        [0, 1, 2, 3]
    """
    return zeros @ (1 << np.arange(zeros.shape[-1]))
