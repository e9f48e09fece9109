"""The machine's state: an immutable record passed in and out of every function."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nram_env.machine.config import MachineConfig


@dataclass(frozen=True)
class MachineState:
    """Registers, memory and what is left of the run (paper, Sections 3.1 and 3.3).

    Attributes:
        registers: (B, R, M); row r is the distribution of the integer in register r.
        memory: (B, M, M); row a is the distribution of the integer in cell a.
        survival: (B,); probability that the run has not finished yet.
    """

    registers: Tensor
    memory: Tensor
    survival: Tensor

    @property
    def batch_size(self) -> int:
        """B, the number of independent machines."""
        return self.registers.shape[0]

    @property
    def memory_size(self) -> int:
        """M, the number of cells and of integers."""
        return self.memory.shape[-1]

    @property
    def zero_probs(self) -> Tensor:
        """P(r = 0) of every register, (B, R): all that a controller sees."""
        return self.registers[..., 0]

    def detach(self) -> MachineState:
        """The same numbers without the graph that made them."""
        return MachineState(self.registers.detach(), self.memory.detach(), self.survival.detach())

    def where(self, rows: Tensor, other: MachineState) -> MachineState:
        """Rows of this state where `rows` (B,) is true, of `other` elsewhere."""
        return MachineState(
            torch.where(rows[:, None, None], self.registers, other.registers),
            torch.where(rows[:, None, None], self.memory, other.memory),
            torch.where(rows, self.survival, other.survival),
        )

    def rescaled(self) -> MachineState:
        """The same state with every distribution divided by its sum; backward, that is the identity.

        Softmaxes sum to 1 only up to rounding, and a program that adds a register to itself squares its
        sum at every timestep: without this, a run of some thirty steps overflows (paper, Appendix B).
        """
        return replace(self, registers=_Rescale.apply(self.registers), memory=_Rescale.apply(self.memory))


class _Rescale(torch.autograd.Function):
    """Division by the sum along the last dimension, whose backward pass is the identity."""

    generate_vmap_rule = True

    @staticmethod
    def forward(values: Tensor) -> Tensor:
        return values / values.sum(-1, keepdim=True)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        pass

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient


def initial_state(
    config: MachineConfig,
    memory_values: Tensor | np.ndarray,
    *,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str | None = None,
) -> MachineState:
    """State before the first timestep: the given integers in memory, 0 in all registers.

    Args:
        config: The machine.
        memory_values: Integers (B, M), each in 0..M-1, M >= 2.
        dtype: Floating type of all distributions.
        device: Where the state lives; default: where `memory_values` is.

    Raises:
        ValueError: Wrong shape or type, or a value outside 0..M-1 (the message names the cell).

    Example:
        >>> import numpy as np
        >>> initial_state(MachineConfig(2), np.array([[3, 1, 0, 0]])).memory.argmax(-1).tolist()
        [[3, 1, 0, 0]]
    """
    if device is None:
        device = memory_values.device if isinstance(memory_values, Tensor) else "cpu"
    values = torch.as_tensor(memory_values, device=device)
    _check_memory_values(values)
    batch, size = values.shape
    with torch.inference_mode(False):  # gradients may be wanted of later timesteps
        registers = torch.zeros(batch, config.num_registers, size, dtype=dtype, device=values.device)
        registers[..., 0] = 1
        memory = registers.new_zeros(batch, size, size).scatter_(-1, values.long()[..., None], 1.0)
        return MachineState(registers, memory, torch.ones(batch, dtype=dtype, device=values.device))


def _check_memory_values(values: Tensor) -> None:
    if values.ndim != 2 or values.shape[0] < 1 or values.shape[1] < 2:
        raise ValueError(
            f"memory values must have shape (B, M) with B >= 1 and M >= 2, got {tuple(values.shape)}"
        )
    if values.is_floating_point() or values.is_complex() or values.dtype == torch.bool:
        raise ValueError(f"memory values must be integers, got {values.dtype}")
    wrong = ((values < 0) | (values >= values.shape[1])).nonzero()
    if len(wrong):
        row, cell = wrong[0].tolist()
        raise ValueError(
            f"cell {cell} of example {row} holds {values[row, cell].item()}, which is not in "
            f"0..{values.shape[1] - 1} (M = {values.shape[1]})"
        )
