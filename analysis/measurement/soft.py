"""The soft run of an agent in float64, timestep by timestep, for measuring it. Needs torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from itertools import zip_longest

import numpy as np
import torch

from agents.checkpoint import Agent
from agents.rollout import make_envs
from nram_env.machine import output_probabilities
from nram_env.tasks import TaskBatch, get_task


@dataclass(frozen=True)
class SoftStep:
    """One timestep of some examples on the differentiable machine. Rows that have finished stand still.

    Rows may differ in M, and are then filled up to the largest: with 0, and `wanted` with 1.

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


def soft_steps(agent: Agent, batches: Sequence[TaskBatch], horizon: np.ndarray) -> Iterator[SoftStep]:
    """Run an agent soft, on batches of several M side by side, until every row has finished.

    Args:
        agent: The agent.
        batches: B examples in all.
        horizon: Last timestep of each, (B,).
    """
    ends = np.cumsum([batch.batch_size for batch in batches])
    parts = np.split(horizon, ends[:-1])
    width = max(batch.memory_size for batch in batches)
    latest: list[SoftStep] = []
    for steps in zip_longest(*(_batch_steps(agent, *of, width) for of in zip(batches, parts, strict=True))):
        latest = [step or _finished(latest[index]) for index, step in enumerate(steps)]
        found = ([getattr(step, field.name) for step in latest] for field in fields(SoftStep))
        yield SoftStep(*(np.concatenate(part) for part in found))


def _finished(step: SoftStep) -> SoftStep:
    nobody = np.zeros_like(step.survival)
    return replace(step, logits=np.zeros_like(step.logits), survival=nobody, halting=nobody)


@torch.no_grad()
def _batch_steps(agent: Agent, batch: TaskBatch, horizon: np.ndarray, width: int) -> Iterator[SoftStep]:
    task, filled = get_task(agent.task), ((0, 0), (0, width - batch.memory_size))
    controller = agent.controller.member(0).to(torch.float64)
    envs = make_envs(task, agent.machine, batch.batch_size, dtype="float64")
    observation, _ = envs.reset(options={"instance": batch, "horizon": horizon})
    state = controller.initial_state(batch.batch_size)
    while not bool(envs.finished.all()):
        before = envs.state.survival
        logits, state = controller(observation[None], state)
        observation, *_ = envs.step(logits[0])
        after = envs.state
        wanted = output_probabilities(after.memory, after.target, after.mask)
        yield SoftStep(
            logits[0].numpy(),
            after.registers.argmax(-1).numpy(),
            np.pad(after.memory.argmax(-1).numpy(), filled),
            before.numpy(),
            (before - after.survival).numpy(),
            np.pad(wanted.numpy(), filled, constant_values=1),
            np.pad(after.output.argmax(-1).numpy(), filled),
        )
