"""The fused backend: a whole timestep in one native call, forward and backward, float32 on the CPU.

The library (native/) computes blocks of examples whose lanes are those of one vector register. Its
backward pass computes the block forward once more and keeps nothing but the inputs. An example's numbers
depend neither on the others in its batch nor on the number of threads, which is torch's.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from nram_env.machine.backends import engine, library
from nram_env.machine.backends.base import Backend, Options, Runs, Wanted
from nram_env.machine.backends.record import CPU
from nram_env.machine.config import MachineConfig
from nram_env.machine.state import MachineState


def take(
    config: MachineConfig, state: MachineState, logits: Tensor, wanted: Wanted | None, runs: Runs | None
) -> Backend | str:
    """Look at what goes into a timestep; say why the backend cannot run these tensors if it cannot."""
    given = engine.take(config, state, logits, wanted, runs, CPU)
    if isinstance(given, str):
        return given
    if library.load() is None:
        return f"its library {library.LIBRARY_FILE.name} was not built, or from another version"
    return partial(engine.run, _compute, given)


def _compute(call: engine.Call, given: engine.Inputs, results: engine.Outputs | engine.Gradients) -> None:
    threads, size = torch.get_num_threads(), call.sizes["M"]
    machine = machine_record(call.config, size, call.options, threads, call.log_floor, call.floor)
    library.check(getattr(library.load(), library.FUNCTIONS[type(results)])(machine, given, results))


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
    return library.Machine(
        config.num_registers,
        memory_size,
        config.num_gates,
        threads,
        library.best_instruction_set(),
        options.rescale,
        options.limit,
        log_floor,
        floor,
        library.gate_numbers(config.gates),
    )
