"""The integer machine for many inputs at once, in numpy. Tested equal to `analysis.machine.vm`.

Memory is one (B, M) array of integers; a timestep costs O(B), whatever M is. Rows may differ in M: they are
then filled up to the largest, and no cell from their own M on is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.program.block import Block, Constant
from analysis.program.program import START, Program
from nram_env.machine import Gate, pure_gate

Rows = np.ndarray | slice
"""Rows of the batch: their numbers, or all of them as a slice."""

Watch = Callable[[int, Rows, Sequence[np.ndarray]], None]
"""Told of every edge that some rows take: its number, the rows, and there the values of the registers before
the step and of the block's instructions, each (rows,)."""

HALTED, UNSEEN = -1, -2


@dataclass(frozen=True)
class BatchRun:
    """How every run of a batch ended.

    Attributes:
        memory: (B, M) integers.
        registers: (B, R) integers.
        steps: (B,) timesteps that were executed.
        halted: (B,) whether the program stopped itself.
        unseen: (B,) whether it came into a situation that was never seen, and ended there.
    """

    memory: np.ndarray
    registers: np.ndarray
    steps: np.ndarray
    halted: np.ndarray
    unseen: np.ndarray


class BatchMachine:
    """B copies of a program in motion, one timestep an `advance`.

    Attributes:
        memory: (B, M) integers, changed by `advance`.
        registers: (R, B) integers.
        state: (B,); the program's state, or HALTED or UNSEEN.
        steps: (B,); timesteps executed so far.
    """

    def __init__(
        self, program: Program, memories: np.ndarray, memory_sizes: np.ndarray | None = None
    ) -> None:
        self.program = program
        self.memory, self._sizes = checked_memories(memories, memory_sizes)
        batch, width = self.memory.shape
        self.registers = np.zeros((program.num_registers, batch), dtype=np.int64)
        self.state = np.full(batch, START, dtype=np.int64)
        self.steps = np.zeros(batch, dtype=np.int64)
        self._cells = self.memory.reshape(-1)
        self._origin = np.arange(batch) * width
        self._tested = sum(1 << r for r in range(program.num_registers) if _is_tested(program, r))

    def advance(self, limits: np.ndarray | int | None = None, watch: Watch | None = None) -> bool:
        """Run one timestep in every row that has neither ended nor reached its limit of steps.

        Args:
            limits: Steps of every row, (B,), or of all; None for no limit.
            watch: Told what is done.

        Returns:
            Whether any row ran.
        """
        active = self.state >= 0
        if limits is not None:
            active &= self.steps < limits
        if not active.any():
            return False
        bits, before = self._zero_bits(), self.state.copy()
        for number, edge in enumerate(self.program.edges):
            taken = active & (before == edge.source)
            if not edge.guard.always:
                taken &= edge.guard.matches(bits)
            rows = self._rows(taken)
            if rows is not None:
                values = self._evaluated(edge.block, rows)
                if watch is not None:
                    watch(number, rows, values)
                self._assign(edge.block, rows, values)
                self.state[rows] = HALTED if edge.target is None else edge.target
                self.steps[rows] += 1
                active ^= taken
        self.state[active] = UNSEEN
        return True

    def _zero_bits(self) -> np.ndarray:
        bits = np.zeros(self.memory.shape[0], dtype=np.int64)
        for r, values in enumerate(self.registers):
            if self._tested >> r & 1:
                bits |= (values == 0).astype(np.int64) << r
        return bits

    def _rows(self, taken: np.ndarray) -> Rows | None:
        count = np.count_nonzero(taken)
        if count == len(taken):
            return slice(None)
        return np.flatnonzero(taken) if count else None

    def _evaluated(self, block: Block, rows: Rows) -> list[np.ndarray]:
        """The values of registers and instructions; changes the memory."""
        size, origin = self._sizes[rows], self._origin[rows]
        values = list(self.registers[:, rows])
        for instruction in block.instructions:
            if isinstance(instruction, Constant):
                values.append(instruction.value % size)
                continue
            arguments = [values[number] for number in instruction.arguments]
            if instruction.gate is Gate.READ:
                values.append(self._cells.take(origin + arguments[0]))
            elif instruction.gate is Gate.WRITE:
                self._cells[origin + arguments[0]] = arguments[1]
                values.append(arguments[1])
            else:
                values.append(np.broadcast_to(pure_gate(instruction.gate, arguments, size), origin.shape))
        return values

    def _assign(self, block: Block, rows: Rows, values: Sequence[np.ndarray]) -> None:
        new = [values[number].copy() for _, number in block.assignments]
        for (register, _), value in zip(block.assignments, new, strict=True):
            self.registers[register, rows] = value


def run_batch(
    program: Program,
    memories: np.ndarray,
    max_steps: int | np.ndarray,
    memory_sizes: np.ndarray | None = None,
) -> BatchRun:
    """Run a program on a batch of inputs.

    Args:
        program: The program.
        memories: Integers (B, M) in 0..M-1; left as they are.
        max_steps: T, one for all or one a row.
        memory_sizes: M of every row, (B,), where they differ.

    Raises:
        ValueError: Wrong shape or type, or a value outside 0..M-1.
    """
    machine = BatchMachine(program, memories, memory_sizes)
    limits = np.broadcast_to(np.asarray(max_steps, dtype=np.int64), machine.steps.shape)
    while machine.advance(limits):
        pass
    return BatchRun(
        machine.memory,
        machine.registers.T.copy(),
        machine.steps,
        machine.state == HALTED,
        machine.state == UNSEEN,
    )


def checked_memories(
    memories: np.ndarray, memory_sizes: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A fresh (B, W) int64 copy and M of every row (B,), or a ValueError that names the first bad cell."""
    values = np.asarray(memories)
    if values.ndim != 2 or not np.issubdtype(values.dtype, np.integer):
        raise ValueError(
            f"memories must be integers of shape (B, M), got {values.dtype} of shape {values.shape}"
        )
    batch, width = values.shape
    sizes = np.full(batch, width) if memory_sizes is None else np.asarray(memory_sizes, dtype=np.int64)
    if sizes.shape != (batch,) or not ((sizes > 0) & (sizes <= width)).all():
        raise ValueError(f"memory_sizes must be {batch} integers in 1..{width}, got {sizes.tolist()}")
    wrong = np.argwhere((values < 0) | (values >= sizes[:, None]))
    if len(wrong):
        row, cell = wrong[0]
        raise ValueError(
            f"cell {cell} of example {row} holds {values[row, cell]}, which is not in "
            f"0..{sizes[row] - 1} (M = {sizes[row]})"
        )
    return np.array(values, dtype=np.int64, order="C"), sizes


def _is_tested(program: Program, register: int) -> bool:
    return any(edge.guard.mask >> register & 1 for edge in program.edges)
