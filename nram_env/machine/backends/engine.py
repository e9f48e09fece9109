"""A timestep in native code as a function with a derivative, whatever it is that computes it.

An engine computes in float32, forward and backward, on tensors that were looked at before. It is handed these
records; what else it must know is in a `Call`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ctypes import c_int64
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from nram_env.machine.backends.base import Followed, Options, Runs, Timestep, Wanted
from nram_env.machine.backends.derivatives import first_only, no_forward_mode
from nram_env.machine.backends.record import (
    BOOLEAN,
    FLOAT,
    INTEGER,
    Array,
    Record,
    Sizes,
    addresses,
    compiler_obstacle,
)
from nram_env.machine.config import MachineConfig
from nram_env.machine.state import MachineState


class Inputs(Record):
    """What goes into a timestep."""

    arrays: ClassVar = {
        "registers": Array(FLOAT, "BRM"),
        "memory": Array(FLOAT, "BMM"),
        "survival": Array(FLOAT, "B"),
        "logits": Array(FLOAT, "BD"),
        "target": Array(INTEGER, "BM", optional=True),
        "mask": Array(BOOLEAN, "BM", optional=True),
        "horizon": Array(INTEGER, "B", optional=True),
        "elapsed": Array(INTEGER, "B", optional=True),
        "finished": Array(BOOLEAN, "B", optional=True),
        "output": Array(FLOAT, "BMM", optional=True),
    }
    _fields_ = (("batch", c_int64), *addresses(arrays))


class Outputs(Record):
    """What comes out of a timestep; from halting on only where runs are followed."""

    arrays: ClassVar = {
        "registers": Array(FLOAT, "BRM"),
        "memory": Array(FLOAT, "BMM"),
        "survival": Array(FLOAT, "B"),
        "entropy": Array(FLOAT, "B"),
        "halting_entropy": Array(FLOAT, "B"),
        "log_likelihood": Array(FLOAT, "B"),
        "halting": Array(FLOAT, "B", optional=True),
        "zero_probs": Array(FLOAT, "BR", optional=True),
        "output": Array(FLOAT, "BMM", optional=True),
        "elapsed": Array(INTEGER, "B", optional=True),
        "finished": Array(BOOLEAN, "B", optional=True),
    }
    _fields_ = addresses(arrays)


class Gradients(Record):
    """Gradients of the outputs, then of the inputs; what is missing is zero, or not wanted."""

    arrays: ClassVar = {
        "new_registers": Array(FLOAT, "BRM", optional=True),
        "new_memory": Array(FLOAT, "BMM", optional=True),
        "new_survival": Array(FLOAT, "B", optional=True),
        "entropy": Array(FLOAT, "B", optional=True),
        "halting_entropy": Array(FLOAT, "B", optional=True),
        "log_likelihood": Array(FLOAT, "B", optional=True),
        "halting": Array(FLOAT, "B", optional=True),
        "zero_probs": Array(FLOAT, "BR", optional=True),
        "registers": Array(FLOAT, "BRM", optional=True),
        "memory": Array(FLOAT, "BMM", optional=True),
        "survival": Array(FLOAT, "B"),
        "logits": Array(FLOAT, "BD"),
    }
    _fields_ = addresses(arrays)


@dataclass(frozen=True)
class Call:
    """What both passes of a timestep have in common, besides tensors.

    Attributes:
        config: The machine.
        options: How a timestep is computed.
        log_floor: As in `Wanted`; 0 if nothing is scored.
        floor: As in `Runs`; 0 if none are followed.
        sizes: What the letters in the arrays' shapes stand for.
        device: Where all tensors are.
    """

    config: MachineConfig
    options: Options
    log_floor: float
    floor: float
    sizes: Sizes
    device: torch.device


Engine = Callable[[Call, Inputs, Outputs | Gradients], None]
"""Computes a timestep into the outputs, or its backward pass into the gradients of the inputs."""


def take(
    config: MachineConfig,
    state: MachineState,
    logits: Tensor,
    wanted: Wanted | None,
    runs: Runs | None,
    device: torch.device,
) -> Inputs | str:
    """Look at what goes into a timestep; say why no engine can compute on these tensors if none can."""
    obstacle = compiler_obstacle()
    if obstacle is not None:
        return obstacle
    try:
        return _inputs(_sizes(config, state.memory), _arrays(state, logits, wanted, runs), device)
    except ValueError as error:
        return str(error)


def run(
    engine: Engine,
    given: Inputs,
    config: MachineConfig,
    state: MachineState,
    logits: Tensor,
    wanted: Wanted | None,
    runs: Runs | None,
    options: Options,
) -> Timestep:
    """Compute one timestep from what `take` has made of its tensors; see `base.Backend`."""
    log_floor = 0.0 if wanted is None else wanted.log_floor
    floor = 0.0 if runs is None else runs.floor
    kept = {name: given.tensors[name] for name in _OTHERS if name in given.tensors}
    call = Call(config, options, log_floor, floor, given.sizes, logits.device)
    numbers = (state.registers, state.memory, state.survival, logits)
    registers, memory, survival, *others = _Moved.apply(engine, call, given, kept, *numbers)
    entropy, halting_entropy, likelihood, *rest = others
    followed = Followed(*rest) if rest else None
    return Timestep(MachineState(registers, memory, survival), entropy, halting_entropy, likelihood, followed)


_NUMBERS = ("registers", "memory", "survival", "logits")
_OTHERS = ("target", "mask", "horizon", "elapsed", "finished")


def _arrays(
    state: MachineState, logits: Tensor, wanted: Wanted | None, runs: Runs | None
) -> dict[str, Tensor]:
    """What goes into a timestep, by the names of `Inputs`."""
    arrays = dict(zip(_NUMBERS, (state.registers, state.memory, state.survival, logits), strict=True))
    if wanted is not None:
        arrays |= {"target": wanted.target, "mask": wanted.mask}
    if runs is not None:
        counters = {"horizon": runs.horizon, "elapsed": runs.elapsed, "finished": runs.finished}
        arrays |= {**counters, "output": runs.output}
    return arrays


def _inputs(sizes: Sizes, arrays: Mapping[str, Tensor | None], device: torch.device) -> Inputs:
    return Inputs(sizes["B"]).point(sizes, arrays, device)


def _sizes(config: MachineConfig, memory: Tensor) -> Sizes:
    batch, size, _ = memory.shape
    return {"B": batch, "R": config.num_registers, "M": size, "D": config.layout.size}


class _Moved(torch.autograd.Function):
    """Inputs: registers, memory, survival, logits. Outputs: those of `Outputs`.

    What was given is not kept for the backward pass, which has no use for the sum of the output, and looks at
    the tensors that were saved. All others without gradients are kept by name.
    """

    @staticmethod
    def forward(
        ctx: Any,
        engine: Engine,
        call: Call,
        given: Inputs,
        kept: Mapping[str, Tensor | None],
        *numbers: Tensor,
    ) -> tuple[Tensor, ...]:
        names = list(Outputs.arrays)[: None if "output" in given.tensors else _ALWAYS]
        outputs = Outputs.room(call.sizes, names, call.device)
        engine(call, given, Outputs().point(call.sizes, outputs, call.device))
        ctx.engine, ctx.call, ctx.kept = engine, call, kept
        ctx.save_for_backward(*numbers)
        ctx.set_materialize_grads(False)
        found = tuple(outputs.values())
        ctx.mark_non_differentiable(*found[_WITH_GRADIENT:])
        return found

    @staticmethod
    @first_only
    def backward(ctx: Any, *upstream: Tensor | None) -> tuple[Tensor | None, ...]:
        call, numbers = ctx.call, dict(zip(_NUMBERS, ctx.saved_tensors, strict=True))
        asked = dict(zip(_NUMBERS, ctx.needs_input_grad[-len(_NUMBERS) :], strict=True))
        names = [name for name in _NUMBERS if asked[name] or not Gradients.arrays[name].optional]
        gradients = Gradients.room(call.sizes, names, call.device)
        given = {
            name: None if gradient is None else gradient.contiguous()
            for name, gradient in zip(_UPSTREAM, upstream, strict=False)
        }
        results = Gradients().point(call.sizes, {**given, **gradients}, call.device)
        ctx.engine(call, _inputs(call.sizes, {**numbers, **ctx.kept}, call.device), results)
        return None, None, None, None, *map(gradients.get, _NUMBERS)

    jvp = staticmethod(no_forward_mode)


_ALWAYS, _WITH_GRADIENT = 6, 8
"""So many outputs are always there; so many have gradients: all floating ones but the sum of the output."""

_UPSTREAM = list(Gradients.arrays)[:_WITH_GRADIENT]
