"""Registers that lean to one value after each timestep of training: ours, not the paper's.

What is blurred becomes p_i^2 / sum_j p_j^2. Where a register holds two values equally that changes nothing,
and so a machine can do two things at once, which none on integers can. With noise every probability is first
multiplied by a number drawn from (0, 1): now one of the two, now the other is left, near to what measuring
the register would leave. The noise is a function of an episode's chance, the timestep and the place, so that
every backend has the same.
"""

from __future__ import annotations

import torch
from torch import Tensor

_WORD = 0xFFFFFFFF
_TIMESTEP, _PLACE = 0x85EBCA6B, 0x9E3779B9
"""Odd numbers that keep counters apart."""


def sharpened(registers: Tensor, weights: Tensor | None = None) -> Tensor:
    """Registers (B, R, M), squared and rescaled; with weights (B, R, M) multiplied by those before.

    Example:
        >>> sharpened(torch.tensor([[[0.5, 0.25, 0.25]]]))
        tensor([[[0.6667, 0.1667, 0.1667]]])
    """
    squares = (registers if weights is None else registers * weights).square()
    return squares / squares.sum(-1, keepdim=True)


def noise(chance: Tensor, elapsed: Tensor, num_registers: int, memory_size: int) -> Tensor:
    """Numbers in (0, 1), uniform, float64: (B, R, M); 1 in rows without chance.

    Args:
        chance: Words of 31 bits, int64, (B,); 0 for no noise.
        elapsed: Timesteps taken, int64, (B,).
        num_registers: R.
        memory_size: M.

    Example:
        >>> chance, elapsed = torch.tensor([3, 3]), torch.tensor([0, 1])
        >>> noise(chance, elapsed, 1, 3)
        tensor([[[0.4044, 0.4206, 0.2185]],
        <BLANKLINE>
                [[0.9214, 0.4376, 0.8548]]], dtype=torch.float64)
    """
    moment = _mixed((chance + elapsed * _TIMESTEP) & _WORD)
    place = torch.arange(num_registers * memory_size, dtype=torch.int64, device=chance.device)
    words = _mixed((moment[:, None] + place * _PLACE) & _WORD)
    drawn = ((words >> 9) + 0.5).double().mul(2.0**-23).where(chance[:, None] != 0, 1.0)
    return drawn.unflatten(1, (num_registers, memory_size))


def _mixed(words: Tensor) -> Tensor:
    """Every bit of a word of 32 in every bit of another: lowbias32 of Wellons' hash-prospector (2018)."""
    words = ((words ^ (words >> 16)) * 0x7FEB352D) & _WORD
    words = ((words ^ (words >> 15)) * 0x846CA68B) & _WORD
    return words ^ (words >> 16)
