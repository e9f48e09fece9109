"""Timesteps to try kernels on: what goes into them, and how their results are compared with the reference."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from nram_env.machine import Gate, MachineConfig, MachineState, Runs, Timestep, timestep

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Shape:
    """A machine, its memory, and how many examples of it there are."""

    registers: int
    gates: tuple[Gate, ...]
    memory: int
    batch: int
    clip: float | None = 0.05
    scored: bool = True

    @property
    def config(self) -> MachineConfig:
        return MachineConfig(self.registers, self.gates)


SMALL = Shape(2, (Gate.READ, Gate.ADD, Gate.WRITE), 6, 37)
INPUTS = ("registers", "memory", "survival", "logits")
ALWAYS = ("registers", "memory", "survival", "entropy", "halting_entropy", "log_likelihood")
WITH_GRADIENT = (*ALWAYS, "halting", "zero_probs")


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@dataclass(frozen=True)
class Problem:
    """What goes into timesteps, on the CPU; a third of the runs stand still, others end here."""

    shape: Shape
    inputs: dict[str, Tensor]
    target: Tensor
    mask: Tensor
    runs: Runs

    @classmethod
    def drawn(cls, shape: Shape) -> Problem:
        batch, size = shape.batch, shape.memory
        rows, squares, vector = (batch, shape.registers, size), (batch, size, size), torch.arange(batch)
        finished = vector % 3 == 1
        values = (
            torch.softmax(2 * normal(1, *rows), -1) * 1.5,  # which rescaling mends
            torch.softmax(2 * normal(2, *squares), -1),
            normal(3, batch).sigmoid().masked_fill(finished, 0.0),
            2 * normal(4, batch, shape.config.layout.size),
        )
        target = torch.randint(size, (batch, size), generator=torch.Generator().manual_seed(5))
        runs = Runs(3 + vector % 2, torch.full((batch,), 2), finished, normal(6, *squares), floor=0.1)
        inputs = dict(zip(INPUTS, values, strict=True))
        return cls(shape, inputs, target, normal(7, batch, size) < 0, runs)

    def solve(
        self,
        backend: str,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
        follow: bool = True,
        asked: tuple[str, ...] = INPUTS,
        **options: object,
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """The inputs, and all that a timestep gives, by name."""
        given = {name: value.to(device, dtype).detach().clone() for name, value in self.inputs.items()}
        for name in asked:
            given[name].requires_grad_()
        runs = replace(self.runs, output=self.runs.output.to(dtype))
        placed = {name: part.to(device) for name, part in vars(runs).items() if name != "floor"}
        result = timestep(
            self.shape.config,
            MachineState(*(given[name] for name in INPUTS[:3])),
            given["logits"],
            target=self.target.to(device) if self.shape.scored else None,
            mask=self.mask.to(device) if self.shape.scored else None,
            runs=Runs(**placed, floor=runs.floor) if follow else None,
            backend=backend,
            **{"log_floor": 0.02, "activation_clip": self.shape.clip, "rescale": True} | options,
        )
        return given, named(result)


def named(result: Timestep) -> dict[str, Tensor]:
    scores = {name: getattr(result, name) for name in ("entropy", "halting_entropy", "log_likelihood")}
    return {**vars(result.state), **scores, **({} if result.followed is None else vars(result.followed))}


def gradients(given: dict[str, Tensor], found: dict[str, Tensor], names: tuple[str, ...]) -> list[Tensor]:
    """Of those inputs that need them; zero where there are none."""
    inputs = [tensor for tensor in given.values() if tensor.requires_grad]
    outputs = {name: found[name] for name in names if found[name].requires_grad}
    upstream = [normal(len(name), *output.shape).to(output) for name, output in outputs.items()]
    left = torch.autograd.grad([*outputs.values()], inputs, upstream, allow_unused=True)
    return [torch.zeros_like(a) if b is None else b for a, b in zip(inputs, left, strict=True)]


def assert_equal(found: Tensor, wanted: Tensor, name: str = "") -> None:
    """Each number within 1e-5 of the largest."""
    if wanted.dtype != torch.float64:
        assert torch.equal(found.cpu(), wanted), name
    elif wanted.numel():
        difference = (found.double().cpu() - wanted).abs().max()
        assert difference <= 1e-5 * wanted.abs().max() + 1e-30, (name, difference)


def assert_equal_to_reference(
    problem: Problem, device: torch.device, names: tuple[str, ...] = WITH_GRADIENT, **how: object
) -> None:
    given, found = problem.solve("cuda", device, **how)
    exact, wanted = problem.solve("reference", CPU, torch.float64, **how)
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert_equal(found[name], value.detach(), name)
    present = tuple(name for name in names if name in wanted)
    for one, other in zip(gradients(given, found, present), gradients(exact, wanted, present), strict=True):
        assert_equal(one, other)
