"""Ways to compute a timestep. All have the signature `base.Backend` and are tested equal to the reference."""

from __future__ import annotations

from torch import Tensor

from nram_env.machine.backends import compiled, fused, reference
from nram_env.machine.backends.base import Backend, Runs, Wanted
from nram_env.machine.state import MachineState
from nram_env.support import unknown_name

_BACKENDS: dict[str, Backend] = {"reference": reference.run, "fused": fused.run, "compiled": compiled.run}

BACKEND_NAMES = ("auto", *_BACKENDS)
"""What the argument `backend` accepts; "auto" is the compiled backend on a GPU, elsewhere the fused one
where it runs, else the reference."""


def choose_backend(
    name: str, state: MachineState, logits: Tensor, wanted: Wanted | None = None, runs: Runs | None = None
) -> Backend:
    """Look up the backend of a timestep with these tensors.

    Raises:
        ValueError: The name is unknown, and the message offers the nearest; or the fused backend was asked
            for and cannot run on the tensors.
    """
    if name not in BACKEND_NAMES:
        raise unknown_name("backend", name, BACKEND_NAMES)
    if name == "auto" and logits.device.type == "cuda":
        return compiled.run
    if name not in ("auto", "fused"):
        return _BACKENDS[name]
    reason = fused.obstacle(state, logits, wanted, runs)
    if reason is not None and name == "fused":
        raise ValueError(f"the fused backend cannot run: {reason}; backend='reference' can")
    return fused.run if reason is None else reference.run
