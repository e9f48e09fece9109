"""The step of a population on a card, in one kernel (optimiser.cu): `agents.optimiser` says what it does."""

from __future__ import annotations

from collections.abc import Mapping
from ctypes import c_double, c_float, c_longlong, c_uint
from pathlib import Path
from typing import ClassVar

from torch import Tensor

from agents.noise import Key
from nram_env.machine.backends.cuda import kernels
from nram_env.machine.backends.record import BOOLEAN, FLOAT, Array, Record, addresses
from nram_env.support import warn_once

SOURCE = Path(__file__).with_name("optimiser.cu")

_THREADS, _DOUBLE = 256, 8


class Update(Record):
    """As in the source."""

    arrays: ClassVar = {
        "gradient": Array(FLOAT, "PN"),
        "parameters": Array(FLOAT, "PN"),
        "momentum": Array(FLOAT, "PN"),
        "variance": Array(FLOAT, "PN"),
        "rate": Array(FLOAT, "P"),
        "epsilon": Array(FLOAT, "P"),
        "deviation": Array(FLOAT, "P"),
        "finite": Array(BOOLEAN, "P"),
    }
    _fields_ = (
        *addresses(arrays),
        ("size", c_longlong),
        ("clip", c_double),
        ("key", c_uint * 2),
        ("momentum_rest", c_float),
        ("decay", c_float),
        ("decay_rest", c_float),
    )


def obstacle(arrays: Mapping[str, Tensor]) -> str | None:
    """Say why the kernel cannot work on these arrays, named as in `Update`, or None if it can."""
    device = arrays["parameters"].device
    return Update.obstacle(_sizes(arrays), arrays, device) or kernels.obstacle(device)


def serves(arrays: Mapping[str, Tensor]) -> bool:
    """Whether the kernel updates members, rather than torch; if not on a card, the log says once why."""
    reason = obstacle(arrays)
    if reason is not None and arrays["parameters"].is_cuda:
        warn_once(f"the kernel of the optimiser cannot run, slower torch runs instead: {reason}")
    return reason is None


def update(arrays: Mapping[str, Tensor], clip: float, key: Key, betas: tuple[float, float]) -> Tensor:
    """Update all members in place.

    Args:
        arrays: Those of `Update` but the last, on one card.
        clip: Each member's gradient is rescaled to an L2 norm of at most this, before the noise.
        key: Of the noise.
        betas: Adam's.

    Returns:
        (P,) booleans on the card: members whose gradient and new parameters are finite.

    Raises:
        ValueError: An array does not fit.
    """
    device, sizes, (first, second) = arrays["parameters"].device, _sizes(arrays), betas
    room = Update.room(sizes, ["finite"], device)
    record = Update(
        size=sizes["N"], clip=clip, key=key, momentum_rest=1 - first, decay=second, decay_rest=1 - second
    ).point(sizes, {**arrays, **room}, device)
    if sizes["P"]:
        built = kernels.build(SOURCE, {}, device)
        built.launch("update", sizes["P"], _THREADS, _THREADS * _DOUBLE, record)
    return room["finite"]


def _sizes(arrays: Mapping[str, Tensor]) -> dict[str, int]:
    members, size = arrays["parameters"].shape
    return {"P": members, "N": size}
