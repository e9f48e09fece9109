"""How much of a task's output is right, in every mode of execution and under every stop rule. Needs torch.

Modes, from the network as it was trained to the program read from it:

    soft         memory and end of the run drawn as the soft network has them; expected shares
    soft argmax  the most probable value of every cell of the expected memory: the paper's error
    hard         every selector at its largest logit at every timestep
    program      the program alone

Stop rules say after which timestep the memory of the hard network is read, by its f_t along the whole run:

    never            T
    first_over_half  the first t with f_t > 1/2, else T
    median           the first t with p_1 + ... + p_t >= 1/2
    argmax_p         the t with the largest p_t, the first on ties
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from agents.checkpoint import Agent
from analysis.extraction.adapters import HardenedAgent
from analysis.extraction.record import Inputs, circuit_steps
from analysis.measurement.soft import SoftStep
from analysis.program.program import Program, Semantics
from analysis.verification.correctness import wrong_cells
from nram_env.machine import halting_distribution
from nram_env.tasks import MixedBatch, TaskBatch, get_task, join


@dataclass(frozen=True)
class Accuracy:
    """How much of the output is right.

    Attributes:
        name: Of the mode or of the stop rule.
        cells: Right output cells / output cells, in 0..1.
        exact: Share of examples whose whole output is right.
    """

    name: str
    cells: float
    exact: float


@dataclass(frozen=True)
class StopAccuracy(Accuracy):
    """How much of the output is right where a stop rule reads it.

    Attributes:
        step: The mean timestep after which it is read.
    """

    step: float


def mode_accuracies(
    program: Program,
    batch: MixedBatch,
    soft: Sequence[SoftStep],
    hard_memory: np.ndarray,
    horizon: np.ndarray,
) -> tuple[Accuracy, ...]:
    """The accuracy of every mode on the same examples.

    Args:
        program: The program read from the network.
        batch: B examples.
        soft: The soft run of these examples.
        hard_memory: (B, M) integers; the memory at the end of the hard run.
        horizon: Last timestep of every run of the program, (B,).
    """
    return (
        _expected(batch, soft),
        _accuracy("soft argmax", batch, soft[-1].output),
        _accuracy("hard", batch, hard_memory),
        _of_wrong("program", batch, wrong_cells(program, batch, horizon)),
    )


def stop_accuracies(agent: Agent, batches: Sequence[TaskBatch], horizon: int) -> tuple[StopAccuracy, ...]:
    """The accuracy of the hard network under every stop rule.

    Args:
        agent: The agent.
        batches: Examples.
        horizon: T of all of them.
    """
    mixed, found = join(get_task(agent.task), batches), []
    runs = [_hard_run(agent, batch, horizon) for batch in batches]
    for name, rule in STOP_RULES.items():
        stops = [rule(halting) for _, halting in runs]
        wrong = np.zeros(mixed.mask.shape, dtype=bool)
        first = 0
        for batch, (memories, _), stop in zip(batches, runs, stops, strict=True):
            rows = np.arange(batch.batch_size)
            place = wrong[first : first + batch.batch_size, : batch.memory_size]
            place[:] = (memories[stop, rows] != batch.target) & batch.mask
            first += batch.batch_size
        accuracy = _of_wrong(name, mixed, wrong)
        step = float(np.concatenate(stops).mean() + 1)
        found.append(StopAccuracy(name, accuracy.cells, accuracy.exact, step))
    return tuple(found)


def _hard_run(agent: Agent, batch: TaskBatch, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """The memories (T, B, M) after every step of a hard run that never stops, and f (B, T)."""
    network = HardenedAgent(agent, Semantics(stop_rule="never"))
    inputs = Inputs(batch.memory, np.full(batch.batch_size, horizon))
    steps = [(m.memory.copy(), output.halting_probs) for m, output, *_ in circuit_steps(network, inputs)]
    return np.array([memory for memory, _ in steps]), np.array([probs for _, probs in steps]).T


def _never(halting: np.ndarray) -> np.ndarray:
    return np.full(len(halting), halting.shape[1] - 1)


def _first_over_half(halting: np.ndarray) -> np.ndarray:
    over = halting > 0.5
    return np.where(over.any(1), over.argmax(1), halting.shape[1] - 1)


def _median(halting: np.ndarray) -> np.ndarray:
    return (np.cumsum(_distribution(halting), axis=1) >= 0.5).argmax(1)


def _argmax_p(halting: np.ndarray) -> np.ndarray:
    return _distribution(halting).argmax(1)


STOP_RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "never": _never,
    "first_over_half": _first_over_half,
    "median": _median,
    "argmax_p": _argmax_p,
}
"""From f, (B, T), to the timestep, (B,), counted from 0, after which the memory is read."""


def _distribution(halting: np.ndarray) -> np.ndarray:
    return halting_distribution(torch.from_numpy(halting)).numpy()


def _expected(batch: MixedBatch, soft: Sequence[SoftStep]) -> Accuracy:
    """Expected shares, if the end of the run and then every cell are drawn by their probabilities."""
    right = sum(float((step.halting[:, None] * step.wanted)[batch.mask].sum()) for step in soft)
    exact = sum(float((step.halting * step.wanted.prod(1)).mean()) for step in soft)
    return Accuracy("soft", right / float(batch.mask.sum()), exact)


def _accuracy(name: str, batch: MixedBatch, memory: np.ndarray) -> Accuracy:
    return _of_wrong(name, batch, (memory != batch.target) & batch.mask)


def _of_wrong(name: str, batch: MixedBatch, wrong: np.ndarray) -> Accuracy:
    return Accuracy(name, float(1 - wrong.sum() / batch.mask.sum()), float(1 - wrong.any(1).mean()))
