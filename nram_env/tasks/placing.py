"""Placing nodes in memory: at random for samplers, in every way for enumerators."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, permutations

import numpy as np


def random_ranks(rng: np.random.Generator, counts: np.ndarray, columns: int) -> np.ndarray:
    """A random order of 0..counts[b]-1 at the front of every row.

    Args:
        rng: Source of randomness.
        counts: (B,), or (B, 1), each at most `columns`.
        columns: Width of the result.

    Returns:
        (B, columns) int64; entries behind the first counts[b] are the rest of 0..columns-1.
    """
    keys = rng.random((len(counts), columns))
    keys[np.arange(columns) >= counts.reshape(-1, 1)] = 2.0
    return keys.argsort(axis=1)


def random_places(
    rng: np.random.Generator, counts: np.ndarray, width: int, first: np.ndarray, memory_size: int
) -> np.ndarray:
    """Starts of disjoint blocks, every placement and order equally likely.

    Choosing places for n blocks of `width` cells in L cells is choosing n of L - n (width - 1) cells and
    then widening each.

    Args:
        rng: Source of randomness.
        counts: (B,); number of blocks of every row.
        width: Cells of a block.
        first: (B,); first cell that a block may use.
        memory_size: M; blocks end before it.

    Returns:
        (B, largest count) int64; entries behind the first counts[b] mean nothing.
    """
    largest = int(counts.max())
    free = memory_size - first - counts * (width - 1)
    chosen = random_ranks(rng, free, int(free.max()))[:, :largest]
    chosen = np.where(np.arange(chosen.shape[1]) < counts[:, None], chosen, memory_size)
    order = chosen.argsort(axis=1).argsort(axis=1)
    return first[:, None] + chosen + order * (width - 1)


def all_places(count: int, width: int, first: int, memory_size: int) -> Iterator[tuple[int, ...]]:
    """Starts of `count` disjoint blocks in cells first..M-1, in every placement and order."""
    free = memory_size - first - count * (width - 1)
    for chosen in combinations(range(max(free, 0)), count):
        yield from permutations(first + cell + i * (width - 1) for i, cell in enumerate(chosen))
