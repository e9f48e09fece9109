"""Errors of an agent, soft and hard: where it stops by itself, or else at the task's horizon. Needs torch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from agents.checkpoint import Agent
from agents.evaluation import MODES, Evaluation, Wrong, check_mode, evaluate_plan, summed
from agents.rollout import soft_wrong
from analysis.extraction.adapters import HardenedAgent
from analysis.extraction.inputs import inputs_of
from analysis.extraction.stops import hard_run, network_stops
from nram_env.tasks import MixedBatch, SizePlan, Task, TaskBatch, draw_plan, get_task

SOFT_MARGIN = 16
"""A soft run has so many timesteps more than the hard run takes to its stop: nobody tells it when to stop."""


def measure_errors(agent: Agent, mode: str, plan: SizePlan, rng: np.random.Generator) -> Evaluation:
    """Measure an agent on examples of planned sizes.

    An agent whose hardened runs stop by themselves is measured where they do; a hard run that does not is
    wrong. Any other is measured at the task's horizon.

    Args:
        agent: The agent.
        mode: "soft" or "hard".
        plan: n, M and number of examples of every group.
        rng: Source of the examples.

    Raises:
        ValueError: Unknown mode, or n or M too small for the task.
    """
    check_mode(mode)
    task = get_task(agent.task)
    if not network_stops(HardenedAgent(agent), task):
        return evaluate_plan(agent, mode, plan, rng)
    return summed(mode, plan, (_soft if mode == "soft" else _hard)(agent, task, plan, rng))


def measure_sizes(
    agent: Agent, sizes: Sequence[int], examples: int, seed: int, modes: Sequence[str] = MODES
) -> list[Evaluation]:
    """All modes at every size n, on the same examples."""
    return [_at_size(agent, mode, n, examples, seed) for mode in modes for n in sizes]


def _at_size(agent: Agent, mode: str, n: int, examples: int, seed: int) -> Evaluation:
    rng = np.random.default_rng(seed)
    return measure_errors(agent, mode, draw_plan(get_task(agent.task), rng, [n], examples), rng)


def soft_horizon(agent: Agent, batch: TaskBatch | MixedBatch) -> np.ndarray:
    """The last step of every soft run, (B,), of an agent that stops by itself: a while after its hard run."""
    inputs = inputs_of(get_task(agent.task), batch, must_stop=True)
    return hard_run(HardenedAgent(agent), inputs).steps + SOFT_MARGIN


def _soft(agent: Agent, task: Task, plan: SizePlan, rng: np.random.Generator) -> Wrong:
    for batch in plan.batches(task, rng):
        yield soft_wrong(agent.controller, task, batch, soft_horizon(agent, batch)), batch.mask


def _hard(agent: Agent, task: Task, plan: SizePlan, rng: np.random.Generator) -> Wrong:
    network = HardenedAgent(agent)
    for batch in plan.mixed(task, rng):
        run = hard_run(network, inputs_of(task, batch, must_stop=True))
        yield ((run.memory != batch.target) | ~run.halted[:, None]) & batch.mask, batch.mask
