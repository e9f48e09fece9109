"""An episode as pure functions: `begin` it from an instance, `advance` it by one timestep.

Both environments are shells around these. B episodes run side by side, each with its own instance and
horizon; a finished one is frozen.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from nram_env.envs.sharpness import noise, sharpened
from nram_env.machine import (
    LOG_FLOOR,
    MachineConfig,
    MachineState,
    Runs,
    Timestep,
    follow,
    hard_step,
    initial_state,
    output_log_likelihood,
    output_probabilities,
    timestep,
)
from nram_env.tasks import TaskBatch

SURVIVAL_FLOOR = 1e-6
"""An episode ends once the probability that the run has not finished is below this."""


@dataclass(frozen=True)
class Rules:
    """What stays the same from episode to episode.

    Attributes:
        machine: Registers and gates.
        loss: "expected" or "mixture".
        hard: Run the discretised machine.
        log_floor: eps of log(max(x, eps)).
        activation_clip: Limit on activation gradients, or None.
        backend: As in `nram_env.machine.timestep`.
        step_cost: Nats for every timestep, times the probability that the run gets there.
        unfinished_cost: Nats for the last timestep of the horizon, times the probability that the run gets
            there.
        sharp_registers: Square and rescale every register after each timestep.
        noisy_registers: Multiply their probabilities by noise before.
    """

    machine: MachineConfig
    loss: str = "expected"
    hard: bool = False
    log_floor: float = LOG_FLOOR
    activation_clip: float | None = None
    backend: str = "auto"
    step_cost: float = 0.0
    unfinished_cost: float = 0.0
    sharp_registers: bool = False
    noisy_registers: bool = False

    @property
    def draws(self) -> bool:
        """Whether episodes need chance: noise moves nothing in hard runs."""
        return self.noisy_registers and not self.hard


@dataclass(frozen=True)
class EpisodeState(MachineState):
    """The machines' state and everything else that B running episodes are made of.

    Attributes:
        registers: (B, R, M).
        memory: (B, M, M).
        survival: (B,).
        memory_values: (B, M) int64; the integers in memory before the first timestep.
        target: (B, M) int64; wanted integers.
        mask: (B, M) bool; true at the output cells.
        difficulty: (B,) int64; n.
        horizon: (B,) int64; timesteps that the episode has.
        elapsed: (B,) int64; timesteps taken.
        finished: (B,) bool.
        observed: (B, R); P(r = 0) of every register, with graph.
        output: (B, M, M); the sum of p_t M_t so far, without graph.
        credit: (B, M); the sum of p_t M_t[i, y_i] so far, with graph; stays 0 unless the loss is "mixture".
        chance: (B,) int64; words of 31 bits that the noise of registers is a function of; 0 for none.
        task: Name of the task that the instances belong to; None if nobody has said.
    """

    memory_values: Tensor
    target: Tensor
    mask: Tensor
    difficulty: Tensor
    horizon: Tensor
    elapsed: Tensor
    finished: Tensor
    observed: Tensor
    output: Tensor
    credit: Tensor
    chance: Tensor
    task: str | None = None

    @property
    def runs(self) -> Runs:
        """What the machine must know to follow the runs to their end."""
        return Runs(self.horizon, self.elapsed, self.finished, self.output, SURVIVAL_FLOOR)

    @property
    def instance(self) -> TaskBatch:
        """The examples, as numpy arrays of their own."""
        parts = (self.memory_values, self.target, self.mask, self.difficulty)
        memory, target, mask, difficulty = (part.numpy(force=True).copy() for part in parts)
        return TaskBatch(memory, target, mask, difficulty, self.task)

    def detach(self) -> EpisodeState:
        """The same numbers without the graph that made them."""
        return replace(self, **{name: tensor.detach() for name, tensor in self._tensors()})

    def row(self, row: int) -> EpisodeState:
        """One of the episodes, in the processor's memory and without graph."""
        parts = {name: tensor[row : row + 1].detach().cpu() for name, tensor in self._tensors()}
        return replace(self, **parts)

    def with_rows(self, rows: Tensor, fresh: EpisodeState) -> EpisodeState:
        """This state, but the k rows where `rows` (B,) is true are those of `fresh`, in their order."""
        return replace(
            self,
            **{name: tensor.index_put((rows,), getattr(fresh, name)) for name, tensor in self._tensors()},
        )

    def _tensors(self) -> Iterator[tuple[str, Any]]:
        return ((name, value) for name, value in vars(self).items() if isinstance(value, Tensor))


@dataclass(frozen=True)
class Advance:
    """What one timestep of B episodes gives.

    Attributes:
        state: The state after it.
        rewards: (B,); 0 for rows that had finished.
        entropy: (B,); the selectors' entropy in nats, 0 for rows that had finished.
        halting_entropy: (B,); entropy of "finish now or not" in nats, 0 for rows that had finished.
        halting: (B,); p_t, the probability that the run ends with this timestep.
    """

    state: EpisodeState
    rewards: Tensor
    entropy: Tensor
    halting_entropy: Tensor
    halting: Tensor


