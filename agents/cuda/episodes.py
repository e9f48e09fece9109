"""Whole episodes on a GPU, one kernel each way: controllers and machines, float32 (episodes.cu).

The gradient of the weights is made once for all timesteps, as products of what entered each layer and the
gradient of what left it; the kernel leaves both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from agents.controllers import Controller
from agents.cuda.blocks import BATCH, SOURCE, MixturePlay, Play, block_of, order_of, refusal
from agents.fused import Played, returns_of
from agents.spec import ControllerSpec
from nram_env.envs.episode import SURVIVAL_FLOOR, Rules
from nram_env.machine.ambient import full_precision
from nram_env.machine.backends.base import Options
from nram_env.machine.backends.cuda import kernels
from nram_env.machine.backends.cuda.timestep import too_large
from nram_env.machine.backends.derivatives import first_only, no_forward_mode

WIDEST = 64
"""Largest H that the kernel is made for; of the machine `nram_env.machine.backends.cuda.timestep` says it."""


@dataclass(frozen=True)
class Examples:
    """P x B examples on a device, member by member, before their first timestep.

    Attributes:
        memory: (P x B, M) int64; what memory holds.
        target: (P x B, M) int64; wanted integers.
        mask: (P x B, M) booleans; true at the output cells.
        horizon: (P x B,) int64; timesteps that a run has.
        timesteps: No horizon is larger.
        chance: (P x B,) int64; words of 31 bits that the noise of registers is a function of, 0 for none;
            None for zeros.
    """

    memory: Tensor
    target: Tensor
    mask: Tensor
    horizon: Tensor
    timesteps: int
    chance: Tensor | None = None

    @property
    def words(self) -> Tensor:
        """The chance of every example, (P x B,); zeros where there is none."""
        return torch.zeros_like(self.horizon) if self.chance is None else self.chance


def obstacle(controller: Controller, rules: Rules, memory_size: int, batch: int = BATCH) -> str | None:
    """Say why the kernel cannot play these episodes, or None if it can; builds it, unless that is done.

    Args:
        controller: P members.
        rules: Those of the environment.
        memory_size: M.
        batch: Examples of a member.
    """
    spec, device = controller.spec, controller.parameters.device
    if spec.hidden_size > WIDEST:
        return f"the width of the controller is {spec.hidden_size}, and the kernel takes {WIDEST} at most"
    if rules.hard:
        return "the kernel runs the differentiable machine only"
    if controller.parameters.dtype is not torch.float32:
        return f"the kernel computes in float32, not {controller.parameters.dtype}"
    reason = too_large(spec.machine, memory_size) or kernels.obstacle(device)
    return reason or refusal(order_of(spec, rules, memory_size, batch, device), device)


def build_ahead(
    spec: ControllerSpec, rules: Rules, memory_sizes: Iterable[int], batch: int, device: torch.device
) -> None:
    """Begin to compile, in the background, what episodes of these memory sizes will need."""
    if kernels.obstacle(device) is None:
        variants = [dict(order_of(spec, rules, size, batch, device)) for size in memory_sizes]
        kernels.ahead(SOURCE, variants, device)


def play(controller: Controller, rules: Rules, examples: Examples) -> Played:
    """Play every example to its end; `obstacle` must find none. Nothing waits for the device.

    Args:
        controller: P members.
        rules: Those of the environment.
        examples: P x B of them.
    """
    parameters = controller.parameters
    differentiable = torch.is_grad_enabled() and parameters.requires_grad
    episodes = _Episodes(controller, rules, examples, differentiable)
    halting, score, entropy, halting_entropy = _Unrolled.apply(parameters, episodes)
    returns = returns_of(rules, halting, score, examples.mask)
    wrong = (episodes.unpadded(episodes.arrays["output"]).argmax(-1) != examples.target) & examples.mask
    return Played(returns, entropy.sum(0), halting, halting_entropy, wrong, episodes.finite)


_ZEROED = ("halting", "likelihood", "entropy", "halting_entropy", "credit")
_TAPE = ("registers_tape", "survival_tape", "finished_tape", "observed", "inputs", "last")
_LSTM_TAPE = ("activations", "cell")
_GRADIENTS = ("d_logits", "d_second", "d_first")


@dataclass
class _Episodes:
    """The kernels' record of a call, and the arrays that it points to."""

    controller: Controller
    rules: Rules
    examples: Examples
    differentiable: bool
    sizes: dict[str, int] = field(init=False)
    arrays: dict[str, Tensor] = field(init=False)

    def __post_init__(self) -> None:
        spec, members = self.controller.spec, self.controller.num_members
        rows, memory_size = self.examples.memory.shape
        self.batch = rows // members
        self.device = self.controller.parameters.device
        self.block = block_of(order_of(spec, self.rules, memory_size, self.batch, self.device), self.device)
        padded = -(-self.batch // self.block.examples) * self.block.examples
        lstm, hidden, timesteps = spec.kind == "lstm", spec.hidden_size, self.examples.timesteps
        machine = spec.machine
        self.sizes = {
            "P": members,
            "N": spec.num_parameters,
            "B": padded,
            "X": members * padded,
            "T": timesteps,
            "C": timesteps + 1,
            "S": timesteps if self.differentiable else 2,
            "M": memory_size,
            "R": machine.num_registers,
            "D": machine.layout.size,
            "H": hidden,
            "O": machine.num_registers + 1,
            "I": (1 + lstm) * hidden + 1,
            "L": hidden + 1,
            "A": (1 + 3 * lstm) * hidden,
            "K": members * padded // self.block.examples,
        }
        self.arrays = self._begin(lstm)

    @property
    def record(self) -> type[Play]:
        return MixturePlay if self.rules.loss == "mixture" else Play

    def _begin(self, lstm: bool) -> dict[str, Tensor]:
        names = ["memory_tape", "output", "taken", "silent", *_ZEROED]
        if self.differentiable:
            names += [*_TAPE, *(_LSTM_TAPE if lstm else ())]
        arrays = self._room(names)
        for name in _ZEROED:
            arrays[name].zero_()
        given = {
            name: self.padded(getattr(self.examples, name))
            for name in ("memory", "target", "horizon", "mask")
        }
        if self.rules.noisy_registers:
            given["chance"] = self.padded(self.examples.words)
        return {**arrays, **given, "parameters": self.controller.parameters.detach()}

    def _room(self, names: Iterable[str]) -> dict[str, Tensor]:
        return self.record.room(self.sizes, names, self.device)

    def padded(self, values: Tensor, dim: int = 0) -> Tensor:
        """Rows of P x B as rows of blocks: those of examples that are not there are 0, and end at once."""
        more = self.sizes["B"] - self.batch
        if more:
            apart = values.unflatten(dim, (-1, self.batch))
            shape = [*apart.shape[: dim + 1], more, *apart.shape[dim + 2 :]]
            values = torch.cat([apart, apart.new_zeros(shape)], dim + 1).flatten(dim, dim + 1)
        return values.contiguous()

    def unpadded(self, values: Tensor, dim: int = 0) -> Tensor:
        """The inverse of `padded`."""
        apart = values.unflatten(dim, (-1, self.sizes["B"]))
        return apart.narrow(dim + 1, 0, self.batch).flatten(dim, dim + 1)

    def result(self, name: str) -> Tensor:
        """What the kernel has left there, as a tensor of its own: one with a graph would hold us for ever."""
        values = self.arrays[name].detach()
        return self.unpadded(values, 0 if name == "credit" else 1)

    @property
    def finite(self) -> Tensor:
        """(P,) booleans; members all of whose logits were finite."""
        spoke = self.arrays["silent"] >= self.sizes["T"]
        return spoke.unflatten(0, (self.sizes["P"], -1)).all(1)

    def launch(self, function: str, shared_bytes: int, **gradients: Tensor) -> None:
        """Start a kernel on all blocks."""
        record = self.record(
            members=self.sizes["P"],
            batch=self.sizes["B"],
            timesteps=self.sizes["T"],
            slots=self.sizes["S"],
            log_floor=self.rules.log_floor,
            floor=SURVIVAL_FLOOR,
            limit=Options(self.rules.activation_clip).limit,
        )
        record.point(self.sizes, {**self.arrays, **gradients}, self.device)
        self.block.kernels.launch(function, self.sizes["K"], self.block.threads, shared_bytes, record)

    def gradient(self, **upstream: Tensor) -> Tensor:
        """The gradient of the parameters, (P, N)."""
        left = self._room(_GRADIENTS)
        self.launch("episode_backward", self.block.backward_bytes, **upstream, **left)
        whole = torch.empty_like(self.arrays["parameters"])
        first = 0
        with full_precision(whole):
            for entered, came in zip(
                ("observed", "inputs", "last"), ("d_first", "d_second", "d_logits"), strict=True
            ):
                inputs, outputs = self.arrays[entered].flatten(1, 2), left[came].flatten(1, 2)
                rows, columns = inputs.shape[2], outputs.shape[2]
                layer = whole[:, first : first + rows * columns].unflatten(1, (rows, columns))
                layer.copy_(torch.bmm(inputs.transpose(1, 2), outputs))
                first += rows * columns
        return whole


class _Unrolled(torch.autograd.Function):
    """Parameters (P, N) to p_t (T, P x B), the score, and both entropies (T, P x B); see `agents.fused`."""

    @staticmethod
    def forward(ctx: Any, parameters: Tensor, episodes: _Episodes) -> tuple[Tensor, ...]:
        episodes.launch("episode_forward", episodes.block.forward_bytes)
        ctx.episodes = episodes
        ctx.save_for_backward(parameters)
        score = "credit" if episodes.rules.loss == "mixture" else "likelihood"
        return tuple(episodes.result(name) for name in ("halting", score, "entropy", "halting_entropy"))

    @staticmethod
    @first_only
    def backward(ctx: Any, of_halting: Tensor, of_score: Tensor, *of_entropies: Tensor) -> tuple[Any, None]:
        episodes = ctx.episodes
        ctx.saved_tensors  # noqa: B018  complains if the parameters have changed since
        of_halting = episodes.padded(of_halting, 1)
        if episodes.rules.loss == "mixture":
            of_score = episodes.padded(of_score, 0)
            of_halting = of_halting + (of_score * episodes.arrays["likelihood"]).sum(-1)
        else:
            of_score = episodes.padded(of_score, 1)
        entropies = (episodes.padded(gradient, 1) for gradient in of_entropies)
        names = ("d_entropy", "d_halting_entropy")
        upstream = dict(zip(names, entropies, strict=True))
        return episodes.gradient(d_halting=of_halting, d_likelihood=of_score, **upstream), None

    jvp = staticmethod(no_forward_mode)
