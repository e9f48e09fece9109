"""Errors of an agent on memories of any size, soft and hard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agents.checkpoint import Agent
from agents.rollout import hard_wrong, soft_wrong
from nram_env.support import unknown_name
from nram_env.tasks import Task, TaskBatch, get_task


@dataclass(frozen=True)
class Evaluation:
    """Errors at one size.

    Attributes:
        mode: "soft" (argmax of the expected output memory) or "hard" (argmax of every selector).
        n: Difficulty.
        memory_size: M.
        examples: Number of examples.
        cell_error: Wrong output cells / output cells.
        exact_error: Share of examples with any wrong output cell.
    """

    mode: str
    n: int
    memory_size: int
    examples: int
    cell_error: float
    exact_error: float


def evaluate(
    agent: Agent, mode: str, n: int, examples: int, seed: int, memory_size: int | None = None
) -> Evaluation:
    """Measure an agent at one size, each run as long as the task's horizon.

    Args:
        agent: The agent.
        mode: "soft" or "hard".
        n: Difficulty.
        examples: Number of examples.
        seed: Seed of the examples.
        memory_size: M; default: the smallest legal one.

    Raises:
        ValueError: Unknown mode, or n or M too small for the task.
    """
    return evaluate_mixed(agent, mode, np.full(examples, n), np.random.default_rng(seed), memory_size)


def evaluate_mixed(
    agent: Agent,
    mode: str,
    sizes: np.ndarray,
    rng: np.random.Generator,
    memory_size: int | None = None,
) -> Evaluation:
    """Measure an agent on examples of several sizes in memories of one size; `n` is the largest.

    Args:
        agent: The agent.
        mode: "soft" or "hard".
        sizes: Difficulty of every example, (B,).
        rng: Source of the examples.
        memory_size: M; default: the smallest legal one.

    Raises:
        ValueError: Unknown mode, or n or M too small for the task.
    """
    if mode not in MODES:
        raise unknown_name("mode", mode, MODES)
    task, largest = get_task(agent.task), int(sizes.max())
    size = memory_size or task.smallest_memory_size(largest)
    batch = task.sample(rng, sizes, size)
    horizon = np.array([task.horizon(int(n)) for n in sizes])
    wrong = _WRONG[mode](agent, task, batch, horizon)
    cell_error = float(wrong.sum() / batch.mask.sum())
    return Evaluation(mode, largest, size, len(sizes), cell_error, float(wrong.any(1).mean()))


def evaluate_all(agent: Agent, sizes: Sequence[int], examples: int, seed: int) -> list[Evaluation]:
    """Both modes at every size."""
    return [evaluate(agent, mode, n, examples, seed) for mode in MODES for n in sizes]


def _soft(agent: Agent, task: Task, batch: TaskBatch, horizon: np.ndarray) -> np.ndarray:
    return soft_wrong(agent.controller, task, batch, horizon)


def _hard(agent: Agent, task: Task, batch: TaskBatch, horizon: np.ndarray) -> np.ndarray:
    return hard_wrong(agent.controller, batch, horizon)


_WRONG = {"soft": _soft, "hard": _hard}

MODES = tuple(_WRONG)
"""Ways to run an agent: "soft" and "hard"."""
