"""The tasks on arrays: Access, Increment, Copy, Reverse, Swap and Permutation."""

from __future__ import annotations

from torch import Tensor, where

from agents.device.samplers.drawing import DeviceBatch, Request


def access(request: Request) -> DeviceBatch:
    """Draw the elements, then the pointer."""
    memory = request.memories(1) * request.span(1, request.n + 1)
    memory[:, :1] = 1 + request.below(request.n)
    target = memory.clone()
    target[:, :1] = memory.gather(1, memory[:, :1])
    return request.batch(memory, target, request.cells == 0)


def increment(request: Request) -> DeviceBatch:
    """Draw the elements."""
    inside = request.span(0, request.n)
    memory = request.memories(1) * inside
    return request.batch(memory, (memory + inside) % request.memory_size, inside)


def copy(request: Request) -> DeviceBatch:
    """Draw the elements; the copy is in their order."""
    return _copied(request, request.cells - request.n)


def reverse(request: Request) -> DeviceBatch:
    """Draw the elements; the copy is in the opposite order."""
    return _copied(request, 2 * request.n + 1 - request.cells)


def _copied(request: Request, source: Tensor) -> DeviceBatch:
    """Arrays with room behind them, each cell of which wants the value of its `source` (N, M)."""
    n = request.n
    memory = request.memories() * request.span(1, n + 1)
    memory[:, :1] = n + 1
    mask = request.span(n + 1, 2 * n + 1)
    return request.batch(memory, memory.gather(1, where(mask, source, request.cells)), mask)


def swap(request: Request) -> DeviceBatch:
    """Draw the elements, the last one not 0, then both pointers."""
    n = request.n
    inside = request.span(2, n + 2)
    memory = request.memories() * inside
    memory.scatter_(1, n + 1, request.values(1, request.memory_size, 1))
    pointers = 2 + request.below(n, 2)
    memory[:, :2] = pointers
    target = memory.scatter(1, pointers, memory.gather(1, pointers.flip(1)))
    return request.batch(memory, target, inside)


def permutation(request: Request) -> DeviceBatch:
    """Draw the elements, then the permutation."""
    return _permuted(request, request.orders(request.n, request.largest))


def easy_permutation(request: Request) -> DeviceBatch:
    """Draw the elements; the permutation moves nothing."""
    return _permuted(request, request.columns.expand(len(request.difficulty), -1))


def _permuted(request: Request, order: Tensor) -> DeviceBatch:
    """Permutations, the first n columns of `order` (N, K), before random elements."""
    n = request.n
    elements = request.memories() * request.span(n + 1, 2 * n + 1)
    mask = request.span(1, n + 1)
    memory = where(mask, request.spread(order, 1), elements)
    memory[:, :1] = n + 1
    source = where(mask, n + 1 + memory, request.cells)
    return request.batch(memory, memory.gather(1, source), mask)
