"""Ways to compute a timestep. All have one signature and are tested equal to the reference.

A backend is a function (config, state, logits (B, K + 1), activation_clip) ->
(registers (B, R, M), memory (B, M, M), entropy of the selectors (B,)).
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from nram_env.machine.backends import reference
from nram_env.machine.config import MachineConfig
from nram_env.machine.state import MachineState
from nram_env.support import unknown_name

Backend = Callable[[MachineConfig, MachineState, Tensor, float | None], tuple[Tensor, Tensor, Tensor]]

_BACKENDS: dict[str, Backend] = {"reference": reference.run_logits}

BACKEND_NAMES = ("auto", *_BACKENDS)
"""What the argument `backend` accepts."""


def choose_backend(name: str, logits: Tensor) -> Backend:
    """Look a backend up.

    Raises:
        ValueError: The name is unknown; the message offers the nearest.
    """
    if name not in BACKEND_NAMES:
        raise unknown_name("backend", name, BACKEND_NAMES)
    return _BACKENDS["reference" if name == "auto" else name]
