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
from nram_env.machine.backends.base import Followed, Options, Runs, Timestep, Wanted
from nram_env.machine.config import MachineConfig
from nram_env.machine.state import MachineState

ERRORS = {
    1: "there is not enough memory for the workspace of the fused backend",
    2: "a target is not in 0..M-1",
    3: "the gate list holds a gate that the library does not know; install the package again",
}
"""What a status of the library means."""


def obstacle(
    state: MachineState, logits: Tensor, wanted: Wanted | None = None, runs: Runs | None = None
) -> str | None:
    """Say why the backend cannot run these tensors, or None if it can."""
    numbers = {
        "registers": state.registers,
        "memory": state.memory,
        "survival": state.survival,
        "logits": logits,
    }
    others = {} if wanted is None else {"target": wanted.target, "mask": wanted.mask}
    if runs is not None:
        numbers["output"] = runs.output
        others |= {"horizon": runs.horizon, "elapsed": runs.elapsed, "finished": runs.finished}
    for tensors, dtype in ((numbers, torch.float32), (others, None)):
        for name, tensor in tensors.items():
            reason = library.unfit(name, tensor, dtype)
            if reason is not None:
                return reason
    if library.load() is None:
        return f"its library {library.LIBRARY_FILE.name} was not built, or from another version"
    return None


def run(
    config: MachineConfig,
    state: MachineState,
    logits: Tensor,
    wanted: Wanted | None,
    runs: Runs | None,
    options: Options,
) -> Timestep:
    """Compute one timestep; see `base.Backend`. There must be no `obstacle`."""
    tensors = (state.registers, state.memory, state.survival, logits)
    if runs is None:
        call, output = _Call(config, wanted, options), None
    else:
        counters = (runs.horizon, runs.elapsed, runs.finished)
        call, output = _Call(config, wanted, options, runs.floor, counters), runs.output
    registers, memory, survival, *others = _FusedTimestep.apply(call, output, *tensors)
    entropy, halting_entropy, likelihood, *rest = others
    followed = Followed(*rest) if rest else None
    return Timestep(MachineState(registers, memory, survival), entropy, halting_entropy, likelihood, followed)


def machine_record(
    config: MachineConfig, memory_size: int, options: Options, threads: int, log_floor: float, floor: float
) -> library.Machine:
    """The library's record of a machine.

    Args:
        config: Registers and gates.
        memory_size: M.
        options: How a timestep is computed.
        threads: How many compute it.
        log_floor: As in `Wanted`; 0 if nothing is scored.
        floor: As in `Runs`; 0 if none are followed.
    """
    clip = options.activation_clip
    return library.Machine(
        config.num_registers,
        memory_size,
        config.num_gates,
        threads,
        library.best_instruction_set(),
        options.rescale,
        math.inf if clip is None else clip,
        log_floor,
        floor,
        library.gate_numbers(config.gates),
    )


@dataclass(frozen=True)
class _Call:
    """What a call needs besides the tensors with gradients."""

    config: MachineConfig
    wanted: Wanted | None
    options: Options
    floor: float = 0.0
    counters: tuple[Tensor, ...] = ()

    def machine(self, memory_size: int) -> library.Machine:
        log_floor = 0.0 if self.wanted is None else self.wanted.log_floor
        return machine_record(
            self.config, memory_size, self.options, torch.get_num_threads(), log_floor, self.floor
        )

    def inputs(self, output: Tensor | None, *tensors: Tensor) -> library.Inputs:
        scored = (None, None) if self.wanted is None else (self.wanted.target, self.wanted.mask)
        followed = (*(self.counters or [None] * 3), output)
        return library.Inputs(len(tensors[0]), *map(_address, (*tensors, *scored, *followed)))

    def outputs(self, output: Tensor | None, registers: Tensor, *others: Tensor) -> tuple[Tensor, ...]:
        """Room for what comes out."""
        memory, survival, _ = others
        usual = tuple(map(torch.empty_like, (registers, memory, *[survival] * 4)))
        if output is None:
            return usual
        zero_probs = survival.new_empty(registers.shape[:2])
        return (
            *usual,
            torch.empty_like(survival),
            zero_probs,
            *map(torch.empty_like, (output, *self.counters[1:])),
        )


class _FusedTimestep(torch.autograd.Function):
    """Inputs: registers, memory, survival, logits. Outputs: those of `library.Outputs`.

    The sum of the output is not in the call: the backward pass, which keeps that, has no use for it.
    """

    @staticmethod
    def forward(ctx: Any, call: _Call, output: Tensor | None, *tensors: Tensor) -> tuple[Tensor, ...]:
        outputs = call.outputs(output, *tensors)
        _run("nram_forward", call, (output, *tensors), library.Outputs(*map(_address, outputs)))
        ctx.call = call
        ctx.save_for_backward(*tensors)
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*outputs[_WITH_GRADIENT:])
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *upstream: Tensor | None) -> tuple[Tensor | None, ...]:
        tensors, asked = ctx.saved_tensors, ctx.needs_input_grad[2:]
        always = (False, False, True, True)
        gradients = [
            torch.empty_like(tensor) if needed or written else None
            for tensor, needed, written in zip(tensors, asked, always, strict=True)
        ]
        given = [
            None if gradient is None else gradient.contiguous() for gradient in upstream[:_WITH_GRADIENT]
        ]
        given += [None] * (_WITH_GRADIENT - len(given))
        results = library.Gradients(*map(_address, (*given, *gradients)))
        _run("nram_backward", ctx.call, (None, *tensors), results)
        return None, None, *gradients


_WITH_GRADIENT = 8
"""So many outputs have gradients: all floating ones but the sum of the output."""


def _run(function: str, call: _Call, tensors: tuple[Any, ...], results: Any) -> None:
    memory_size = tensors[2].shape[-1]
    status = getattr(library.load(), function)(call.machine(memory_size), call.inputs(*tensors), results)
    if status:
        raise ValueError(ERRORS[status])


def _address(tensor: Tensor | None) -> int | None:
    return None if tensor is None else tensor.data_ptr()
