"""What samplers share: the sizes and the chance of a batch, and how its parts come into memory.

Nothing here or in a sampler makes the host wait for the device: no shape depends on what was drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


@dataclass(frozen=True)
class DeviceBatch:
    """A batch of N examples that share one memory size M, as tensors of one device.

    Attributes:
        memory: (N, M) int64, each in 0..M-1; what memory holds before the first timestep.
        target: (N, M) int64; the wanted value of every output cell, the old value elsewhere.
        mask: (N, M) bool; true at the output cells.
        difficulty: (N,) int64; n of every row.
    """

    memory: Tensor
    target: Tensor
    mask: Tensor
    difficulty: Tensor


@dataclass(frozen=True)
class Request:
    """What is to be drawn, N examples, and from what.

    Attributes:
        chance: Generator of the device.
        difficulty: (N,) int64; n of every row.
        largest: K, known to the host; at least every n.
        memory_size: M, enough for K.
    """

    chance: torch.Generator
    difficulty: Tensor
    largest: int
    memory_size: int

    @property
    def n(self) -> Tensor:
        """The difficulties as a column, (N, 1)."""
        return self.difficulty[:, None]

    @cached_property
    def cells(self) -> Tensor:
        """The addresses, (M,)."""
        return self._count(self.memory_size)

    @cached_property
    def columns(self) -> Tensor:
        """0..K-1, (K,)."""
        return self._count(self.largest)

    @cached_property
    def inside(self) -> Tensor:
        """The first n of every row's K columns, (N, K) booleans."""
        return self.columns < self.n

    def span(self, low: Tensor | int, high: Tensor | int) -> Tensor:
        """The cells low..high-1 of every row, (N, M) booleans; bounds are columns (N, 1) or integers."""
        return (self.cells >= low) & (self.cells < high)

    def uniform(self, columns: int) -> Tensor:
        """Numbers of 0..1 without 1, (N, columns) float64: so fine that equal ones hardly ever occur."""
        return torch.rand(
            (len(self.difficulty), columns),
            generator=self.chance,
            dtype=torch.float64,
            device=self.difficulty.device,
        )

    def coins(self, columns: int) -> Tensor:
        """Even chances, (N, columns) booleans."""
        return self.uniform(columns) < 0.5

    def below(self, bound: Tensor, columns: int = 1) -> Tensor:
        """Integers of 0..bound-1, (N, columns), by every row's own bound (N, 1)."""
        return (self.uniform(columns) * bound).long()

    def values(self, low: int, high: int, columns: int) -> Tensor:
        """Integers of low..high-1, (N, columns)."""
        return torch.randint(
            low,
            high,
            (len(self.difficulty), columns),
            generator=self.chance,
            dtype=torch.int64,
            device=self.difficulty.device,
        )

    def memories(self, low: int = 0) -> Tensor:
        """Integers of low..M-1 in all cells, (N, M)."""
        return self.values(low, self.memory_size, self.memory_size)

    def orders(self, counts: Tensor, columns: int) -> Tensor:
        """A random order of 0..counts-1 (N, 1) at the front of every row (N, columns), then the rest."""
        keys = self.uniform(columns)
        return keys.masked_fill_(self._count(columns) >= counts, 2.0).argsort(1)

    def places(self, width: int, first: Tensor | int) -> Tensor:
        """Starts of n disjoint blocks, every placement and order equally likely.

        Choosing places for n blocks of `width` cells in L cells is choosing n of L - n (width - 1) cells and
        then widening each.

        Args:
            width: Cells of a block.
            first: (N, 1) or one for all; the first cell that a block may use.

        Returns:
            (N, K); columns behind the first n mean nothing.
        """
        free = self.memory_size - first - self.n * (width - 1)
        chosen = self.orders(free, self.memory_size)[:, : self.largest]
        taken = torch.zeros_like(self.cells).repeat(len(chosen), 1).scatter_(1, chosen, self.inside.long())
        before = taken.cumsum(1).gather(1, chosen) - 1
        return first + chosen + before * (width - 1)

    def spread(self, values: Tensor, start: Tensor | int) -> Tensor:
        """Rows of values (N, K) laid into memory from a cell on, (N, M); the cells outside mean nothing."""
        index = (self.cells - start).clamp(0, values.shape[1] - 1)
        return values.gather(1, index.expand(len(values), -1))

    def batch(self, memory: Tensor, target: Tensor, mask: Tensor) -> DeviceBatch:
        """The batch drawn; the mask may be (M,), the same for all rows."""
        return DeviceBatch(memory, target, mask.expand_as(memory).contiguous(), self.difficulty)

    def _count(self, columns: int) -> Tensor:
        return torch.arange(columns, dtype=torch.int64, device=self.difficulty.device)


Sampler = Callable[[Request], DeviceBatch]