@torch.inference_mode(False)
def begin(
    rules: Rules,
    instance: TaskBatch,
    horizon: np.ndarray,
    chance: np.ndarray | None = None,
    *,
    dtype: torch.dtype,
    device: torch.device | str,
) -> EpisodeState:
    """State before the first timestep.

    Args:
        rules: See `Rules`.
        instance: B examples.
        horizon: (B,) integers of at least 1.
        chance: (B,) integers of 31 bits, for noisy registers; 0, the default, for no noise.
        dtype: Floating type of all distributions.
        device: Where everything lives.
    """
    machine = initial_state(rules.machine, instance.memory, dtype=dtype, device=device)
    batch, size = instance.memory.shape

    def place(values: np.ndarray, dtype: torch.dtype = torch.int64) -> Tensor:
        return torch.tensor(values, dtype=dtype, device=device)

    return EpisodeState(
        machine.registers,
        machine.memory,
        machine.survival,
        memory_values=place(instance.memory),
        target=place(instance.target),
        mask=place(instance.mask, torch.bool),
        difficulty=place(instance.difficulty),
        horizon=place(horizon),
        elapsed=place(np.zeros(batch)),
        finished=place(np.zeros(batch), torch.bool),
        observed=machine.zero_probs,
        output=torch.zeros_like(machine.memory),
        credit=machine.memory.new_zeros(batch, size),
        chance=place(np.zeros(batch) if chance is None else chance),
        task=instance.task,
    )


def advance(rules: Rules, before: EpisodeState, logits: Tensor) -> Advance:
    """Run one timestep of every unfinished episode.

    p_t = f_t * survival, and all of the survival in an episode's last timestep. The reward is p_t times
    the log-likelihood of the output; with the mixture loss it is 0 before the last timestep and the whole
    log-likelihood there (paper, Section 3.3). What the rules ask for timesteps is taken off.

    Args:
        rules: See `Rules`.
        before: The state.
        logits: (B, D) in the order of the machine's layout.
    """
    moved = _hard_timestep(rules, before, logits) if rules.hard else _soft_timestep(rules, before, logits)
    followed, entropies = moved.followed, (moved.entropy, moved.halting_entropy)
    assert followed is not None
    after = replace(
        before,
        **vars(moved.state),
        elapsed=followed.elapsed,
        finished=followed.finished,
        observed=followed.zero_probs,
        output=followed.output,
    )
    if rules.sharp_registers and not rules.hard:
        after = _sharpened(rules, before, after)
    halting = followed.halting
    if rules.loss == "mixture":
        after, rewards = _settle_mixture(rules, before, after, halting)
    else:
        rewards = halting * moved.log_likelihood
    if rules.step_cost or rules.unfinished_cost:
        rewards = rewards - _cost(rules, before, after, halting)
    return Advance(after, rewards, *entropies, halting)


def _sharpened(rules: Rules, before: EpisodeState, after: EpisodeState) -> EpisodeState:
    """Sharp registers, but in rows that had finished."""
    weights = None
    if rules.draws:
        weights = noise(before.chance, before.elapsed, *after.registers.shape[1:]).to(after.registers)
    sharp = sharpened(after.registers, weights)
    registers = torch.where(before.finished[:, None, None], after.registers, sharp)
    return replace(after, registers=registers, observed=registers[..., 0])


def _cost(rules: Rules, before: EpisodeState, after: EpisodeState, halting: Tensor) -> Tensor:
    """Nats for this timestep, (B,); 0 for rows that had finished: their survival is 0."""
    last = after.elapsed == before.horizon
    return rules.step_cost * before.survival + rules.unfinished_cost * halting * last


def _settle_mixture(
    rules: Rules, before: EpisodeState, after: EpisodeState, halting: Tensor
) -> tuple[EpisodeState, Tensor]:
    likelihood = output_probabilities(after.memory, after.target, after.mask)
    credit = before.credit + halting[:, None] * likelihood
    log_credit = credit.clamp_min(rules.log_floor).log().masked_fill(~after.mask, 0.0).sum(-1)
    rewards = log_credit.masked_fill(~after.finished | before.finished, 0.0)
    return replace(after, credit=credit), rewards


def _soft_timestep(rules: Rules, state: EpisodeState, logits: Tensor) -> Timestep:
    scored = rules.loss == "expected"
    return timestep(
        rules.machine,
        state,
        logits,
        target=state.target if scored else None,
        mask=state.mask if scored else None,
        runs=state.runs,
        log_floor=rules.log_floor,
        activation_clip=rules.activation_clip,
        rescale=True,
        backend=rules.backend,
    )


def _hard_timestep(rules: Rules, state: EpisodeState, logits: Tensor) -> Timestep:
    """One timestep on integers, every selector at its largest logit, the first one on ties."""
    choices = rules.machine.layout.choices(logits.numpy(force=True))
    before = [part.argmax(-1).numpy(force=True) for part in (state.registers, state.memory)]
    after = hard_step(rules.machine, before[0], before[1], choices)
    registers, memory = (
        one_hot(torch.from_numpy(part), state.memory_size).to(state.memory) for part in after
    )
    log_likelihood = output_log_likelihood(memory, state.target, state.mask, rules.log_floor)
    stays = (logits[:, rules.machine.layout.halt] <= 0).to(state.survival)
    none = torch.zeros_like(log_likelihood)
    moved = MachineState(registers, memory, state.survival * stays)
    return follow(state.runs, state, Timestep(moved, none, none, log_likelihood))
