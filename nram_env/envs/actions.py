"""Checking of actions. A bad one is rejected before anything changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from nram_env.checks import shown
from nram_env.machine.backends.record import under_transform

LARGEST_LOGIT = 1e30
"""Differences and products of larger ones overflow float32; softmax tells nothing apart up there anyway."""
DIFFERENTIABLE_HANDLE = "gym.make_vec(id, num_envs=..., differentiable=True)"


def to_array(name: str, value: Any) -> np.ndarray:
    """Turn what was passed into an array.

    Raises:
        ValueError: A tensor, or something without one shape.
    """
    if isinstance(value, Tensor):
        graph = "carries a gradient" if value.requires_grad else "is a tensor"
        raise ValueError(
            f"the {name} {graph}, but this environment is numpy in, numpy out and keeps no graph; "
            f"for gradients use {DIFFERENTIABLE_HANDLE}"
        )
    try:
        return np.asarray(value)
    except ValueError:
        raise ValueError(f"the {name} has no single shape, got {shown(value)}") from None


def check_array(action: Any, shape: tuple[int, ...], name: str = "action") -> np.ndarray:
    """Accept an action of a numpy environment, or a part of one.

    Args:
        action: What was passed to `step`.
        shape: What it must be: (D,), or (B, D).
        name: What it is called in an error.

    Returns:
        float32 array; what was passed, if it is one.

    Raises:
        ValueError: A tensor, another shape or type, NaN, or a value outside -1..1.
    """
    values = to_array(name, action)
    if values.shape != shape or values.dtype not in (np.float32, np.float64):
        raise ValueError(f"the {name} is a float32 array {shape}, got {values.dtype} {values.shape}")
    if not (values.min() >= -1 and values.max() <= 1):  # so it is with NaN too
        place = tuple(np.argwhere(~(np.abs(values) <= 1))[0].tolist())
        raise ValueError(f"the {name} lies in -1..1, got {values[place]} at {_at(place)}")
    return values.astype(np.float32, copy=False)


def check_tensor(actions: Any, like: Tensor, shape: tuple[int, int]) -> Tensor:
    """Accept the actions of the differentiable environment; `to_logits` looks at the numbers.

    Args:
        actions: What was passed to `step`.
        like: A tensor of the environment's type, on its device.
        shape: (B, D).

    Raises:
        ValueError: Not a tensor, or of another shape, type or device, or sparse.
    """
    if not isinstance(actions, Tensor):
        raise ValueError(f"the differentiable environment takes a torch tensor, got {type(actions).__name__}")
    refuse_transform(actions)
    if actions.layout is not torch.strided:
        raise ValueError(f"actions must be a dense tensor, got one of layout {actions.layout}")
    if tuple(actions.shape) != shape or actions.dtype != like.dtype or actions.device != like.device:
        raise ValueError(
            f"actions must be {like.dtype} of shape {shape} on {like.device}, "
            f"got {actions.dtype} of shape {tuple(actions.shape)} on {actions.device}"
        )
    return actions


def refuse_transform(tensor: Tensor) -> None:
    """Refuse to keep a tensor that is there only as long as a function is being transformed.

    Raises:
        ValueError: It is such a tensor.
    """
    if under_transform(tensor):
        raise ValueError(
            "torch.func cannot look through an environment, which keeps a state from step to step; "
            "apply it to nram_env.machine.timestep"
        )


def to_logits(actions: Tensor, scale: float) -> Tensor:
    """logits = scale * actions, with graph.

    Raises:
        ValueError: A logit is not finite or beyond +-`LARGEST_LOGIT`; the message names the action.
    """
    logits = actions if scale == 1 else actions * scale
    flat = logits.detach().flatten()
    if not torch.dot(flat, flat).item() <= LARGEST_LOGIT:  # far cheaper than looking at every number
        _reject_large(actions, logits, scale)
    return logits


def _reject_large(actions: Tensor, logits: Tensor, scale: float) -> None:
    places = (~(logits.detach().abs() <= LARGEST_LOGIT)).nonzero().tolist()
    if places:
        value = f"{scale:g} * {actions[tuple(places[0])].item()}"
        limits = f"-{LARGEST_LOGIT:g}..{LARGEST_LOGIT:g}"
        raise ValueError(f"logit_scale * action must lie in {limits}, got {value} at {_at(tuple(places[0]))}")


def _at(place: tuple[int, ...]) -> str:
    return f"position {place[-1]}" + (f" of row {place[0]}" if len(place) == 2 else "")
