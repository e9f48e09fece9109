"""One timestep: selectors -> gates -> new registers and memory (paper, Sections 3.1 to 3.3).

`step` is driven by ready selectors, `transition` by logits, and `timestep` returns what training
needs besides: the selectors' entropy and the log-likelihood of the wanted output.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from nram_env.machine.ambient import full_precision
from nram_env.machine.backends import choose_backend, reference
from nram_env.machine.backends.base import Options, Runs, Timestep, Wanted
from nram_env.machine.config import MachineConfig
from nram_env.machine.objective import LOG_FLOOR
from nram_env.machine.state import MachineState


def step(
    config: MachineConfig,
    state: MachineState,
    selectors: Tensor,
    *,
    activation_clip: float | None = None,
) -> MachineState:
    """Run all gates in order and update all registers at once.

    Args:
        config: The machine.
        state: State before the step.
        selectors: Packed probabilities (B, K) in the order of `config.layout`, softmaxed or one-hot.
        activation_clip: If given, gradients with respect to gate arguments, gate outputs, registers and
            memory are clipped to [-activation_clip, activation_clip] coordinate by coordinate.

    Returns:
        State after the step; the survival probability is unchanged.

    Raises:
        ValueError: `selectors` has another shape or type than the state asks for, or the state another
            than the machine asks for.
    """
    _check_state(config, state)
    _check_action("selectors", selectors, state, config.layout.num_probs)
    _check_clip(activation_clip)
    with full_precision(selectors):
        registers, memory = reference.run_circuit(config, state, selectors, activation_clip)
    return MachineState(registers, memory, state.survival)


def transition(config: MachineConfig, state: MachineState, logits: Tensor, **options: Any) -> MachineState:
    """Softmax the logits, run the step, and let the run finish with probability sigmoid(halting logit).

    Args:
        config: The machine.
        state: State before the step.
        logits: (B, K + 1) in the order of `config.layout`.
        **options: `activation_clip`, `rescale` and `backend`, as in `timestep`.

    Returns:
        State after the step. The probability that the run ended exactly here is the old survival
        minus the new one.

    Raises:
        ValueError: `logits` has another shape or type than the state asks for.
    """
    return timestep(config, state, logits, **options).state


def timestep(
    config: MachineConfig,
    state: MachineState,
    logits: Tensor,
    *,
    target: Tensor | None = None,
    mask: Tensor | None = None,
    runs: Runs | None = None,
    log_floor: float = LOG_FLOOR,
    activation_clip: float | None = None,
    rescale: bool = False,
    backend: str = "auto",
) -> Timestep:
    """Run one timestep from logits and score the memory that it leaves.

    Args:
        config: The machine.
        state: State before the step.
        logits: (B, K + 1) in the order of `config.layout`.
        target: Wanted integers (B, M); with `mask` (B, M), true at the output cells.
        mask: See `target`.
        runs: Runs to follow to their end, if any.
        log_floor: Probabilities below it count as it.
        activation_clip: As in `step`.
        rescale: Divide every distribution of the new state by its sum; see `MachineState.rescaled`.
        backend: "reference", "fused", "compiled", "cuda" or "auto": the first that can run, on a GPU of cuda,
            compiled and reference, elsewhere of fused and reference. With cuda a wanted value that is not in
            0..M-1 counts as `log_floor` and has no gradient; the others refuse it.

    Raises:
        ValueError: A shape or type does not fit, or the backend is unknown or cannot run here.
    """
    _check_state(config, state)
    _check_action("logits", logits, state, config.layout.size)
    _check_clip(activation_clip)
    wanted = _wanted(state, target, mask, log_floor)
    _check_runs(state, runs)
    run = choose_backend(backend, config, state, logits, wanted, runs)
    with full_precision(logits):
        return run(config, state, logits, wanted, runs, Options(activation_clip, rescale))


def _wanted(
    state: MachineState, target: Tensor | None, mask: Tensor | None, log_floor: float
) -> Wanted | None:
    if target is None and mask is None:
        return None
    if target is None or mask is None:
        raise ValueError("target and mask go together; only one of them was given")
    wanted = (state.batch_size, state.memory_size)
    for name, values, dtype in (("target", target, torch.int64), ("mask", mask, torch.bool)):
        if values.shape != wanted or values.dtype != dtype:
            raise ValueError(
                f"{name} must be {dtype} of shape (B, M) = {wanted}, "
                f"got {values.dtype} of {tuple(values.shape)}"
            )
    return Wanted(target, mask, log_floor)


def _check_runs(state: MachineState, runs: Runs | None) -> None:
    if runs is None:
        return
    batch, number = (state.batch_size,), state.memory.dtype
    for name, shape, dtype in (
        ("horizon", batch, torch.int64),
        ("elapsed", batch, torch.int64),
        ("finished", batch, torch.bool),
        ("output", state.memory.shape, number),
    ):
        values: Tensor = getattr(runs, name)
        if values.shape != shape or values.dtype != dtype:
            raise ValueError(
                f"{name} of the runs must be {dtype} of shape {tuple(shape)}, "
                f"got {values.dtype} of {tuple(values.shape)}"
            )


def _check_state(config: MachineConfig, state: MachineState) -> None:
    batch, size = state.batch_size, state.memory_size
    if size < 2:
        raise ValueError(f"a state needs M >= 2, got M = {size}")
    wanted = {
        "registers": (batch, config.num_registers, size),
        "memory": (batch, size, size),
        "survival": (batch,),
    }
    for name, shape in wanted.items():
        values: Tensor = getattr(state, name)
        if values.shape != shape:
            raise ValueError(
                f"{name} of the state must have shape {shape} for {config.num_registers} registers, "
                f"batch {batch} and M = {size}, got {tuple(values.shape)}"
            )
        if values.dtype != state.memory.dtype:
            raise ValueError(
                f"{name} of the state must be {state.memory.dtype} like its memory, got {values.dtype}"
            )


def _check_clip(activation_clip: float | None) -> None:
    if activation_clip is not None and not activation_clip > 0:
        raise ValueError(f"activation_clip must be a positive number or None, got {activation_clip!r}")


def _check_action(name: str, values: Tensor, state: MachineState, width: int) -> None:
    wanted = (state.batch_size, width)
    if values.shape != wanted:
        raise ValueError(f"{name} must have shape (B, numbers) = {wanted}, got {tuple(values.shape)}")
    if values.dtype != state.memory.dtype:
        raise ValueError(f"{name} must be {state.memory.dtype} like the state, got {values.dtype}")
