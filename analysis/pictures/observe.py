"""What a trained agent does, as numbers for pictures: errors, one soft run, hidden states. Needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from agents.checkpoint import Agent
from agents.hard import hard_steps, hard_wrong
from agents.rollout import make_envs, soft_wrong
from analysis.extraction.adapters import HardenedAgent
from analysis.extraction.circuits import CircuitMachine
from analysis.extraction.inputs import inputs_of
from analysis.extraction.stops import hard_run, network_stops
from analysis.machine.batch import BatchMachine
from analysis.measurement.errors import SOFT_MARGIN, soft_horizon
from analysis.program.program import Program
from analysis.verification.correctness import wrong_cells
from analysis.verification.stopping import limits
from nram_env.tasks import Task, TaskBatch, draw_plan, example_of, get_task, join

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
    """One example, run soft and hard side by side; T is where a run stopped, or the task's horizon.

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
    """Errors for every mode and n, on the same examples in memories of many sizes.

    The output is read where agent and program stop by themselves, of an agent that does not at the task's
    horizon; `horizon` is that in any case.
    """
    task = get_task(agent.task)
    stops = network_stops(HardenedAgent(agent), task)
    found = []
    for n in sizes:
        batches = _drawn(task, n, examples, seed)
        if stops:
            errors = _errors_to_the_stop(agent, program, task, batches)
        else:
            errors = _errors(agent, program, task, batches, task.horizon(n))
        found += _points(n, task.horizon(n), errors)
    return found


def _points(n: int, horizon: int, errors: Sequence[float]) -> list[ErrorPoint]:
    return [ErrorPoint(mode, n, horizon, error) for mode, error in zip(MODES, errors, strict=True)]


def errors_by_horizon(
    agent: Agent, program: Program, n: int, horizons: Sequence[int], examples: int, seed: int
) -> list[ErrorPoint]:
    """Errors at one size where the output is read after T timesteps, for every mode and T."""
    task = get_task(agent.task)
    batches = _drawn(task, n, examples, seed)
    return [
        point
        for horizon in horizons
        for point in _points(n, horizon, _errors(agent, program, task, batches, horizon))
    ]


def _drawn(task: Task, n: int, examples: int, seed: int) -> list[TaskBatch]:
    rng = np.random.default_rng(seed)
    return list(draw_plan(task, rng, [n], examples).batches(task, rng))


def _errors(
    agent: Agent, program: Program, task: Task, batches: Sequence[TaskBatch], horizon: int
) -> tuple[float, ...]:
    """The exact error of every mode on the same examples."""
    mixed = join(task, batches)
    limits = np.full(mixed.batch_size, horizon)
    hard = hard_wrong(agent.controller, mixed, limits)[0]
    return _shares(_soft(agent, task, batches, limits), hard, wrong_cells(program, mixed, limits))


def _errors_to_the_stop(
    agent: Agent, program: Program, task: Task, batches: Sequence[TaskBatch]
) -> tuple[float, ...]:
    """The same of an agent that stops by itself."""
    mixed = join(task, batches)
    inputs = inputs_of(task, mixed, must_stop=True)
    run = hard_run(HardenedAgent(agent), inputs)
    hard = ((run.memory != mixed.target) | ~run.halted[:, None]) & mixed.mask
    soft = _soft(agent, task, batches, run.steps + SOFT_MARGIN)
    return _shares(soft, hard, wrong_cells(program, mixed, inputs.horizon, must_stop=True))


def _soft(agent: Agent, task: Task, batches: Sequence[TaskBatch], limits: np.ndarray) -> np.ndarray:
    """Which examples have a wrong cell in the soft run, (B, 1)."""
    parts = np.split(limits, np.cumsum([batch.batch_size for batch in batches])[:-1])
    wrong = (soft_wrong(agent.controller, task, *some) for some in zip(batches, parts, strict=True))
    return np.concatenate([cells.any(1, keepdims=True) for cells in wrong])


def _shares(*wrong: np.ndarray) -> tuple[float, ...]:
    return tuple(float(cells.any(1).mean()) for cells in wrong)


@dataclass(frozen=True)
class SoftRun:
    """One example on the differentiable machine, T timesteps.

    Attributes:
        registers: (T + 1, R, M) probabilities, before and after each timestep.
        memory: (T + 1, M, M), the same.
        logits: (T, D); what the controller emitted.
        horizon: (1,); the timestep at which it would have been cut.
    """

    registers: np.ndarray
    memory: np.ndarray
    logits: np.ndarray
    horizon: np.ndarray


@torch.no_grad()
def soft_run(agent: Agent, batch: TaskBatch, stops: bool) -> SoftRun:
    """Run an agent on a batch of one example: to its stop and a little on, or to the task's horizon.

    Args:
        agent: The agent.
        batch: The example.
        stops: Whether the agent stops by itself.
    """
    task, controller = get_task(agent.task), agent.controller
    envs = make_envs(task, agent.machine, 1)
    horizon = soft_horizon(agent, batch) if stops else limits(task, batch, must_stop=False)
    observation, _ = envs.reset(options={"instance": batch, "horizon": horizon})
    state, moments, emitted = controller.initial_state(1), [envs.state], []
    while not bool(envs.finished.all()):
        logits, state = controller(observation[None], state)
        observation, *_ = envs.step(logits[0])
        moments.append(envs.state)
        emitted.append(logits[0, 0].double().numpy())
    registers, memory = (
        torch.stack([getattr(moment, name)[0] for moment in moments]).numpy()
        for name in ("registers", "memory")
    )
    return SoftRun(registers, memory, np.array(emitted), horizon)


@torch.no_grad()
def observe_run(agent: Agent, n: int, seed: int) -> ObservedRun:
    """Run an agent on one random example of size n: to its stop and a little on, or to the task's horizon."""
    task, layout, controller = get_task(agent.task), agent.machine.layout, agent.controller
    batch = example_of(task, n, seed)
    stops = network_stops(HardenedAgent(agent), task)
    soft = soft_run(agent, batch, stops)
    choices = layout.choices(soft.logits)
    hard = [step.kept().memory[0] for step in hard_steps(controller, batch.memory, soft.horizon)]
    return ObservedRun(
        tuple(selector.name for selector in layout.selectors),
        np.array([[layout.choice_name(choice) for choice in row] for row in choices]),
        np.stack([_largest(soft.logits[:, s.slice]) for s in layout.selectors], axis=1),
        1 / (1 + np.exp(-soft.logits[:, layout.halt])),
        soft.memory.argmax(-1),
        soft.memory.max(-1),
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
