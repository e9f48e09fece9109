"""What every backend takes and gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nram_env.machine.config import MachineConfig
from nram_env.machine.state import MachineState


@dataclass(frozen=True)
class Runs:
    """Runs that are followed to their end.

    Attributes:
        horizon: (B,) int64; timesteps that a run has.
        elapsed: (B,) int64; timesteps taken.
        finished: (B,) bool; such a run stands still.
        output: (B, M, M); the sum of p_t M_t so far, without graph.
        floor: A run also ends once its survival is below this.
    """

    horizon: Tensor
    elapsed: Tensor
    finished: Tensor
    output: Tensor
    floor: float


@dataclass(frozen=True)
class Followed:
    """What a timestep leaves of runs.

    Attributes:
        halting: (B,), with graph; p_t, the probability that the run ended exactly here. Its last timestep
            takes all that is left.
        zero_probs: (B, R), with graph; P(r = 0) of the new registers.
        output: (B, M, M); the new sum.
        elapsed: (B,) int64.
        finished: (B,) bool.
    """

    halting: Tensor
    zero_probs: Tensor
    output: Tensor
    elapsed: Tensor
    finished: Tensor


@dataclass(frozen=True)
class Timestep:
    """What one timestep gives.

    Attributes:
        state: The state after the step.
        entropy: (B,); entropy of the selectors in nats, summed over the selectors.
        halting_entropy: (B,); entropy of "finish now or not" in nats.
        log_likelihood: (B,); log-probability of the wanted output in the new memory, 0 if none was asked for.
        followed: Only where runs are followed. Then the survival of a run that ended is 0, and one that had
            finished before has its old state and no entropies.
    """

    state: MachineState
    entropy: Tensor
    halting_entropy: Tensor
    log_likelihood: Tensor
    followed: Followed | None = None


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

    @property
    def limit(self) -> float:
        """The limit as native code takes it: infinite if there is none."""
        return math.inf if self.activation_clip is None else self.activation_clip


Backend = Callable[[MachineConfig, MachineState, Tensor, Wanted | None, Runs | None, Options], Timestep]
"""(config, state, logits (B, K + 1), what is wanted, runs to follow, options) -> one timestep."""


def follow(runs: Runs | None, before: MachineState, moved: Timestep) -> Timestep:
    """What is left of the runs, if there are any, when their state `before` has moved."""
    if runs is None:
        return moved
    elapsed = runs.elapsed + ~runs.finished
    finished = (elapsed >= runs.horizon) | (moved.state.survival < runs.floor)
    survival = moved.state.survival.masked_fill(finished, 0.0)
    state = replace(before.where(runs.finished, moved.state), survival=survival)
    halting = before.survival - survival
    output = torch.addcmul(runs.output, halting.detach()[:, None, None], state.memory.detach())
    return replace(
        moved,
        state=state,
        entropy=moved.entropy.masked_fill(runs.finished, 0.0),
        halting_entropy=moved.halting_entropy.masked_fill(runs.finished, 0.0),
        followed=Followed(halting, state.zero_probs, output, elapsed, finished),
    )
