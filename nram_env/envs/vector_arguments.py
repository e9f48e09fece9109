"""Arguments of the vector environment alone: what is accepted, and as what it is kept."""

from __future__ import annotations

from typing import Any

import torch
from gymnasium.vector import AutoresetMode

from nram_env.checks import shown
from nram_env.support import unknown_name

_DTYPES = {"float32": torch.float32, "float64": torch.float64}
_MODES = {mode.name.lower(): mode for mode in AutoresetMode}


def dtype_of(dtype: Any) -> torch.dtype:
    """Torch's type of a name or of itself.

    Raises:
        ValueError: Neither float32 nor float64.
    """
    for name, known in _DTYPES.items():
        if dtype is known or (isinstance(dtype, str) and dtype == name):
            return known
    raise unknown_name("dtype", dtype, _DTYPES)


def device_of(device: Any) -> torch.device:
    """Torch's device of a name or of itself, with its index.

    Raises:
        ValueError: There is no such device, or none that holds numbers.
    """
    try:
        place = torch.zeros(1, dtype=torch.float32, device=torch.device(device))
        place.item()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError, ValueError) as error:
        reason = shown(str(error).partition("\n")[0])
        raise ValueError(f"device {shown(device)} cannot be used here: {reason}") from None
    return place.device


def autoreset_mode_of(mode: Any, differentiable: bool) -> AutoresetMode:
    """Gymnasium's mode of its name, its value or itself; None is the default of the handle.

    Raises:
        ValueError: There is no such mode, or the differentiable handle has only "disabled".
    """
    if mode is None:
        return AutoresetMode.DISABLED if differentiable else AutoresetMode.NEXT_STEP
    for name, known in _MODES.items():
        if mode is known or (isinstance(mode, str) and mode in (name, known.value)):
            break
    else:
        raise unknown_name("autoreset_mode", mode, _MODES)
    if differentiable and known is not AutoresetMode.DISABLED:
        raise ValueError(
            f'autoreset_mode must be "disabled" if differentiable, got {shown(mode)}: the loss reads the '
            "final state of every row, and a reset would cut its graph"
        )
    return known
