"""Whole episodes on a device: by one kernel each way where it can, elsewhere one timestep at a time."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from agents import fused
from agents.config import TrainConfig
from agents.controllers import Controller
from agents.cuda import episodes as kernel
from agents.cuda.episodes import Examples
from agents.fused import Played
from nram_env.envs.actions import LARGEST_LOGIT
from nram_env.envs.episode import Advance, EpisodeState, Rules, advance
from nram_env.machine import initial_state
from nram_env.machine.backends.cuda.timestep import LARGEST_MEMORY
from nram_env.support import warn_once


def play(controller: Controller, rules: Rules, examples: Examples) -> Played:
    """Play every example to its end, as `agents.fused.play` does; no waiting for the device with the kernel.

    Args:
        controller: P members on the device.
        rules: Those of the environment, without costs.
        examples: P x B of them.

    Raises:
        ValueError: The backend is "fused", the library for the CPU, and the device is another.
    """
    if _kernel_serves(controller, rules, examples):
        return kernel.play(controller, rules, examples)
    return unrolled(controller, rules, examples)


def _kernel_serves(controller: Controller, rules: Rules, examples: Examples) -> bool:
    """Whether the kernel plays; if not on a card, the log says once why."""
    if controller.backend != "auto":
        return False
    rows, memory_size = examples.memory.shape
    reason = kernel.obstacle(controller, rules, memory_size, rows // controller.num_members)
    if reason is not None and controller.parameters.is_cuda:
        warn_once(f"the kernel of episodes cannot run, slower timesteps do instead: {reason}")
    return reason is None


def prepare(config: TrainConfig, rules: Rules, memory_sizes: Iterable[int], device: torch.device) -> None:
    """Begin to compile in the background what episodes of these M will need, unless that is done."""
    if device.type == "cuda" and config.backend == "auto":
        sizes = [size for size in memory_sizes if size <= LARGEST_MEMORY]
        kernel.build_ahead(config.spec, rules, sizes, config.batch_size, device)


def unrolled(controller: Controller, rules: Rules, examples: Examples) -> Played:
    """Play every example by the library for the CPU where it can, elsewhere one timestep at a time.

    A timestep is computed by the backend that the rules name; arguments as for `play`.
    """
    state = _begin(rules, examples, controller.parameters.dtype)
    if fused.serves(controller, rules, state):
        return fused.play(controller, rules, state)
    return _take_turns(controller, rules, state, examples.timesteps)


def _begin(rules: Rules, examples: Examples, dtype: torch.dtype) -> EpisodeState:
    machine = initial_state(rules.machine, examples.memory, dtype=dtype)
    none = torch.zeros_like(examples.horizon)
    return EpisodeState(
        **vars(machine),
        memory_values=examples.memory,
        target=examples.target,
        mask=examples.mask,
        difficulty=none,
        horizon=examples.horizon,
        elapsed=none,
        finished=none.bool(),
        observed=machine.zero_probs,
        output=torch.zeros_like(machine.memory),
        credit=machine.memory.new_zeros(examples.memory.shape),
        chance=examples.words,
    )


def _take_turns(controller: Controller, rules: Rules, state: EpisodeState, timesteps: int) -> Played:
    members = controller.num_members
    hidden = controller.initial_state(len(state.horizon) // members)
    finite = torch.ones(members, dtype=torch.bool, device=state.survival.device)
    moves: list[Advance] = []
    for _ in range(timesteps):
        logits, hidden = controller(state.observed.unflatten(0, (members, -1)), hidden)
        finite = finite & (logits.detach().abs().amax((1, 2)) <= LARGEST_LOGIT)
        logits = torch.where(finite[:, None, None], logits, 0.0)
        moves.append(advance(rules, state, logits.flatten(0, 1)))
        state = moves[-1].state
    sums = (_summed(moves, "rewards"), _summed(moves, "entropy"))
    halting, halting_entropy = (
        torch.stack([getattr(move, name) for move in moves]) for name in ("halting", "halting_entropy")
    )
    wrong = (state.output.argmax(-1) != state.target) & state.mask
    return Played(*sums, halting, halting_entropy, wrong, finite)


def _summed(moves: list[Advance], name: str) -> Tensor:
    return torch.stack([getattr(move, name) for move in moves]).sum(0)
