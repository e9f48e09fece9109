"""The fused backend: a whole timestep in one native call, forward and backward, float32 on the CPU.

The library (native/) computes blocks of examples whose lanes are those of one vector register. Its
backward pass computes the block forward once more and keeps nothing but the inputs. An example's numbers
depend neither on the others in its batch nor on the number of threads, which is torch's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from nram_env.machine.backends import library
from nram_env.machine.backends.base import Options, Timestep, Wanted
from nram_env.machine.config import MachineConfig
from nram_env.machine.state import MachineState

ERRORS = {
    1: "there is not enough memory for the workspace of the fused backend",
    2: "a target is not in 0..M-1",
    3: "the gate list holds a gate that the library does not know; install the package again",
}
"""What a status of the library means."""


def obstacle(state: MachineState, logits: Tensor, wanted: Wanted | None) -> str | None:
    """Say why the backend cannot run these tensors, or None if it can."""
    numbers = {
        "registers": state.registers,
        "memory": state.memory,
        "survival": state.survival,
        "logits": logits,
    }
    scored = {} if wanted is None else {"target": wanted.target, "mask": wanted.mask}
    for name, tensor in (numbers | scored).items():
        reason = library.unfit(name, tensor, torch.float32 if name in numbers else None)
        if reason is not None:
            return reason
    if library.load() is None:
        return f"its library {library.LIBRARY_FILE.name} was not built when the package was installed"
    return None


def run(
    config: MachineConfig,
    state: MachineState,
    logits: Tensor,
    wanted: Wanted | None,
    options: Options,
) -> Timestep:
    """Compute one timestep; see `base.Backend`.

    Raises:
        ValueError: The tensors are not contiguous float32 on the CPU, or the library is not there.
    """
    reason = obstacle(state, logits, wanted)
    if reason is not None:
        raise ValueError(f"the fused backend cannot run: {reason}; backend='reference' can")
    call = _Call(config, wanted, options)
    registers, memory, survival, *scores = _FusedTimestep.apply(
        call, state.registers, state.memory, state.survival, logits
    )
    return Timestep(MachineState(registers, memory, survival), *scores)


@dataclass(frozen=True)
class _Call:
    """What a call needs besides the tensors with gradients."""

    config: MachineConfig
    wanted: Wanted | None
    options: Options

    def machine(self, memory_size: int) -> library.Machine:
        return library.Machine(
            registers=self.config.num_registers,
            size=memory_size,
            gates=self.config.num_gates,
            threads=torch.get_num_threads(),
            instruction_set=library.best_instruction_set(),
            rescale=self.options.rescale,
            clip=math.inf if self.options.activation_clip is None else self.options.activation_clip,
            log_floor=0.0 if self.wanted is None else self.wanted.log_floor,
            gate=library.gate_numbers(self.config.gates),
        )

    def inputs(self, *tensors: Tensor) -> library.Inputs:
        scored = () if self.wanted is None else (self.wanted.target, self.wanted.mask)
        return library.Inputs(len(tensors[0]), *map(_address, (*tensors, *scored)))


class _FusedTimestep(torch.autograd.Function):
    """Inputs: registers, memory, survival, logits. Outputs: the first three after it, and three scores."""

    @staticmethod
    def forward(ctx: Any, call: _Call, *tensors: Tensor) -> tuple[Tensor, ...]:
        registers, memory, survival, _ = tensors
        outputs = tuple(map(torch.empty_like, (registers, memory, *[survival] * 4)))
        _run("nram_forward", call, tensors, library.Outputs(*map(_address, outputs)))
        ctx.call = call
        ctx.save_for_backward(*tensors)
        ctx.set_materialize_grads(False)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor | None) -> tuple[Tensor | None, ...]:
        tensors, (_, *asked) = ctx.saved_tensors, ctx.needs_input_grad
        always = (False, False, True, True)
        gradients = [
            torch.empty_like(tensor) if needed or written else None
            for tensor, needed, written in zip(tensors, asked, always, strict=True)
        ]
        given = [None if gradient is None else gradient.contiguous() for gradient in upstream]
        _run("nram_backward", ctx.call, tensors, library.Gradients(*map(_address, (*given, *gradients))))
        return None, *gradients


def _run(function: str, call: _Call, tensors: tuple[Tensor, ...], results: Any) -> None:
    memory_size = tensors[1].shape[-1]
    status = getattr(library.load(), function)(call.machine(memory_size), call.inputs(*tensors), results)
    if status:
        raise ValueError(ERRORS[status])


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()
