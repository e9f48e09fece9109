"""Whether the card at hand computes what it should: gradients by kernel and by the reference in float64."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from agents.controllers import Controller
from agents.cuda import episodes
from agents.device.episodes import unrolled
from agents.fused import Played
from agents.noise import normal, uniform
from agents.spec import ControllerSpec
from nram_env.envs.episode import Rules
from nram_env.machine import PAPER_GATES, Gate, MachineConfig

TOLERANCE = 1e-5
"""Largest difference of a gradient from the true one, as a share of its length."""

_SECOND_READ = (*PAPER_GATES[:6], Gate.READ, *PAPER_GATES[6:])


@dataclass(frozen=True)
class Sample:
    """Episodes of P x B examples to be compared.

    Attributes:
        kind: "lstm" or "feedforward".
        registers: R.
        hidden: H.
        gates: The gate list.
        memory: M.
        batch: B.
        loss: "expected" or "mixture".
        sharp: Whether the controller reads its tests through a smoothstep.
        sharp_registers: Whether registers are squared after each timestep.
        noisy_registers: Whether they are multiplied by noise before.
    """

    kind: str
    registers: int
    hidden: int
    gates: tuple[Gate, ...]
    memory: int
    batch: int
    loss: str
    sharp: bool = False
    sharp_registers: bool = False
    noisy_registers: bool = False

    @property
    def spec(self) -> ControllerSpec:
        """Controller and machine."""
        return ControllerSpec(self.kind, MachineConfig(self.registers, self.gates), self.hidden, self.sharp)

    @property
    def rules(self) -> Rules:
        """Those of the environment."""
        return Rules(
            self.spec.machine,
            self.loss,
            activation_clip=0.5,
            backend="reference",
            sharp_registers=self.sharp_registers,
            noisy_registers=self.noisy_registers,
        )


SAMPLES = (
    Sample("lstm", 4, 16, PAPER_GATES, 16, 16, "expected"),
    Sample("feedforward", 5, 16, _SECOND_READ, 22, 16, "mixture", sharp=True, sharp_registers=True),
    Sample("lstm", 3, 10, PAPER_GATES * 2, 7, 5, "mixture", sharp_registers=True, noisy_registers=True),
    Sample("feedforward", 4, 16, PAPER_GATES, 32, 4, "expected"),
    Sample("lstm", 4, 20, PAPER_GATES, 40, 3, "expected", sharp=True),
)

_MEMBERS, _TIMESTEPS = 2, 6


@dataclass(frozen=True)
class Difference:
    """What the kernel's episodes differ by from the reference's.

    Attributes:
        sample: What was played.
        returns: The largest difference of a return, in nats.
        gradient: Length of the difference of the parameters' gradients, as a share of the true one's.
    """

    sample: Sample
    returns: float
    gradient: float

    @property
    def passes(self) -> bool:
        """Whether the gradient is within `TOLERANCE`; what is no number is not."""
        return self.gradient <= TOLERANCE


def differences(device: torch.device, seed: int = 0) -> Iterator[Difference]:
    """Play random episodes of every kind by kernel and by the reference.

    Args:
        device: A card, on which `agents.cuda.episodes.obstacle` finds none.
        seed: Seed of parameters and examples.
    """
    for sample in SAMPLES:
        generator = torch.Generator().manual_seed(seed)
        parameters, examples = _problem(sample, generator)
        rules = sample.rules
        exact = Controller(sample.spec, parameters.double().requires_grad_(), "reference")
        ours = Controller(sample.spec, parameters.to(device).requires_grad_())
        wanted = unrolled(exact, rules, examples)
        found = episodes.play(ours, rules, _moved(examples, device))
        returns = (found.returns.detach().cpu() - wanted.returns.detach()).abs().max()
        true, computed = _gradient(exact, wanted), _gradient(ours, found)
        yield Difference(sample, float(returns), float((computed - true).norm() / true.norm()))


def _problem(sample: Sample, generator: torch.Generator) -> tuple[Tensor, episodes.Examples]:
    """Parameters (P, N) and examples, on the CPU."""
    spread = torch.full((_MEMBERS,), 1.5, dtype=torch.float32, device="cpu")
    cells = (_MEMBERS * sample.batch, sample.memory)
    memory, target = ((sample.memory * uniform(generator, *cells)).long() for _ in range(2))
    parameters = sample.spec.initialise(generator, spread)
    parameters = parameters + 0.1 * normal(generator, *parameters.shape)
    mask = uniform(generator, *cells) < 0.4
    horizon = 1 + (_TIMESTEPS * uniform(generator, cells[0])).long()
    chance = (2**31 * uniform(generator, cells[0]).double()).long() if sample.noisy_registers else None
    return parameters, episodes.Examples(memory, target, mask, horizon, _TIMESTEPS, chance)


def _moved(examples: episodes.Examples, device: torch.device) -> episodes.Examples:
    parts: dict[str, Any] = {
        name: part.to(device) for name, part in vars(examples).items() if isinstance(part, Tensor)
    }
    return replace(examples, **parts)


def _gradient(controller: Controller, played: Played) -> Tensor:
    """Of a sum in which every number counts with a weight of its own, in float64 on the CPU."""
    parts = (played.returns, played.entropy, played.halting, played.halting_entropy)
    generator = torch.Generator().manual_seed(1)
    total = sum((part * normal(generator, *part.shape).to(part)).sum() for part in parts)
    assert isinstance(total, Tensor)
    return torch.autograd.grad(total, controller.parameters)[0].double().cpu()
