"""Controllers: what sees P(r = 0) and emits the machine's logits (paper, Section 3.1).

A controller here is always a stack of P independent ones whose weights lie in one tensor (P, N), so
that a whole population is computed, clipped, updated, cloned and saved with one call each. A single
controller is the stack with P = 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from nram_env.machine import MachineConfig
from nram_env.support import unknown_name


@dataclass(frozen=True)
class ControllerSpec:
    """Shape of a controller.

    Args:
        kind: "lstm" (one hidden ReLU layer in front of an LSTM) or "feedforward" (two hidden ReLU layers).
        machine: The machine that it drives; gives the sizes of its input (R) and output (D).
        hidden_size: H, the width of every hidden layer and of the LSTM.

    Raises:
        ValueError: Unknown kind, or a hidden size below 1.
    """

    kind: str
    machine: MachineConfig
    hidden_size: int = 16

    def __post_init__(self) -> None:
        if self.kind not in _KINDS:
            raise unknown_name("controller", self.kind, _KINDS)
        if self.hidden_size < 1:
            raise ValueError(f"hidden_size must be at least 1, got {self.hidden_size}")

    @cached_property
    def layers(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of every layer, in the order in which they are stored."""
        inputs, hidden, outputs = self.machine.num_registers, self.hidden_size, self.machine.layout.size
        return _KINDS[self.kind].layers(inputs, hidden, outputs)

    @cached_property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Rows and columns of every weight matrix and bias, in the order in which they are stored."""
        return {
            f"{name}_{part}": (count, outputs)
            for name, (inputs, outputs) in self.layers.items()
            for part, count in (("weight", inputs), ("bias", 1))
        }

    @property
    def num_parameters(self) -> int:
        """N, the number of parameters of one controller."""
        return sum(rows * columns for rows, columns in self.shapes.values())

    @property
    def state_size(self) -> int:
        """S, the length of the controller's own state: 2H for the LSTM (h, then c), otherwise 0."""
        return 2 * self.hidden_size if self.kind == "lstm" else 0

    def initialise(self, generator: torch.Generator, output_scale: Tensor) -> Tensor:
        """Draw fresh parameters.

        Weights are normal with variance 1 / fan-in (2 / fan-in before a ReLU), biases 0 (1 for the
        LSTM's forget gate).

        Args:
            generator: Source of randomness.
            output_scale: (P,); factor on the weights of the output layer, one a member.

        Returns:
            (P, N).
        """
        members = len(output_scale)
        blocks = []
        for name, (rows, columns) in self.shapes.items():
            block = torch.zeros(members, rows, columns)
            if name.endswith("weight"):
                gain = 2.0 if name.startswith("hidden") else 1.0
                block = torch.randn(block.shape, generator=generator) * math.sqrt(gain / rows)
            if name == "head_weight":
                block = block * output_scale[:, None, None]
            if name == "cell_bias":
                block[..., self.hidden_size : 2 * self.hidden_size] = 1.0
            blocks.append(block.flatten(1))
        return torch.cat(blocks, dim=1)


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

    @cached_property
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
        return _KINDS[self.spec.kind].forward(self.weights, observations, state)

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


_Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class _Kind:
    layers: Callable[[int, int, int], dict[str, tuple[int, int]]]
    forward: Callable[[_Weights, Tensor, Tensor], tuple[Tensor, Tensor]]


def _affine(weights: _Weights, layer: str, inputs: Tensor) -> Tensor:
    return torch.baddbmm(weights[f"{layer}_bias"], inputs, weights[f"{layer}_weight"])


def _lstm_layers(inputs: int, hidden: int, outputs: int) -> dict[str, tuple[int, int]]:
    return {"hidden": (inputs, hidden), "cell": (2 * hidden, 4 * hidden), "head": (hidden, outputs)}


def _lstm_forward(weights: _Weights, observations: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    hidden, cell = state.chunk(2, dim=-1)
    encoded = _affine(weights, "hidden", observations).relu()
    gates = _affine(weights, "cell", torch.cat([encoded, hidden], dim=-1))
    enter, forget, emit, candidate = gates.chunk(4, dim=-1)
    cell = forget.sigmoid() * cell + enter.sigmoid() * candidate.tanh()
    hidden = emit.sigmoid() * cell.tanh()
    return _affine(weights, "head", hidden), torch.cat([hidden, cell], dim=-1)


def _feedforward_layers(inputs: int, hidden: int, outputs: int) -> dict[str, tuple[int, int]]:
    return {"hidden1": (inputs, hidden), "hidden2": (hidden, hidden), "head": (hidden, outputs)}


def _feedforward_forward(weights: _Weights, observations: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    first = _affine(weights, "hidden1", observations).relu()
    second = _affine(weights, "hidden2", first).relu()
    return _affine(weights, "head", second), state


_KINDS = {
    "lstm": _Kind(_lstm_layers, _lstm_forward),
    "feedforward": _Kind(_feedforward_layers, _feedforward_forward),
}

CONTROLLER_KINDS = tuple(_KINDS)
"""What `ControllerSpec.kind` accepts."""
