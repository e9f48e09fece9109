"""Errors of an agent on memories of any size, soft and hard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from agents.checkpoint import Agent
from agents.hard import hard_wrong
from agents.rollout import soft_wrong
from nram_env.support import unknown_name
from nram_env.tasks import SizePlan, Task, draw_plan, get_task, horizons


@dataclass(frozen=True)
class Evaluation:
    """Errors at one size.

    Attributes:
        mode: "soft" (argmax of the expected output memory) or "hard" (argmax of every selector).
        n: Difficulty; the largest where there are several.
        memory_sizes: The smallest and the largest M.
        examples: Number of examples.
        cell_error: Wrong output cells / output cells.
        exact_error: Share of examples with any wrong output cell.
    """

    mode: str
    n: int
    memory_sizes: tuple[int, int]
    examples: int
    cell_error: float
    exact_error: float


def evaluate(
    agent: Agent, mode: str, n: int, examples: int, seed: int, memory_size: int | None = None
) -> Evaluation:
    """Measure an agent at one n, each run as long as the task's horizon.

    Args:
        agent: The agent.
        mode: "soft" or "hard".
        n: Difficulty.
        examples: Number of examples.
        seed: Seed of the examples.
        memory_size: M; default: another one for every few examples, see `nram_env.tasks.draw_plan`.

    Raises:
        ValueError: Unknown mode, or n or M too small for the task.

    Example:
        >>> from agents import zoo
        >>> evaluate(zoo.find_entry("copy").agent, "hard", n=50, examples=20, seed=0).exact_error
        0.0
    """
    rng = np.random.default_rng(seed)
    return evaluate_plan(agent, mode, draw_plan(get_task(agent.task), rng, [n], examples, memory_size), rng)


def evaluate_plan(agent: Agent, mode: str, plan: SizePlan, rng: np.random.Generator) -> Evaluation:
    """Measure an agent on examples of planned sizes.

    Args:
        agent: The agent.
        mode: "soft" or "hard".
        plan: n, M and number of examples of every group.
        rng: Source of the examples.

    Raises:
        ValueError: Unknown mode, or n or M too small for the task.
    """
    check_mode(mode)
    return summed(mode, plan, _WRONG[mode](agent, get_task(agent.task), plan, rng))


def check_mode(mode: str) -> None:
    """Accept "soft" and "hard".

    Raises:
        ValueError: Anything else; the message offers the nearest.
    """
    if mode not in MODES:
        raise unknown_name("mode", mode, MODES)


def summed(mode: str, plan: SizePlan, found: Wrong) -> Evaluation:
    """The evaluation of a plan's examples from the wrong ones among the output cells of each batch."""
    counts = np.array([[wrong.sum(), cells.sum(), wrong.any(1).sum()] for wrong, cells in found]).sum(0)
    sizes = (int(plan.memory_size.min()), int(plan.memory_size.max()))
    n, examples = int(plan.difficulty.max()), int(plan.examples.sum())
    return Evaluation(mode, n, sizes, examples, float(counts[0] / counts[1]), float(counts[2] / examples))


def _soft(agent: Agent, task: Task, plan: SizePlan, rng: np.random.Generator) -> Wrong:
    for batch in plan.batches(task, rng):
        yield soft_wrong(agent.controller, task, batch, horizons(task, batch.difficulty)), batch.mask


def _hard(agent: Agent, task: Task, plan: SizePlan, rng: np.random.Generator) -> Wrong:
    for batch in plan.mixed(task, rng):
        yield hard_wrong(agent.controller, batch, batch.horizon)[0], batch.mask


Wrong = Iterator[tuple[np.ndarray, np.ndarray]]
"""Wrong output cells and all output cells, (B, M) booleans, batch by batch."""

_WRONG = {"soft": _soft, "hard": _hard}

MODES = tuple(_WRONG)
"""Ways to run an agent: "soft" and "hard"."""
