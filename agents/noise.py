"""Random numbers: from a generator, and gradient noise as a function of its place.

That noise needs no state, so that a resumed run has the same. The number at column i of row p is made of two
words that Threefry-2x32 (Salmon et al., 2011) gives for the counter (i mod h, p), where h is half the number
of columns, rounded up. Box and Muller turn them into two numbers: the cosine's for column i < h, the sine's
for column i + h. The library computes the same.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

Key = tuple[int, int]
"""Two words of 32 bits, unsigned."""

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_WORD = 0xFFFFFFFF


def gaussian(key: Key, rows: int, columns: int, device: torch.device | str = "cpu") -> Tensor:
    """Standard normal noise (rows, columns), float32, on a device.

    Example:
        >>> gaussian((1, 2), 2, 5)[0].equal(gaussian((1, 2), 1, 5)[0])
        True
    """
    half = (columns + 1) // 2
    place, row = (torch.arange(count, dtype=torch.int64, device=device) for count in (half, rows))
    first, second = threefry(key, place.expand(rows, half), row[:, None].expand(rows, half))
    radius = (-2 * (((first >> 8) + 1).float() * 2**-24).log()).sqrt()
    signed = torch.where(second > _WORD // 2, second - _WORD - 1, second)
    turn = signed.float() * 2**-33
    cosine = torch.sin(2 * math.pi * (0.25 - turn.abs())) * (1 - 2 * (second & 1))
    return torch.cat([radius * cosine, radius * torch.sin(2 * math.pi * turn)], dim=1)[:, :columns]


def uniform(generator: torch.Generator, *shape: int) -> Tensor:
    """Numbers of 0..1 from a generator, float32 on its device."""
    return torch.rand(shape, generator=generator, dtype=torch.float32, device=generator.device)


def normal(generator: torch.Generator, *shape: int) -> Tensor:
    """Standard normal numbers from a generator, float32 on its device."""
    return torch.randn(shape, generator=generator, dtype=torch.float32, device=generator.device)


def threefry(key: Key, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Threefry-2x32 with 20 rounds on counters of two words each (int64 tensors of 32 bits)."""
    keys = (*key, key[0] ^ key[1] ^ 0x1BD11BDA)
    first, second = (first + keys[0]) & _WORD, (second + keys[1]) & _WORD
    for group in range(5):
        for bits in _ROTATIONS[group % 2]:
            first = (first + second) & _WORD
            second = ((second << bits) | (second >> (32 - bits))) & _WORD ^ first
        first = (first + keys[(group + 1) % 3]) & _WORD
        second = (second + keys[(group + 2) % 3] + group + 1) & _WORD
    return first, second
