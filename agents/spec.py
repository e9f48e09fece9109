"""The shape of a controller: which layers it has and how large they are. Importing it needs no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from nram_env.machine import MachineConfig
from nram_env.support import unknown_name

if TYPE_CHECKING:
    import torch
    from torch import Tensor

MAX_HIDDEN_SIZE = 4096
"""Widest controller: one with fourteen gates then has 140 million parameters."""


@dataclass(frozen=True)
class ControllerSpec:
    """Shape of a controller.

    Args:
        kind: "lstm" (one hidden ReLU layer in front of an LSTM) or "feedforward" (two hidden ReLU layers).
        machine: The machine that it drives; gives the sizes of its input (R) and output (D).
        hidden_size: H in 1..4096, the width of every hidden layer and of the LSTM.
        sharp_tests: Whether it reads P(r = 0) through the smoothstep 3 p^2 - 2 p^3, which moves what lies
            between 0 and 1 towards them. To hardened runs, which have these two alone, it is all the same.

    Raises:
        ValueError: Unknown kind, or a hidden size that is no integer or out of its range.

    Example:
        >>> from nram_env import MachineConfig
        >>> ControllerSpec("lstm", MachineConfig(4), hidden_size=16).num_parameters
        7428
    """

    kind: str
    machine: MachineConfig
    hidden_size: int = 16
    sharp_tests: bool = False

    def __post_init__(self) -> None:
        if self.kind not in _LAYERS:
            raise unknown_name("controller", self.kind, _LAYERS)
        if type(self.hidden_size) is not int or not 1 <= self.hidden_size <= MAX_HIDDEN_SIZE:
            raise ValueError(
                f"hidden_size must be an integer in 1..{MAX_HIDDEN_SIZE}, got {self.hidden_size!r}"
            )

    @cached_property
    def layers(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of every layer, in the order in which they are stored."""
        inputs, hidden, outputs = self.machine.num_registers, self.hidden_size, self.machine.layout.size
        return _LAYERS[self.kind](inputs, hidden, outputs)

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

    @property
    def of_halting(self) -> Tensor:
        """(N,) booleans; the parameters of the halting logit, the last of which is its bias."""
        import torch

        outputs = self.machine.layout.size
        chosen = torch.zeros(self.num_parameters, dtype=torch.bool, device="cpu")
        chosen[-outputs * (self.hidden_size + 1) :].view(-1, outputs)[:, self.machine.layout.halt] = True
        return chosen

    def initialise(self, generator: torch.Generator, output_scale: Tensor) -> Tensor:
        """Draw fresh parameters.

        Weights are normal with variance 1 / fan-in (2 / fan-in before a ReLU), biases 0 (1 for the
        LSTM's forget gate).

        Args:
            generator: Source of randomness, on the device of what is wanted.
            output_scale: (P,); factor on the weights of the output layer, one a member.

        Returns:
            (P, N).
        """
        import torch

        from agents.noise import normal

        members = len(output_scale)
        blocks = []
        for name, (rows, columns) in self.shapes.items():
            block = torch.zeros(members, rows, columns, dtype=torch.float32, device=generator.device)
            if name.endswith("weight"):
                gain = 2.0 if name.startswith("hidden") else 1.0
                block = normal(generator, *block.shape) * math.sqrt(gain / rows)
            if name == "head_weight":
                block = block * output_scale[:, None, None]
            if name == "cell_bias":
                block[..., self.hidden_size : 2 * self.hidden_size] = 1.0
            blocks.append(block.flatten(1))
        return torch.cat(blocks, dim=1)


def _lstm_layers(inputs: int, hidden: int, outputs: int) -> dict[str, tuple[int, int]]:
    return {"hidden": (inputs, hidden), "cell": (2 * hidden, 4 * hidden), "head": (hidden, outputs)}


def _feedforward_layers(inputs: int, hidden: int, outputs: int) -> dict[str, tuple[int, int]]:
    return {"hidden1": (inputs, hidden), "hidden2": (hidden, hidden), "head": (hidden, outputs)}


_LAYERS = {"lstm": _lstm_layers, "feedforward": _feedforward_layers}

CONTROLLER_KINDS = tuple(_LAYERS)
"""What `ControllerSpec.kind` accepts."""
