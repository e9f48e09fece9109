"""Controllers: what sees P(r = 0) and emits the machine's logits (paper, Section 3.1).

A controller here is always a stack of P independent ones whose weights lie in one tensor (P, N), so
that a whole population is computed, clipped, updated, cloned and saved with one call each. A single
controller is the stack with P = 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from agents.spec import CONTROLLER_KINDS, ControllerSpec
from nram_env.machine.ambient import full_precision

__all__ = ["CONTROLLER_KINDS", "Controller", "ControllerSpec"]


@dataclass(frozen=True)
class Controller:
    """P stacked controllers.

    Args:
        spec: Their common shape.
        parameters: (P, N), N = `spec.num_parameters`.
        backend: What unrolls whole episodes: "fused" for the native library, "reference" for torch, "auto"
            for whichever can. A single timestep is always torch's.

    Raises:
        ValueError: `parameters` has another shape.

    Example:
        >>> from nram_env.machine import MachineConfig
        >>> spec = ControllerSpec("lstm", MachineConfig(4))
        >>> weights = spec.initialise(torch.Generator().manual_seed(0), torch.ones(8))
        >>> controller = Controller(spec, weights)
        >>> logits, state = controller(torch.ones(8, 5, 4), controller.initial_state(5))
        >>> tuple(logits.shape), tuple(state.shape)
        ((8, 5, 308), (8, 5, 32))
    """

    spec: ControllerSpec
    parameters: Tensor
    backend: str = "auto"

    def __post_init__(self) -> None:
        if self.parameters.ndim != 2 or self.parameters.shape[1] != self.spec.num_parameters:
            raise ValueError(
                f"parameters must have shape (P, {self.spec.num_parameters}), "
                f"got {tuple(self.parameters.shape)}"
            )

    @property
    def num_members(self) -> int:
        """P."""
        return self.parameters.shape[0]

    @property
    def weights(self) -> dict[str, Tensor]:
        """Views of the parameters by name, each (P, rows, columns)."""
        sizes = [rows * columns for rows, columns in self.spec.shapes.values()]
        blocks = self.parameters.split(sizes, dim=1)
        named = zip(self.spec.shapes.items(), blocks, strict=True)
        return {name: block.unflatten(1, shape) for (name, shape), block in named}

    def initial_state(self, batch_size: int) -> Tensor:
        """State before the first timestep: zeros (P, B, S)."""
        return self.parameters.new_zeros(self.num_members, batch_size, self.spec.state_size)

    def __call__(self, observations: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One timestep.

        Args:
            observations: P(r = 0) of every register, (P, B, R).
            state: (P, B, S).

        Returns:
            Logits (P, B, D) in the order of the machine's ActionLayout, and the new state (P, B, S).
        """
        self._check(observations, state)
        with full_precision(observations):
            read = _smoothstep(observations) if self.spec.sharp_tests else observations
            return _FORWARD[self.spec.kind](self.weights, read, state)

    def _check(self, observations: Tensor, state: Tensor) -> None:
        rows = (self.num_members, *observations.shape[1:2])
        wanted = {
            "observations": (observations, (*rows, self.spec.machine.num_registers)),
            "state": (state, (*rows, self.spec.state_size)),
        }
        for name, (tensor, shape) in wanted.items():
            if tuple(tensor.shape) != shape:
                raise ValueError(f"{name} must have shape {shape}, got {tuple(tensor.shape)}")

    def member(self, index: int) -> Controller:
        """One of the stack, alone and cut from the graph."""
        return replace(self, parameters=self.parameters[index : index + 1].detach().clone())

    def to(self, dtype: torch.dtype) -> Controller:
        """The same controllers in another precision."""
        return replace(self, parameters=self.parameters.to(dtype))


def _smoothstep(tests: Tensor) -> Tensor:
    """3 p^2 - 2 p^3: 0 and 1 stay, 1/2 stays, and what lies between moves to the nearer end."""
    return tests * tests * (3 - 2 * tests)


_Weights = Mapping[str, Tensor]


def _affine(weights: _Weights, layer: str, inputs: Tensor) -> Tensor:
    return torch.baddbmm(weights[f"{layer}_bias"], inputs, weights[f"{layer}_weight"])


def _lstm_forward(weights: _Weights, observations: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    hidden, cell = state.chunk(2, dim=-1)
    encoded = _affine(weights, "hidden", observations).relu()
    gates = _affine(weights, "cell", torch.cat([encoded, hidden], dim=-1))
    enter, forget, emit, candidate = gates.chunk(4, dim=-1)
    cell = forget.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
    hidden = emit.sigmoid() * cell.tanh()
    return _affine(weights, "head", hidden), torch.cat([hidden, cell], dim=-1)


def _feedforward_forward(weights: _Weights, observations: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    first = _affine(weights, "hidden1", observations).relu()
    second = _affine(weights, "hidden2", first).relu()
    return _affine(weights, "head", second), state


_FORWARD = {"lstm": _lstm_forward, "feedforward": _feedforward_forward}
