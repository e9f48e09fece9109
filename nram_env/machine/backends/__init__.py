"""Ways to compute a timestep. All have the signature `base.Backend` and are tested equal to the reference."""

from __future__ import annotations

from functools import partial

from torch import Tensor

from nram_env.machine.backends import compiled, fused, reference
from nram_env.machine.backends.base import Backend, Runs, Wanted
from nram_env.machine.config import MachineConfig
from nram_env.machine.state import MachineState
from nram_env.support import unknown_name

BACKEND_NAMES = ("auto", "reference", "fused", "compiled")
"""What the argument `backend` accepts; "auto" is the compiled backend on a GPU, elsewhere the fused one
where it runs, else the reference."""


def choose_backend(
    name: str,
    config: MachineConfig,
    state: MachineState,
    logits: Tensor,
    wanted: Wanted | None = None,
    runs: Runs | None = None,
) -> Backend:
    """Look up the backend of a timestep of these tensors, and of no others.

    Raises:
        ValueError: The name is unknown, and the message offers the nearest; or the fused backend was asked
            for and cannot run on the tensors.
    """
    if name not in BACKEND_NAMES:
        raise unknown_name("backend", name, BACKEND_NAMES)
    if name == "compiled" or (name == "auto" and logits.device.type == "cuda"):
        return compiled.run
    if name == "reference":
        return reference.run
    given = fused.take(config, state, logits, wanted, runs)
    if not isinstance(given, str):
        return partial(fused.run, given)
    if name == "fused":
        raise ValueError(f"the fused backend cannot run: {given}; backend='reference' can")
    return reference.run
