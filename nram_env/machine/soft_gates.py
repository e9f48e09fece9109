"""The fourteen gates lifted to distributions (paper, Section 3.2 and Appendix A).

P(out = c) is the sum over a, b with gate(a, b) = c of P(A = a) P(B = b). Each form below is that sum
in an order that costs O(M), or O(M^2) for ADD, SUB and the memory; none rounds by subtraction, so no
probability ever becomes negative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from nram_env.machine.gates import Gate


def soft_gate(gate: Gate, arguments: Sequence[Tensor], memory: Tensor) -> tuple[Tensor, Tensor]:
    """Run one gate on distributions.

    Args:
        gate: Which gate.
        arguments: `gate.arity` distributions, each (B, M).
        memory: (B, M, M).

    Returns:
        The gate's output (B, M) and the memory after it, which differs for WRITE only.
    """
    if gate is Gate.READ:
        return read(memory, *arguments), memory
    if gate is Gate.WRITE:
        return arguments[1], write(memory, *arguments)
    return _SOFT[gate](memory[:, 0], *arguments), memory


def read(memory: Tensor, pointer: Tensor) -> Tensor:
    """Expected content: memory-transpose times pointer, (B, M)."""
    return torch.bmm(pointer[:, None], memory)[:, 0]


def write(memory: Tensor, pointer: Tensor, value: Tensor) -> Tensor:
    """Row x of the new memory is (1 - p[x]) * row x + p[x] * value."""
    weight = pointer[:, :, None]
    return (1 - weight) * memory + weight * value[:, None]


def _constant(value: int) -> Callable[[Tensor], Tensor]:
    def gate(like: Tensor) -> Tensor:
        output = torch.zeros_like(like)
        output[:, value % like.shape[-1]] = 1
        return output

    return gate


def _subtract(_: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """P(out = c) = sum over b of P(A = c + b) P(B = b): one window of the doubled A for each c."""
    size = a.shape[-1]
    windows = torch.cat([a, a[:, :-1]], dim=-1).unfold(-1, size, 1)
    return torch.bmm(windows, b[:, :, None])[..., 0]


def _add(like: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return _subtract(like, a, b.flip(-1).roll(1, -1))


def _truth(holds: Tensor, fails: Tensor) -> Tensor:
    """Distribution of a comparison from P(true) and P(false), each given by its terms (B, M)."""
    output = torch.stack([fails.sum(-1), holds.sum(-1)], dim=-1)
    return torch.nn.functional.pad(output, (0, holds.shape[-1] - 2))


def _at_most(a: Tensor) -> Tensor:
    return a.cumsum(-1)


def _at_least(a: Tensor) -> Tensor:
    return a.flip(-1).cumsum(-1).flip(-1)


def _below(a: Tensor) -> Tensor:
    return torch.nn.functional.pad(a.cumsum(-1)[:, :-1], (1, 0))


def _above(a: Tensor) -> Tensor:
    return torch.nn.functional.pad(_at_least(a)[:, 1:], (0, 1))


_SOFT: dict[Gate, Callable[..., Tensor]] = {
    Gate.ZERO: _constant(0),
    Gate.ONE: _constant(1),
    Gate.TWO: _constant(2),
    Gate.INC: lambda _, a: a.roll(1, -1),
    Gate.ADD: _add,
    Gate.SUB: _subtract,
    Gate.DEC: lambda _, a: a.roll(-1, -1),
    Gate.LESS_THAN: lambda _, a, b: _truth(_below(a) * b, _at_least(a) * b),
    Gate.LESS_OR_EQUAL_THAN: lambda _, a, b: _truth(_at_most(a) * b, _above(a) * b),
    Gate.EQUALITY_TEST: lambda _, a, b: _truth(a * b, (_below(a) + _above(a)) * b),
    Gate.MIN: lambda _, a, b: a * _at_least(b) + _above(a) * b,
    Gate.MAX: lambda _, a, b: a * _at_most(b) + _below(a) * b,
}
