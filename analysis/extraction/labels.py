"""Labels: what a hard step does, with everything left out that cannot matter.

Two steps with the same label do the same to memory, to the registers that matter, and to the run's end,
whatever their dead selectors chose.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from analysis.extraction.circuits import HardChoice, circuit_block
from analysis.extraction.record import Recording
from analysis.program.block import Block
from analysis.simplification.block import needed_values, simplify_block
from analysis.simplification.meaning import NOTHING_KNOWN, Facts
from nram_env.machine import MachineConfig

TIE = 1e-6
"""Margins below this, in logits, are ties."""


@dataclass(frozen=True)
class Label:
    """The canonical live circuit of a hard step, and whether the run ends after it."""

    block: Block
    halts: bool


@dataclass(frozen=True)
class Labelling:
    """The labels of all steps of a recording, for one set of registers that matter.

    Attributes:
        live: The registers that matter: those that are tested, and those that some store or some
            live register depends on, through any number of steps.
        labels: The distinct labels.
        of_step: For every step of the recording, the number of its label.
    """

    live: frozenset[int]
    labels: tuple[Label, ...]
    of_step: tuple[int, ...]


class Labeller:
    """Makes labellings of one recording.

    Args:
        recording: The recording.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.num_registers = recording.machine.num_registers
        self.all_registers = (1 << self.num_registers) - 1
        raw = (circuit_block(recording.machine, step.choices) for step in recording.steps)
        self._blocks = [simplify_block(block, self.num_registers).block for block in raw]
        self._labellings: dict[frozenset[int], Labelling] = {}

    def labelling(self, tested: Iterable[int] = ()) -> Labelling:
        """The labels if the zero-bits of these registers are tested."""
        live = self._live(frozenset(tested))
        if live not in self._labellings:
            made = [self.label(number, live) for number in range(len(self._blocks))]
            labels = tuple(dict.fromkeys(made))
            numbers = {label: number for number, label in enumerate(labels)}
            self._labellings[live] = Labelling(live, labels, tuple(numbers[label] for label in made))
        return self._labellings[live]

    def label(self, number: int, live: frozenset[int], facts: Facts = NOTHING_KNOWN) -> Label:
        """The label of a step; with facts, what it comes to where they hold."""
        halts = self.recording.steps[number].halts
        after = frozenset[int]() if halts else live
        return Label(simplify_block(self._blocks[number], self.num_registers, after, facts).block, halts)

    def _live(self, live: frozenset[int]) -> frozenset[int]:
        """Close a set of registers under "what the code that makes them reads"; stores always count."""
        while True:
            read = frozenset[int]().union(*(self._read(block, live) for block in self._blocks))
            if read <= live:
                return live
            live |= read

    def _read(self, block: Block, live: frozenset[int]) -> frozenset[int]:
        assigned = frozenset(register for register, _ in block.assignments) & live
        needed = needed_values(block, self.num_registers, assigned)
        return frozenset(number for number in needed if number < self.num_registers)


def live_selectors(machine: MachineConfig, step: HardChoice, live: frozenset[int]) -> list[int]:
    """Numbers of the selectors that the stores and the live registers of a raw step depend on."""
    layout, num_registers = machine.layout, machine.num_registers
    after = frozenset[int]() if step.halts else live
    needed = needed_values(circuit_block(machine, step.choices), num_registers, after)
    chosen = [
        selector
        for position, rows in enumerate(layout.rows_of_gate)
        if num_registers + position in needed
        for selector in range(rows.start, rows.stop)
    ]
    return chosen + [layout.register_rows.start + register for register in sorted(after)]


def live_margins(recording: Recording, live: frozenset[int]) -> np.ndarray:
    """(N,); the margin, in logits, of every live selector of every distinct recorded step; 0 is a tie."""
    margins = [
        recording.margins[number][live_selectors(recording.machine, step, live)]
        for number, step in enumerate(recording.steps)
    ]
    return np.concatenate([np.zeros(0), *margins])


def smallest_margin(recording: Recording, live: frozenset[int]) -> float:
    """The smallest margin of a live selector over all recorded steps, in logits; infinite if none is live."""
    return float(live_margins(recording, live).min(initial=np.inf))
