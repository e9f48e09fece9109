"""What every backend takes and gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from nram_env.machine.config import MachineConfig
from nram_env.machine.state import MachineState


@dataclass(frozen=True)
class Timestep:
    """What one timestep gives.

    Attributes:
        state: The state after the step.
        entropy: (B,); entropy of the selectors in nats, summed over the selectors.
        halting_entropy: (B,); entropy of "finish now or not" in nats.
        log_likelihood: (B,); log-probability of the wanted output in the new memory, 0 if none was asked for.
    """

    state: MachineState
    entropy: Tensor
    halting_entropy: Tensor
    log_likelihood: Tensor


@dataclass(frozen=True)
class Wanted:
    """The output that a timestep is scored against.

    Attributes:
        target: Wanted integers (B, M), int64.
        mask: (B, M) booleans, true at the output cells.
        log_floor: Probabilities below it count as it.
    """

    target: Tensor
    mask: Tensor
    log_floor: float


@dataclass(frozen=True)
class Options:
    """How a timestep is computed.

    Attributes:
        activation_clip: Limit on the gradients of activations, or None.
        rescale: Divide every new distribution by its sum; see `MachineState.rescaled`.
    """

    activation_clip: float | None = None
    rescale: bool = False


Backend = Callable[[MachineConfig, MachineState, Tensor, Wanted | None, Options], Timestep]
"""(config, state, logits (B, K + 1), what is wanted, options) -> one timestep."""
