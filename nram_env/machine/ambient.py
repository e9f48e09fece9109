"""Modes in which a caller may have put torch, and which must not change what is computed here.

The other half of that is to name dtype and device wherever a tensor is made, which
tests/test_ambient_state.py demands.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor


def full_precision(like: Tensor) -> AbstractContextManager[None]:
    """Switch autocast off on the device of a tensor: products have the type of their factors.

    Example:
        >>> one = torch.ones(1, 1)
        >>> with torch.autocast("cpu", torch.bfloat16), full_precision(one):
        ...     (one @ one).dtype
        torch.float32
    """
    kind = like.device.type
    return torch.autocast(kind, enabled=False) if torch.is_autocast_enabled(kind) else nullcontext()


@contextmanager
def training() -> Iterator[None]:
    """Let graphs be built, in full precision, of tensors that serve everywhere."""
    with torch.inference_mode(False), torch.enable_grad(), torch.autocast("cpu", enabled=False):
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute in this thread alone.

    Its other threads are no help with small tensors, and are missing in a process that was forked where they
    had been used: there torch would wait for them for ever.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
