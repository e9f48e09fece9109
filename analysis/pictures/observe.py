"""What a trained agent does, as numbers for pictures: errors, one soft run, hidden states. Needs torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from agents.checkpoint import Agent
from agents.hard import hard_steps, hard_wrong
from agents.rollout import make_envs, soft_wrong
from analysis.extraction.adapters import HardenedAgent
from analysis.extraction.circuits import CircuitMachine
from analysis.machine.batch import BatchMachine
from analysis.program.program import Program
from analysis.verification.correctness import wrong_cells
from nram_env.tasks import Task, TaskBatch, draw_plan, get_task, join

MODES = ("soft", "hard", "program")
"""The network as it was trained; its largest choices alone; and the program that was read from it."""


@dataclass(frozen=True)
class ErrorPoint:
    """An exact error: the share of examples with any wrong output cell.

    Attributes:
        mode: One of MODES.
        n: Difficulty.
        horizon: T, at which the output was read.
        error: In 0..1.
    """

    mode: str
    n: int
    horizon: int
    error: float


@dataclass(frozen=True)
class ObservedRun:
    """One example, run soft and hard side by side; T is the task's horizon or where a run stopped.

    Attributes:
        selector_names: S names, in the order of the machine's layout.
        choice_names: (T, S) texts; the most probable choice of every selector in the soft run.
        choice_probs: (T, S); its probability.
        halting_probs: (T,); f, the willingness to stop after the timestep.
        soft_memory: (T + 1, M) integers; the most probable value of every cell, before and after each step.
        soft_probs: (T + 1, M); its probability.
        hard_memory: (T' + 1, M) integers.
        output: (M,) booleans; the output cells.
    """

    selector_names: tuple[str, ...]
    choice_names: np.ndarray
    choice_probs: np.ndarray
    halting_probs: np.ndarray
    soft_memory: np.ndarray
    soft_probs: np.ndarray
    hard_memory: np.ndarray
    output: np.ndarray


@dataclass(frozen=True)
class HiddenStates:
    """States of a hardened controller after each timestep, with what the program was doing.

    Attributes:
        vectors: (N, H); the LSTM's hidden state h, without its cells, which may grow without bound.
        machine_states: N names; the state of the program in which the timestep was taken.
    """

    vectors: np.ndarray
    machine_states: tuple[str, ...]


def errors_by_size(
    agent: Agent, program: Program, sizes: Sequence[int], examples: int, seed: int
) -> list[ErrorPoint]:
    """Errors at the task's horizon, for every mode and n, on the same examples in memories of many sizes."""
    horizon = get_task(agent.task).horizon
    return [
        point for n in sizes for point in errors_by_horizon(agent, program, n, [horizon(n)], examples, seed)
    ]


def errors_by_horizon(
    agent: Agent, program: Program, n: int, horizons: Sequence[int], examples: int, seed: int
) -> list[ErrorPoint]:
    """Errors at one size where the output is read after T timesteps, for every mode and T."""
    task, rng = get_task(agent.task), np.random.default_rng(seed)
    batches = list(draw_plan(task, rng, [n], examples).batches(task, rng))
    return [
        ErrorPoint(mode, n, horizon, error)
        for horizon in horizons
        for mode, error in zip(MODES, _errors(agent, program, task, batches, horizon), strict=True)
    ]


def _errors(
    agent: Agent, program: Program, task: Task, batches: Sequence[TaskBatch], horizon: int
) -> Iterator[float]:
    """The exact error of every mode on the same examples."""
    mixed = join(task, batches)
    limits = np.full(mixed.batch_size, horizon)
    soft = [soft_wrong(agent.controller, task, b, limits[: b.batch_size]).any(1) for b in batches]
    yield float(np.concatenate(soft).mean())
    yield float(hard_wrong(agent.controller, mixed, limits)[0].any(1).mean())
    yield float(wrong_cells(program, mixed, limits).any(1).mean())


@torch.no_grad()
def observe_run(agent: Agent, n: int, seed: int) -> ObservedRun:
    """Run an agent on one random example of size n."""
    task, layout, controller = get_task(agent.task), agent.machine.layout, agent.controller
    batch = task.sample(np.random.default_rng(seed), n, task.smallest_memory_size(n))
    envs = make_envs(task, agent.machine, 1)
    observation, _ = envs.reset(options={"instance": batch})
    state, memories, emitted = controller.initial_state(1), [envs.state.memory[0]], []
    while not bool(envs.finished.all()):
        logits, state = controller(observation[None], state)
        observation, *_ = envs.step(logits[0])
        memories.append(envs.state.memory[0])
        emitted.append(logits[0, 0].double().numpy())
    logits_over_time, memory = np.array(emitted), torch.stack(memories).numpy()
    choices = layout.choices(logits_over_time)
    limit = np.array([task.horizon(n)])
    hard = [step.kept().memory[0] for step in hard_steps(controller, batch.memory, limit)]
    return ObservedRun(
        tuple(selector.name for selector in layout.selectors),
        np.array([[layout.choice_name(choice) for choice in row] for row in choices]),
        np.stack([_largest(logits_over_time[:, s.slice]) for s in layout.selectors], axis=1),
        1 / (1 + np.exp(-logits_over_time[:, layout.halt])),
        memory.argmax(-1),
        memory.max(-1),
        np.array([batch.memory[0], *hard]),
        batch.mask[0],
    )


def _largest(logits: np.ndarray) -> np.ndarray:
    """The largest probability of a softmax, by row."""
    return 1 / np.exp(logits - logits.max(-1, keepdims=True)).sum(-1)


def hidden_states(agent: Agent, program: Program, batch: TaskBatch, horizon: np.ndarray) -> HiddenStates:
    """Run the hardened controller and the program side by side.

    Args:
        agent: An agent whose controller is an LSTM.
        program: Its program.
        batch: Examples.
        horizon: Last timestep of every example, (B,).
    """
    network = HardenedAgent(agent, program.semantics)
    machine, follower = CircuitMachine(agent.machine, batch.memory), BatchMachine(program, batch.memory)
    state, active = network.initial_state(batch.batch_size), horizon > 0
    width = agent.controller.spec.hidden_size
    vectors, names = [], []
    for time in range(1, int(horizon.max()) + 1):
        output, state = network(machine.registers == 0, state)
        vectors.append(state[0].numpy()[active, :width])
        names += [program.states[number] if number >= 0 else "none" for number in follower.state[active]]
        machine.advance(output.choices, active)
        follower.advance(horizon)
        active = active & ~output.halts & (time < horizon)
    return HiddenStates(np.concatenate(vectors), tuple(names))
