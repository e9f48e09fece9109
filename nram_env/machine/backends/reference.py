"""The reference backend: batched torch, any device, float32 or float64. Other backends equal it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import softplus

from nram_env.machine.backends.base import Options, Runs, Timestep, Wanted, follow
from nram_env.machine.backends.record import under_transform
from nram_env.machine.config import MachineConfig
from nram_env.machine.gates import Gate
from nram_env.machine.layout import ActionLayout
from nram_env.machine.objective import output_log_likelihood
from nram_env.machine.soft_gates import soft_gate
from nram_env.machine.state import MachineState

Padding = tuple[Tensor, Tensor, Tensor]
"""What `padding` gives."""


def run(
    config: MachineConfig,
    state: MachineState,
    logits: Tensor,
    wanted: Wanted | None,
    runs: Runs | None,
    options: Options,
) -> Timestep:
    """Softmax the logits, run the circuit and score its memory; see `base.Backend`."""
    padded = padding(config.layout, logits.device)
    return follow(runs, state, run_padded(padded, config, state, logits, wanted, options))


def run_padded(
    padded: Padding,
    config: MachineConfig,
    state: MachineState,
    logits: Tensor,
    wanted: Wanted | None,
    options: Options,
) -> Timestep:
    """The same with `padding` made before, so that nothing in it depends on data but the tensors' values."""
    selectors, entropy = _soften_padded(padded, logits)
    registers, memory = run_circuit(config, state, selectors, options.activation_clip)
    halting_logits = logits[:, config.layout.halt]
    halting_probs = torch.sigmoid(halting_logits)
    halting_entropy = softplus(halting_logits) - halting_logits * halting_probs
    after = MachineState(registers, memory, state.survival * (1 - halting_probs))
    likelihood = torch.zeros_like(entropy)
    if wanted is not None:
        likelihood = output_log_likelihood(memory, wanted.target, wanted.mask, wanted.log_floor)
    return Timestep(after.rescaled() if options.rescale else after, entropy, halting_entropy, likelihood)


def soften(layout: ActionLayout, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Softmax of every selector.

    Args:
        layout: The machine's layout.
        logits: (B, K) or (B, K + 1); the halting logit is ignored.

    Returns:
        Packed probabilities (B, K), and the entropy summed over the selectors (B,).
    """
    return _soften_padded(padding(layout, logits.device), logits)


def _soften_padded(padded: Padding, logits: Tensor) -> tuple[Tensor, Tensor]:
    positions, real, packed = padded
    rows = logits[:, positions].masked_fill(~real, float("-inf"))
    log_probs = torch.log_softmax(rows, dim=-1).masked_fill(~real, 0.0)
    probs = log_probs.exp() * real
    entropy = -(probs * log_probs).sum((-2, -1))
    return probs.flatten(1)[:, packed], entropy


def padding(layout: ActionLayout, device: torch.device) -> Padding:
    """Positions and mask of the padded selectors, and where the real ones lie in them."""
    padded = _kept.get((layout, device))
    if padded is None:
        with torch.inference_mode(False):  # as gradients may be wanted when it is used again
            padded = _pad(layout, device)
        if not (torch.compiler.is_compiling() or under_transform(padded[0])):
            _kept[layout, device] = padded
    return padded


_kept: dict[tuple[ActionLayout, torch.device], Padding] = {}


def _pad(layout: ActionLayout, device: torch.device) -> Padding:
    positions, real = (torch.as_tensor(array, device=device) for array in layout.padded_positions)
    return positions, real, real.flatten().nonzero()[:, 0]


def run_circuit(
    config: MachineConfig, state: MachineState, selectors: Tensor, activation_clip: float | None
) -> tuple[Tensor, Tensor]:
    """Run the gates and update the registers with ready selectors (B, K).

    Returns:
        New registers (B, R, M) and new memory (B, M, M).
    """
    weights = _GateWeights(config.layout, selectors)
    values, memory = state.registers, state.memory
    for position, gate in enumerate(config.gates):
        arguments = _clip(weights.of_gate(position) @ values, activation_clip) if gate.arity else values
        output, memory = soft_gate(gate, arguments.unbind(1)[: gate.arity], memory)
        if gate is Gate.WRITE:
            memory = _clip(memory, activation_clip)
        values = torch.cat([values, _clip(output, activation_clip)[:, None]], dim=1)
    return _clip(weights.of_registers() @ values, activation_clip), memory


class _GateWeights:
    """Selectors of one gate, or of all registers, as one matrix (B, selectors, choices)."""

    def __init__(self, layout: ActionLayout, selectors: Tensor) -> None:
        self._layout, self._packed = layout, selectors

    def of_gate(self, position: int) -> Tensor:
        return self._stack(self._layout.rows_of_gate[position])

    def of_registers(self) -> Tensor:
        return self._stack(self._layout.register_rows)

    def _stack(self, rows: slice) -> Tensor:
        count = len(self._layout.selectors[rows])
        first = self._layout.selectors[rows][0]
        block = self._packed[:, first.start : first.start + count * first.size]
        return block.unflatten(1, (count, first.size))


class _ClipGradient(torch.autograd.Function):
    """The identity, whose backward pass clips each coordinate of the gradient."""

    generate_vmap_rule = True

    @staticmethod
    def forward(values: Tensor, limit: float) -> Tensor:
        return values.view_as(values)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, float], output: Tensor) -> None:
        ctx.limit = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient.clamp(-ctx.limit, ctx.limit), None


def _clip(values: Tensor, limit: float | None) -> Tensor:
    return values if limit is None else _ClipGradient.apply(values, limit)
