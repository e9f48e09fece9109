"""The soft run of an agent in float64, timestep by timestep, for measuring it. Needs torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from agents.checkpoint import Agent
from agents.rollout import make_envs
from nram_env.machine import output_probabilities
from nram_env.tasks import TaskBatch, get_task


@dataclass(frozen=True)
class SoftStep:
    """One timestep of a batch on the differentiable machine. Rows that have finished stand still.

    Attributes:
        logits: (B, D), what the controller emitted.
        registers: (B, R); the most probable values after the step.
        memory: (B, M); the same of the memory.
        survival: (B,); the probability that the run has not finished before the step, 0 for finished rows.
        halting: (B,); p_t, the probability that it finishes with this step.
        wanted: (B, M); the probability of the wanted value after the step, 1 outside the output cells.
        output: (B, M); the most probable values of the expected memory, over p_1 ... p_t.
    """

    logits: np.ndarray
    registers: np.ndarray
    memory: np.ndarray
    survival: np.ndarray
    halting: np.ndarray
    wanted: np.ndarray
    output: np.ndarray


@torch.no_grad()
def soft_steps(agent: Agent, batch: TaskBatch, horizon: np.ndarray) -> Iterator[SoftStep]:
    """Run an agent soft until every row has finished.

    Args:
        agent: The agent.
        batch: B examples.
        horizon: Last timestep of every row, (B,).
    """
    controller = agent.controller.member(0).to(torch.float64)
    envs = make_envs(get_task(agent.task), agent.machine, batch.batch_size, dtype="float64")
    observation, _ = envs.reset(options={"instance": batch, "horizon": horizon})
    state = controller.initial_state(batch.batch_size)
    while not bool(envs.finished.all()):
        before = envs.state.survival
        logits, state = controller(observation[None], state)
        observation, *_ = envs.step(logits[0])
        after = envs.state
        yield SoftStep(
            logits[0].numpy(),
            after.registers.argmax(-1).numpy(),
            after.memory.argmax(-1).numpy(),
            before.numpy(),
            (before - after.survival).numpy(),
            output_probabilities(after.memory, after.target, after.mask).numpy(),
            after.output.argmax(-1).numpy(),
        )
