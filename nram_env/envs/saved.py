"""A state that an environment is asked to return to, checked before it does."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nram_env.checks import shown
from nram_env.envs.episode import EpisodeState

_SHAPES = {
    "registers": "BRM",
    "memory": "BMM",
    "survival": "B",
    "memory_values": "BM",
    "target": "BM",
    "mask": "BM",
    "difficulty": "B",
    "horizon": "B",
    "elapsed": "B",
    "finished": "B",
    "observed": "BR",
    "output": "BMM",
    "credit": "BM",
    "chance": "B",
}
_INTEGERS = ("memory_values", "target", "difficulty", "horizon", "elapsed", "chance")
_BOOLEANS = ("mask", "finished")


def check_state(
    state: Any, task: str, rows: int, registers: int, dtype: torch.dtype, device: torch.device
) -> None:
    """Accept what the property `state` of an environment with these settings gave.

    Args:
        state: What was passed.
        task: Name of the task.
        rows: B.
        registers: R.
        dtype: Type of the distributions.
        device: Where they live.

    Raises:
        ValueError: Something else; the message names what differs.
    """
    if not isinstance(state, EpisodeState):
        raise ValueError(f"expected what the property `state` gave, got {type(state).__name__}")
    for name in _SHAPES:
        if not isinstance(getattr(state, name), Tensor):
            raise ValueError(f"expected a state of tensors, got {name} = {shown(getattr(state, name))}")
    if state.registers.shape[:2] != (rows, registers):
        found = tuple(state.registers.shape[:2])
        raise ValueError(f"expected a state of (rows, registers) = {(rows, registers)}, got {found}")
    if state.task not in (None, task):
        raise ValueError(f"expected a state of task {task}, got one of task {shown(state.task)}")
    sizes = {"B": rows, "R": registers, "M": state.registers.shape[-1]}
    for name, letters in _SHAPES.items():
        kind = torch.int64 if name in _INTEGERS else torch.bool if name in _BOOLEANS else dtype
        wanted = (kind, tuple(sizes[letter] for letter in letters), device)
        tensor = getattr(state, name)
        found_here = (tensor.dtype, tuple(tensor.shape), tensor.device)
        if found_here != wanted:
            raise ValueError(f"expected a state of {name} {_words(*wanted)}, got {_words(*found_here)}")


def _words(dtype: torch.dtype, shape: tuple[int, ...], device: torch.device) -> str:
    return f"{dtype} {shape} on {device}"
