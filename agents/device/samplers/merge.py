"""Merge: two sorted arrays and room for both."""

from __future__ import annotations

import torch
from torch import Tensor, where

from agents.device.samplers.drawing import DeviceBatch, Request


def merge(request: Request) -> DeviceBatch:
    """Draw where the first array ends, then the values."""
    n, first = request.n, 1 + request.below(request.n - 1)
    apart = (request.columns >= first) * request.memory_size
    values = (_values(request) + apart).sort(1).values - apart
    return _laid_out(request, values, first, torch.cat([torch.full_like(n, 3), first + 4, n + 5], 1))


def easy_merge(request: Request) -> DeviceBatch:
    """Draw arrays of which one, either, lies wholly below the other; they and the answer lie anywhere."""
    n, lower = request.n, 1 + request.below(request.n - 1)
    swapped = request.coins(1)
    first = where(swapped, n - lower, lower)
    places = (request.columns + swapped * lower) % n
    starts = _scattered(request, torch.cat([first + 1, n - first + 1, n], 1))
    return _laid_out(request, _values(request).sort(1).values.gather(1, places), first, starts)


def _values(request: Request) -> Tensor:
    """n values of 0..M-2 a row, (N, K); behind them stands what sorts last."""
    drawn = request.values(0, request.memory_size - 1, request.largest)
    return drawn.masked_fill_(~request.inside, 2 * request.memory_size)


def _scattered(request: Request, lengths: Tensor) -> Tensor:
    """Where the pieces of every row, (N, 3) lengths, begin: in any order behind the pointers, with gaps."""
    order = request.uniform(3).argsort(1)
    spare = request.memory_size - 3 - lengths.sum(1, keepdim=True)
    gaps = request.below(spare + 1, 3).sort(1).values
    ordered = lengths.gather(1, order)
    return torch.empty_like(lengths).scatter_(1, order, 3 + gaps + ordered.cumsum(1) - ordered)


def _laid_out(request: Request, values: Tensor, first: Tensor, starts: Tensor) -> DeviceBatch:
    """The examples whose first arrays are the `first` (N, 1) of the n values (N, K); (N, 3) a, b and o."""
    n, (a, b, o) = request.n, starts.split(1, 1)
    end_a, end_b = a + first, b + n - first
    in_b = request.span(b, end_b)
    in_arrays = request.span(a, end_a) | in_b
    memory = request.spread(values, where(in_b, b - first, a)) * in_arrays
    memory[:, :3] = starts
    memory.scatter_(1, torch.cat([end_a, end_b], 1), request.memory_size - 1)
    ordered = values.masked_fill(~request.inside, request.memory_size).sort(1).values
    mask = request.span(o, o + n)
    return request.batch(memory, where(mask, request.spread(ordered, o), memory), mask)
