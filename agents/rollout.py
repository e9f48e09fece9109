"""Unroll a stack of controllers through the differentiable environment; `agents.hard` is the hard machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np
import torch
from torch import Tensor

from agents import fused
from agents.controllers import Controller
from agents.fused import Played
from nram_env.envs import NRAMVectorEnv
from nram_env.envs.actions import LARGEST_LOGIT
from nram_env.envs.episode import Rules
from nram_env.machine import MachineConfig
from nram_env.tasks import Task, TaskBatch


@dataclass(frozen=True)
class Rollout:
    """One episode of every row, P members by B examples.

    Attributes:
        returns: (P, B), with graph; undiscounted, so minus the loss. NaN for a member that emitted a number
            that is not finite.
        entropy: (P, B), with graph; entropy of the selectors in nats, summed over selectors and steps.
        halting_entropy: (P, B), with graph; entropy of "finish now or not" in nats, summed over steps, each
            weighed with the probability that the run gets there.
        steps: (P, B), with graph; expected number of timesteps.
        unfinished: (P, B), with graph; probability that the run reaches the last timestep of its horizon.
        wrong_cells: (P x B, M) booleans; output cells whose most probable value is not the wanted one.
    """

    returns: Tensor
    entropy: Tensor
    halting_entropy: Tensor
    steps: Tensor
    unfinished: Tensor
    wrong_cells: Tensor

    @property
    def wrong(self) -> Tensor:
        """(P, B) booleans; examples with any wrong output cell."""
        return self.wrong_cells.any(1).view(self.returns.shape)


def make_envs(task: Task, machine: MachineConfig, num_envs: int, **options: Any) -> NRAMVectorEnv:
    """The differentiable vector environment of a task, taking logits as they are.

    Args:
        task: Its task.
        machine: Registers and gates.
        num_envs: Rows.
        **options: Further arguments of NRAMVectorEnv.
    """
    envs = gymnasium.make_vec(
        task.environment_id,
        num_envs=num_envs,
        differentiable=True,
        logit_scale=1.0,
        num_registers=machine.num_registers,
        gates=[gate.label for gate in machine.gates],
        **options,
    )
    assert isinstance(envs, NRAMVectorEnv)
    return envs


def unroll(controller: Controller, envs: NRAMVectorEnv, **options: Any) -> Rollout:
    """Run P controllers on P x B examples until every row has finished.

    Where it can, the native library plays whole episodes, which gives the same numbers; elsewhere the
    controllers and the environment take turns. A member whose logits are not finite, or more than the
    environment takes, plays on with logits 0, so that it disturbs no other.

    Args:
        controller: The stack.
        envs: Differentiable environment of P x B rows, member by member, from `make_envs`.
        **options: Options of the environment's reset, as difficulty, memory_size, horizon or instance.
    """
    observations, _ = envs.reset(options=options)
    rules, state = envs.settings.rules, envs.state
    if envs.logit_scale == 1 and fused.serves(controller, rules, state):
        return rollout_of(fused.play(controller, rules, state), rules, state.horizon)
    return _take_turns(controller, envs, observations)


def rollout_of(played: Played, rules: Rules, horizon: Tensor) -> Rollout:
    """The episodes that were played whole, each with its own horizon (P x B,)."""
    halting_entropy, steps, unfinished = _stopping(played.halting, played.halting_entropy, horizon)
    returns = played.returns - rules.step_cost * steps - rules.unfinished_cost * unfinished
    sums = (returns, played.entropy, halting_entropy, steps, unfinished)
    return _rollout(played.finite, played.wrong, *sums)


def _take_turns(controller: Controller, envs: NRAMVectorEnv, observations: Tensor) -> Rollout:
    members = controller.num_members
    state = controller.initial_state(envs.num_envs // members)
    terms: list[tuple[Tensor, ...]] = []
    finite = torch.ones(members, dtype=torch.bool, device="cpu")
    while not bool(envs.finished.all()):
        logits, state = controller(observations.unflatten(0, (members, -1)), state)
        finite = finite & (logits.detach().abs().amax((1, 2)) <= LARGEST_LOGIT)
        if not finite.all():
            logits = logits.masked_fill(~finite[:, None, None], 0.0)
        observations, rewards, *_ = envs.step(logits.flatten(0, 1))
        terms.append((rewards, envs.entropy, envs.halting, envs.halting_entropy))
    rewards, entropy, halting, halting_entropy = map(torch.stack, zip(*terms, strict=True))
    stopping = _stopping(halting, halting_entropy, envs.state.horizon)
    return _rollout(finite, envs.wrong_cells(), rewards.sum(0), entropy.sum(0), *stopping)


def _stopping(halting: Tensor, halting_entropy: Tensor, horizon: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weighed entropy, expected steps and probability of no early end (N,), from p_t and entropies (T, N)."""
    survival = (1 - halting.cumsum(0) + halting).clamp_min(0)
    times = torch.arange(1, len(halting) + 1, dtype=halting.dtype, device=halting.device)[:, None]
    last = times.long() == horizon
    return (survival * halting_entropy).sum(0), (halting * times).sum(0), (halting * last).sum(0)


def _rollout(finite: Tensor, wrong: Tensor, *sums: Tensor) -> Rollout:
    """From returns and all that follows them in a Rollout, each (P x B)."""
    returns, entropy, halting_entropy, steps, unfinished = (
        total.unflatten(0, (len(finite), -1)) for total in sums
    )
    returns = returns.masked_fill(~finite[:, None], torch.nan)
    return Rollout(returns, entropy, halting_entropy, steps, unfinished, wrong)


@torch.no_grad()
def soft_wrong(
    controller: Controller, task: Task, batch: TaskBatch, horizon: np.ndarray, backend: str = "auto"
) -> np.ndarray:
    """Wrong output cells (P x B, M) of the soft stack: argmax of the expected output memory."""
    most = max(1, SOFT_CELLS // batch.memory_size**2)
    found = []
    for members, rows in _parts(controller.num_members, batch.batch_size // controller.num_members, most):
        some = replace(controller, parameters=controller.parameters[members])
        examples = batch.rows(rows)
        envs = make_envs(task, controller.spec.machine, examples.batch_size, backend=backend)
        rollout = unroll(some, envs, instance=examples, horizon=horizon[rows])
        found.append(rollout.wrong_cells.numpy())
    return np.concatenate(found)


SOFT_CELLS = 2**22
"""Soft runs go side by side while their memories have no more numbers; bounds the peak at some 100 MiB."""


def _parts(members: int, examples: int, most: int) -> Iterator[tuple[slice, slice]]:
    """Members, and their rows among P x B: as many members as have `most` rows together, or parts of one."""
    together, rows = max(1, most // examples), min(most, examples)
    for first in range(0, members, together):
        last = min(first + together, members)
        for row in range(first * examples, last * examples, together * rows):
            yield slice(first, last), slice(row, min(row + together * rows, last * examples))
