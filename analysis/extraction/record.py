"""Recording: run the hardened controller on many inputs and keep what it saw and chose.

A recording holds every distinct hard step once and, for every run, its zero-patterns and the numbers of
its steps. Everything after this works from the recording alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.extraction.circuits import CircuitMachine, HardChoice
from analysis.extraction.network import HardNetwork, HardOutput
from analysis.extraction.table import is_table, table_of, table_reach
from analysis.program.program import Semantics
from analysis.simplification.reach import Reach
from nram_env.machine import MachineConfig, patterns_of_zeros


@dataclass(frozen=True)
class Inputs:
    """Runs to make.

    Attributes:
        memory: (B, W) integers; a row whose M is smaller than W is filled up.
        horizon: (B,); T of every run.
        memory_sizes: (B,); M of every run; None if all of them are W.
    """

    memory: np.ndarray
    horizon: np.ndarray
    memory_sizes: np.ndarray | None = None

    def rows(self, chosen: np.ndarray | list[int]) -> Inputs:
        """Some of the runs."""
        sizes = None if self.memory_sizes is None else self.memory_sizes[chosen]
        return Inputs(self.memory[chosen], self.horizon[chosen], sizes)

    def instance(self, row: int) -> tuple[int, ...]:
        """The memory of one run, its own M cells."""
        size = None if self.memory_sizes is None else self.memory_sizes[row]
        return tuple(self.memory[row, :size].tolist())


@dataclass(frozen=True)
class RecordedRun:
    """One run.

    Attributes:
        patterns: (T,); bit r is set where register r of the machine was 0 before the step.
        steps: (T,); number of the hard step in the recording.
    """

    patterns: tuple[int, ...]
    steps: tuple[int, ...]


@dataclass(frozen=True)
class Recording:
    """What a controller did.

    Attributes:
        machine: The machine that it drives.
        semantics: How it was hardened.
        stateless: Whether the controller has no state of its own.
        table: Zero-pattern -> number of the step taken there, for every pattern that can occur: read from
            the controller itself, not from runs. Empty for one with state, or with more registers than
            `analysis.simplification.guards.MAX_REGISTERS`.
        steps: The distinct hard steps.
        margins: (U, S); the smallest margin of every selector over the times that a step occurred.
        runs: The runs.
    """

    machine: MachineConfig
    semantics: Semantics
    stateless: bool
    table: Mapping[int, int]
    steps: tuple[HardChoice, ...]
    margins: np.ndarray
    runs: tuple[RecordedRun, ...]

    @cached_property
    def reach(self) -> Reach:
        """Which zero-patterns can occur, and what the registers then hold; of a table alone."""
        return table_reach(self.machine, lambda pattern: self.steps[self.table[pattern]])


def record(network: HardNetwork, inputs: Iterable[Inputs], earlier: Recording | None = None) -> Recording:
    """Run a hardened controller and keep what it did.

    Args:
        network: The controller.
        inputs: What to run it on.
        earlier: A recording of the same controller to which the new runs are added.
    """
    book = _Book(earlier)
    table = earlier.table if earlier else _whole_table(network, book)
    runs = list(earlier.runs) if earlier else []
    for batch in inputs:
        runs += _record_batch(network, batch, book)
    return Recording(
        network.machine,
        network.semantics,
        network.stateless,
        table,
        tuple(book.steps),
        np.array(book.margins),
        tuple(runs),
    )


def _whole_table(network: HardNetwork, book: _Book) -> dict[int, int]:
    """The step under every zero-pattern that can occur, read from the controller itself."""
    if not is_table(network):
        return {}
    output = table_of(network)
    possible = table_reach(network.machine, output.step).patterns()
    return {pattern: book.number(output.step(pattern), output.margins[pattern]) for pattern in possible}


def circuit_steps(
    network: HardNetwork, inputs: Inputs
) -> Iterator[tuple[CircuitMachine, HardOutput, np.ndarray, np.ndarray]]:
    """Run a hardened controller on a batch, one timestep an item.

    Yields:
        The machine after the step; the controller's outputs; the zero-patterns (B,) that it saw; and
        which rows (B,) took the step. A row ends at its horizon or when it halts.
    """
    machine = CircuitMachine(network.machine, inputs.memory, inputs.memory_sizes)
    state = network.initial_state(len(inputs.memory))
    active = inputs.horizon > 0
    time = 0
    while active.any():
        zeros = machine.registers == 0
        output, state = network(zeros, state)
        machine.advance(output.choices, active)
        yield machine, output, patterns_of_zeros(zeros), active
        time += 1
        active = active & ~output.halts & (time < inputs.horizon)


class _Book:
    """The distinct hard steps met so far."""

    def __init__(self, earlier: Recording | None) -> None:
        self.steps = list(earlier.steps) if earlier else []
        self.margins = list(earlier.margins) if earlier else []
        self._numbers = {step: number for number, step in enumerate(self.steps)}

    def number(self, step: HardChoice, margins: np.ndarray) -> int:
        """The number of a step, entered if it is new."""
        number = self._numbers.setdefault(step, len(self.steps))
        if number == len(self.steps):
            self.steps.append(step)
            self.margins.append(margins)
        else:
            self.margins[number] = np.minimum(self.margins[number], margins)
        return number


def _record_batch(network: HardNetwork, inputs: Inputs, book: _Book) -> list[RecordedRun]:
    patterns: list[list[int]] = [[] for _ in inputs.memory]
    numbers: list[list[int]] = [[] for _ in inputs.memory]
    for _, output, seen, active in circuit_steps(network, inputs):
        for row in np.flatnonzero(active):
            patterns[row].append(int(seen[row]))
            numbers[row].append(book.number(output.step(int(row)), output.margins[row]))
    return [RecordedRun(tuple(p), tuple(n)) for p, n in zip(patterns, numbers, strict=True)]
