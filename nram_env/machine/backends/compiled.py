"""The compiled backend: the reference timestep, fused into few kernels by torch.compile. Meant for GPUs."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor

from nram_env.machine.backends import reference
from nram_env.machine.backends.base import Options, Runs, Timestep, Wanted, follow
from nram_env.machine.backends.record import is_plain, under_transform
from nram_env.machine.config import MachineConfig
from nram_env.machine.state import MachineState

COMPILER = "inductor"
"""The backend of torch.compile; needs Triton on a GPU, and a C++ compiler on a CPU."""

SHAPES = 256
"""How many shapes a process may compile; torch refuses more."""


def obstacle(logits: Tensor) -> str | None:
    """Say why a timestep of these logits cannot be compiled, or None if it can."""
    if torch.compiler.is_compiling():
        return "torch.compile is looking into it already"
    if under_transform(logits) or not is_plain(logits):
        return "torch.compile takes plain tensors outside of torch.func alone"
    if COMPILER == "inductor" and logits.device.type == "cuda" and find_spec("triton") is None:
        return "torch.compile needs Triton for a GPU, which is not installed"
    return None


def run(
    config: MachineConfig,
    state: MachineState,
    logits: Tensor,
    wanted: Wanted | None,
    runs: Runs | None,
    options: Options,
) -> Timestep:
    """Compute one timestep; see `base.Backend`. Every new shape is compiled, for up to a minute and more."""
    numbers = (state.registers, state.memory, state.survival, logits)
    scored = () if wanted is None else (wanted.target, wanted.mask)
    log_floor = None if wanted is None else wanted.log_floor
    padded = reference.padding(config.layout, logits.device)
    compute = _compiled(config, options, log_floor, COMPILER)
    with torch._dynamo.config.patch(recompile_limit=SHAPES):
        registers, memory, survival, entropy, halting_entropy, likelihood = compute(padded, *numbers, *scored)
    after = MachineState(registers, memory, survival)
    return follow(runs, state, Timestep(after, entropy, halting_entropy, likelihood))


@cache
def _compiled(
    config: MachineConfig, options: Options, log_floor: float | None, compiler: str
) -> Callable[..., tuple[Tensor, ...]]:
    """The timestep of one machine as a function of tensors alone: all else is known when it is compiled."""
    config.layout.rows_of_gate  # noqa: B018  cached; the compiler cannot look into how it is made

    def compute(
        padded: reference.Padding,
        registers: Tensor,
        memory: Tensor,
        survival: Tensor,
        logits: Tensor,
        *scored: Tensor,
    ) -> tuple[Tensor, ...]:
        state = MachineState(registers, memory, survival)
        wanted = None if log_floor is None else Wanted(scored[0], scored[1], log_floor)
        result = reference.run_padded(padded, config, state, logits, wanted, options)
        after = result.state
        scores = (result.entropy, result.halting_entropy, result.log_likelihood)
        return after.registers, after.memory, after.survival, *scores

    return torch.compile(compute, fullgraph=True, dynamic=False, backend=compiler)
