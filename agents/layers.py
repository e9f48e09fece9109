"""Stacked affine layers, and a gradient of their parameters that is summed in place.

Left to itself, autograd makes the gradient of all weights anew at each use of a layer and adds them up:
over the timesteps of a run that costs more than the products do. Here each use adds its own product to
one common sum, which autograd receives once all of them are in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


class StackedLayers:
    """P stacks of affine layers whose parameters are the rows of one tensor.

    A layer is a block of rows + 1 by columns numbers, the last row of it the bias.

    Args:
        parameters: (P, N).
        shapes: Rows and columns of every layer's weights, in the order in which they are stored.

    Example:
        >>> layers = StackedLayers(torch.arange(3.0).view(1, 3), {"only": (2, 1)})
        >>> layers("only", torch.tensor([[[10.0, 20.0]]])).tolist()
        [[[22.0]]]
    """

    def __init__(self, parameters: Tensor, shapes: Mapping[str, tuple[int, int]]) -> None:
        extended = {name: (rows + 1, columns) for name, (rows, columns) in shapes.items()}
        self._blocks = _blocks(parameters.detach(), extended)
        self._sum = _GradientSum(self._blocks)
        with torch.enable_grad():  # the graph starts here, wherever the layers are used first
            self._anchor: Tensor = _Anchor.apply(parameters, self._sum)

    def __call__(self, name: str, *inputs: Tensor) -> Tensor:
        """Apply a layer to its inputs, (P, B, some of the rows) each, side by side: (P, B, columns)."""
        return _Affine.apply(self._anchor, self._blocks[name], self._sum, name, *inputs)


def _blocks(parameters: Tensor, shapes: Mapping[str, tuple[int, int]]) -> dict[str, Tensor]:
    parts = parameters.split([rows * columns for rows, columns in shapes.values()], dim=1)
    named = zip(shapes.items(), parts, strict=True)
    return {name: part.unflatten(1, shape) for (name, shape), part in named}


class _GradientSum:
    """The gradient of all parameters, while a backward pass is under way."""

    def __init__(self, blocks: Mapping[str, Tensor]) -> None:
        self._like = blocks
        self._sums: dict[str, Tensor] = {}

    def add(self, name: str, inputs: Tensor, gradient: Tensor) -> None:
        """Add what one use of a layer contributes."""
        if not self._sums:  # tensors of their own: the product is slow on parts of a larger one
            self._sums = {name: block.new_zeros(block.shape) for name, block in self._like.items()}
        self._sums[name].baddbmm_(inputs.transpose(1, 2), gradient)

    def take(self) -> Tensor | None:
        """The sum (P, N), which is then empty again; None if nothing was added."""
        blocks, self._sums = self._sums, {}
        return torch.cat([block.flatten(1) for block in blocks.values()], dim=1) if blocks else None


class _Anchor(torch.autograd.Function):
    """What every use of a layer depends on, so that its backward pass comes after all of theirs."""

    @staticmethod
    def forward(ctx: Any, parameters: Tensor, total: _GradientSum) -> Tensor:
        ctx.total = total
        return parameters.new_empty(0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, _: Tensor) -> tuple[Tensor | None, None]:
        return ctx.total.take(), None


class _Affine(torch.autograd.Function):
    """Inputs side by side, and a 1 for the bias, times the block of a layer."""

    @staticmethod
    def forward(
        ctx: Any, anchor: Tensor, block: Tensor, total: _GradientSum, name: str, *inputs: Tensor
    ) -> Tensor:
        extended = torch.cat([*inputs, inputs[0].new_ones(*inputs[0].shape[:2], 1)], dim=-1)
        ctx.total, ctx.name, ctx.sizes = total, name, [part.shape[-1] for part in inputs]
        ctx.save_for_backward(extended, block)
        return torch.bmm(extended, block)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        extended, block = ctx.saved_tensors
        if ctx.needs_input_grad[0]:
            ctx.total.add(ctx.name, extended, gradient)
        of_inputs = torch.bmm(gradient, block[:, :-1].transpose(1, 2))
        return None, None, None, None, *of_inputs.split(ctx.sizes, dim=-1)
