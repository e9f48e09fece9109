"""Ways to compute a timestep. All have the signature `base.Backend` and are tested equal to the reference."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nram_env.machine.backends import compiled, fused, reference
from nram_env.machine.backends.base import Backend, Runs, Wanted
from nram_env.machine.backends.cuda import timestep
from nram_env.machine.config import MachineConfig
from nram_env.machine.state import MachineState
from nram_env.support import unknown_name, warn_once

BACKEND_NAMES = ("auto", "reference", "fused", "compiled", "cuda")
"""What the argument `backend` accepts; "auto" is the first that can run: on a GPU of cuda, compiled and
reference, elsewhere of fused and reference."""

_Take = Callable[[MachineConfig, MachineState, Tensor, Wanted | None, Runs | None], Backend | str]

_TAKE: dict[str, _Take] = {
    "reference": lambda *given: reference.run,
    "fused": fused.take,
    "compiled": lambda config, state, logits, wanted, runs: compiled.obstacle(logits) or compiled.run,
    "cuda": timestep.take,
}
"""A backend for these tensors and no others, or why it cannot run on them."""

_AUTO = {False: ("fused", "reference"), True: ("cuda", "compiled", "reference")}
"""What is tried, by whether the tensors are on a GPU; all take the last."""


def choose_backend(
    name: str,
    config: MachineConfig,
    state: MachineState,
    logits: Tensor,
    wanted: Wanted | None = None,
    runs: Runs | None = None,
) -> Backend:
    """Look up the backend of a timestep of these tensors, and of no others.

    Where "auto" does not find the fastest on a GPU it logs the reason, each once.

    Raises:
        ValueError: The name is unknown, and the message offers the nearest; or the backend was asked for by
            its name and cannot run on the tensors.
    """
    if name not in BACKEND_NAMES:
        raise unknown_name("backend", name, BACKEND_NAMES)
    on_gpu = logits.device.type == "cuda"
    for candidate in _AUTO[on_gpu] if name == "auto" else (name,):
        found = _TAKE[candidate](config, state, logits, wanted, runs)
        if not isinstance(found, str):
            return found
        reason = f"the {candidate} backend cannot run: {found}"
        if name != "auto":
            raise ValueError(f"{reason}; backend='reference' can")
        if on_gpu and not torch.compiler.is_compiling():
            warn_once(f"{reason}; a slower one does")
    raise AssertionError("the reference runs on all tensors")
