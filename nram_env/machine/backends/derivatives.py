"""Native code has first derivatives, backward, and says so where others are asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import Tensor

_Gradients = tuple[Tensor | None, ...]

FIRST_ONLY = "native code has first derivatives, backward, and no others; backend='reference' has them"
"""What is said where a second derivative, or one in forward mode, is asked for."""


def first_only(backward: Callable[..., _Gradients]) -> Callable[..., _Gradients]:
    """Let the backward pass of an autograd function build no graph; a gradient of its results is an error.

    The inputs that may have a gradient must have been saved.
    """

    @wraps(backward)
    def wrapped(ctx: Any, *upstream: Tensor | None) -> _Gradients:
        with torch.no_grad():
            gradients = backward(ctx, *upstream)
        if not torch.is_grad_enabled():
            return gradients
        inputs = [tensor for tensor in (*ctx.saved_tensors, *upstream) if tensor is not None]
        return tuple(
            gradient if gradient is None else _Refusing.apply(gradient, *inputs) for gradient in gradients
        )

    return wrapped


def no_forward_mode(ctx: Any, *tangents: Any) -> Any:
    """The derivative in forward mode of an autograd function that has none."""
    raise RuntimeError(FIRST_ONLY)


class _Refusing(torch.autograd.Function):
    """A gradient as a function of what it was computed from, which has no gradient itself."""

    @staticmethod
    def forward(ctx: Any, gradient: Tensor, *inputs: Tensor) -> Tensor:
        return gradient.view_as(gradient)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        raise RuntimeError(FIRST_ONLY)
