"""The hardened stack on integers: every selector at its largest logit (paper, Section 3.4)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from agents.controllers import Controller
from nram_env.machine import hard_advance, patterns_of_zeros, zeros_of_patterns
from nram_env.tasks import MixedBatch, TaskBatch


@dataclass(frozen=True)
class HardStep:
    """One timestep of a batch on the hard machine. The next step changes registers and memory.

    Attributes:
        choices: (N, S), the largest logit of every selector, the first on ties.
        registers: (N, R) integers after the step.
        memory: (N, M) integers after the step.
        running: (N,) booleans; rows that had not finished before the step. Other rows stand still.
        halts: (N,) booleans; rows whose run ends with this step by the controller's wish, f > 0.5.
    """

    choices: np.ndarray
    registers: np.ndarray
    memory: np.ndarray
    running: np.ndarray
    halts: np.ndarray

    def kept(self) -> HardStep:
        """The same, with registers and memory that the next step leaves alone."""
        return replace(self, registers=self.registers.copy(), memory=self.memory.copy())


@torch.no_grad()
def hard_steps(
    controller: Controller,
    memory: np.ndarray,
    horizon: np.ndarray,
    memory_sizes: np.ndarray | None = None,
) -> Iterator[HardStep]:
    """Run the hardened stack on integers, in float64, one timestep at a time.

    Args:
        controller: P members.
        memory: Integers (P x B, M), member by member; left as they are.
        horizon: Last timestep of every row, (P x B,).
        memory_sizes: M of every row, (P x B,), where they differ; rows are then filled up to the largest.

    Yields:
        Steps until every row has finished.
    """
    machine, memory = controller.spec.machine, np.array(memory, dtype=np.int64)
    sizes = np.full(len(memory), memory.shape[1]) if memory_sizes is None else memory_sizes
    registers = np.zeros((len(memory), machine.num_registers), dtype=np.int64)
    choose = _chooser(controller, len(memory) // controller.num_members, int(np.max(horizon, initial=0)))
    running, step = np.asarray(horizon) > 0, 0
    while running.any():
        rows, (choices, stops) = np.flatnonzero(running), choose(registers == 0)
        registers[rows] = hard_advance(machine, registers[rows], memory, choices[rows], rows, sizes[rows])
        halts = running & stops
        yield HardStep(choices, registers, memory, running, halts)
        step += 1
        running = running & ~halts & (step < horizon)


def hard_failures(
    controller: Controller, batch: TaskBatch | MixedBatch, limit: np.ndarray, must_stop: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Examples on which the hardened stack fails, and timesteps that it took, both (P, B).

    Args:
        controller: P members.
        batch: B examples; M is the largest where they differ.
        limit: Last timestep of every example, (B,).
        must_stop: A run that has not stopped by itself by then is a failure, whatever its output.
    """
    memory, stopped, steps = _ends(controller, batch, limit)
    wrong = (memory != batch.target) & batch.mask
    return wrong.any(2) | (must_stop & ~stopped), steps


def hard_wrong(controller: Controller, batch: TaskBatch | MixedBatch, horizon: np.ndarray) -> np.ndarray:
    """Wrong output cells of the hardened stack, (P, B, M), each member on the same B examples.

    Args:
        controller: P members.
        batch: B examples; M is the largest where they differ.
        horizon: Last timestep of every example, (B,).
    """
    memory, *_ = _ends(controller, batch, horizon)
    return (memory != batch.target) & batch.mask


def _ends(
    controller: Controller, batch: TaskBatch | MixedBatch, limit: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Memory (P, B, M) at the end; whether runs stop by themselves, and after how many steps, (P, B)."""
    members = controller.num_members
    memory, limits = np.tile(batch.memory, (members, 1)), np.tile(limit, members)
    stopped, steps = np.zeros(len(memory), dtype=bool), np.zeros(len(memory), dtype=np.int64)
    for step in hard_steps(controller, memory, limits, np.tile(batch.memory_sizes, members)):
        memory, stopped, steps = step.memory, stopped | step.halts, steps + step.running
    shape = (members, len(batch.memory))
    return memory.reshape(*shape, -1), stopped.reshape(shape), steps.reshape(shape)


def _chooser(controller: Controller, rows: int, steps: int) -> _Choosing | _Table:
    """A controller without state is asked once for every zero-pattern, where that is less work."""
    exact, patterns = controller.to(torch.float64), 2**controller.spec.machine.num_registers
    stateless = controller.spec.state_size == 0
    return _Table(exact) if stateless and patterns <= rows * steps else _Choosing(exact, rows)


class _Choosing:
    """A stack in motion on P x `rows` rows: choices (P x B, S) and wishes to stop (P x B,), step by step."""

    def __init__(self, controller: Controller, rows: int) -> None:
        self._controller, self._state = controller, controller.initial_state(rows)

    def __call__(self, zeros: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen = torch.from_numpy(zeros.astype(np.float64)).unflatten(0, (self._controller.num_members, -1))
        output, self._state = self._controller(seen, self._state)
        logits, layout = output.flatten(0, 1).numpy(), self._controller.spec.machine.layout
        return layout.choices(logits), logits[:, layout.halt] > 0


class _Table:
    """The same of a stack without state, as a table over the zero-patterns."""

    def __init__(self, controller: Controller) -> None:
        patterns = zeros_of_patterns(controller.spec.machine.num_registers)
        parts = [_asked(controller, part) for part in np.array_split(patterns, -(-len(patterns) // 64))]
        self._choices, self._stops = (np.concatenate(values, axis=1) for values in zip(*parts, strict=True))

    def __call__(self, zeros: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        members = np.repeat(np.arange(len(self._choices)), len(zeros) // len(self._choices))
        patterns = patterns_of_zeros(zeros)
        return self._choices[members, patterns], self._stops[members, patterns]


def _asked(controller: Controller, patterns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Choices (P, K, S) and wishes to stop (P, K) at K zero-patterns."""
    members = controller.num_members
    choices, stops = _Choosing(controller, len(patterns))(np.tile(patterns, (members, 1)))
    return choices.reshape(members, len(patterns), -1), stops.reshape(members, -1)
