"""The fused backend: a whole timestep in one native call, forward and backward, float32 on the CPU.

The library (native/) computes blocks of examples whose lanes are those of one vector register. Its
backward pass computes the block forward once more and keeps nothing but the inputs. An example's numbers
depend neither on the others in its batch nor on the number of threads, which is torch's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from nram_env.machine.backends import library
from nram_env.machine.backends.base import Followed, Options, Runs, Timestep, Wanted
from nram_env.machine.backends.derivatives import first_only, no_forward_mode
from nram_env.machine.backends.record import Record, Sizes, compiler_obstacle
from nram_env.machine.config import MachineConfig
from nram_env.machine.state import MachineState


def take(
    config: MachineConfig, state: MachineState, logits: Tensor, wanted: Wanted | None, runs: Runs | None
) -> library.Inputs | str:
    """Look at what goes into a timestep; say why the backend cannot run these tensors if it cannot."""
    obstacle = compiler_obstacle()
    if obstacle is not None:
        return obstacle
    try:
        given = _inputs(_sizes(config, state.memory), _arrays(state, logits, wanted, runs))
    except ValueError as error:
        return str(error)
    if library.load() is None:
        return f"its library {library.LIBRARY_FILE.name} was not built, or from another version"
    return given


def run(
    given: library.Inputs,
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
    call = _Call(config, options, log_floor, floor, given.sizes, kept)
    numbers = (state.registers, state.memory, state.survival, logits)
    registers, memory, survival, *others = _FusedTimestep.apply(call, given, *numbers)
    entropy, halting_entropy, likelihood, *rest = others
    followed = Followed(*rest) if rest else None
    return Timestep(MachineState(registers, memory, survival), entropy, halting_entropy, likelihood, followed)


_NUMBERS = ("registers", "memory", "survival", "logits")
_OTHERS = ("target", "mask", "horizon", "elapsed", "finished")


def _arrays(
    state: MachineState, logits: Tensor, wanted: Wanted | None, runs: Runs | None
) -> dict[str, Tensor]:
    """What goes into a timestep, by the names of `library.Inputs`."""
    arrays = dict(zip(_NUMBERS, (state.registers, state.memory, state.survival, logits), strict=True))
    if wanted is not None:
        arrays |= {"target": wanted.target, "mask": wanted.mask}
    if runs is not None:
        counters = {"horizon": runs.horizon, "elapsed": runs.elapsed, "finished": runs.finished}
        arrays |= {**counters, "output": runs.output}
    return arrays


def _inputs(sizes: Sizes, arrays: Mapping[str, Tensor]) -> library.Inputs:
    return library.Inputs(sizes["B"]).point(sizes, arrays)


def _sizes(config: MachineConfig, memory: Tensor) -> Sizes:
    batch, size, _ = memory.shape
    return {"B": batch, "R": config.num_registers, "M": size, "D": config.layout.size}


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
    """What the forward and the backward pass of a timestep have in common.

    Attributes:
        sizes: What the letters in the arrays' shapes stand for.
        others: All inputs without gradients but the sum of the output, by name.
    """

    config: MachineConfig
    options: Options
    log_floor: float
    floor: float
    sizes: Sizes
    others: Mapping[str, Tensor | None]

    def run(self, function: str, given: library.Inputs, results: Record) -> None:
        threads, size = torch.get_num_threads(), self.sizes["M"]
        machine = machine_record(self.config, size, self.options, threads, self.log_floor, self.floor)
        library.check(getattr(library.load(), function)(machine, given, results))


class _FusedTimestep(torch.autograd.Function):
    """Inputs: registers, memory, survival, logits. Outputs: those of `library.Outputs`.

    What was given is not kept for the backward pass, which has no use for the sum of the output, and looks at
    the tensors that were saved.
    """

    @staticmethod
    def forward(ctx: Any, call: _Call, given: library.Inputs, *numbers: Tensor) -> tuple[Tensor, ...]:
        names = list(library.Outputs.arrays)[: None if "output" in given.tensors else _ALWAYS]
        outputs = library.Outputs.room(call.sizes, names)
        call.run("nram_forward", given, library.Outputs().point(call.sizes, outputs))
        ctx.call = call
        ctx.save_for_backward(*numbers)
        ctx.set_materialize_grads(False)
        found = tuple(outputs.values())
        ctx.mark_non_differentiable(*found[_WITH_GRADIENT:])
        return found

    @staticmethod
    @first_only
    def backward(ctx: Any, *upstream: Tensor | None) -> tuple[Tensor | None, ...]:
        numbers = dict(zip(_NUMBERS, ctx.saved_tensors, strict=True))
        asked = dict(zip(_NUMBERS, ctx.needs_input_grad[2:], strict=True))
        names = [name for name in _NUMBERS if asked[name] or not library.Gradients.arrays[name].optional]
        sizes = ctx.call.sizes
        gradients = library.Gradients.room(sizes, names)
        given = {
            name: None if gradient is None else gradient.contiguous()
            for name, gradient in zip(_UPSTREAM, upstream, strict=False)
        }
        results = library.Gradients().point(sizes, {**given, **gradients})
        ctx.call.run("nram_backward", _inputs(sizes, {**numbers, **ctx.call.others}), results)
        return None, None, *map(gradients.get, _NUMBERS)

    jvp = staticmethod(no_forward_mode)


_ALWAYS, _WITH_GRADIENT = 6, 8
"""So many outputs are always there; so many have gradients: all floating ones but the sum of the output."""

_UPSTREAM = list(library.Gradients.arrays)[:_WITH_GRADIENT]
