"""Fidelity: is the program the hardened network, step by step?

Compared after every step, up to the end of the run: every cell that either of them wrote, every register
that matters in the program's state, and whether the run stopped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from analysis.extraction.circuits import CircuitMachine
from analysis.extraction.network import HardNetwork
from analysis.extraction.record import Inputs, circuit_steps
from analysis.machine.batch import HALTED, UNSEEN, BatchMachine
from analysis.program.certificate import Certificate, rule_of_three
from analysis.program.program import Program
from analysis.simplification.dataflow import live_registers

CLAIM = "program = hardened network"

_LONG_MEMORY, _CELLS_SHOWN = 1_000, 6
"""A memory of more cells is not printed whole; how many of its first cells are."""


@dataclass(frozen=True)
class Mismatch:
    """The first difference in a run.

    Attributes:
        memory: The input.
        time: The timestep, from 1.
        what: What differs, in words.
    """

    memory: tuple[int, ...]
    time: int
    what: str

    def __str__(self) -> str:
        return f"step {self.time} on mem = {_memory_text(self.memory)}: {self.what}"


def _memory_text(memory: tuple[int, ...]) -> str:
    """The memory; of a long one how it begins, and M."""
    if len(memory) <= _LONG_MEMORY:
        return str(list(memory))
    begins = ", ".join(map(str, memory[:_CELLS_SHOWN]))
    return f"[{begins}, ...], M = {len(memory):,}"


@dataclass(frozen=True)
class Fidelity:
    """What comparing runs gave.

    Attributes:
        runs: Runs compared.
        steps: Steps compared.
        mismatches: Runs with a difference.
        unseen: Those of them where the program came into a situation that was never recorded.
        largest_size: Largest memory size M.
        horizon: Longest run in steps.
        first: The difference that was met first, None if there is none.
        failing: The inputs of the runs with a difference.
        unseen_runs: Those of them where it is an unseen situation, each run to twice as many steps.
    """

    runs: int
    steps: int
    mismatches: int
    unseen: int
    largest_size: int
    horizon: int
    first: Mismatch | None
    failing: tuple[Inputs, ...]
    unseen_runs: tuple[Inputs, ...]

    def certificate(self, check: str = "fidelity", claim: str = CLAIM) -> Certificate:
        """The finding in fixed words."""
        domain = (
            f"{self.runs:,} runs, {self.steps:,} steps, M to {self.largest_size:,}, T to {self.horizon:,}"
        )
        if not self.runs:
            return Certificate(check, claim, "UNKNOWN", domain, 0)
        if self.first is None:
            return Certificate(
                check, claim, "TESTED", domain, self.runs, error_below=rule_of_three(self.runs)
            )
        found = f"{self.mismatches:,} of {self.runs:,} runs ({self.unseen:,} unseen); first: {self.first}"
        return Certificate(check, claim, "REFUTED", domain, self.runs, found)


def compare(program: Program, network: HardNetwork, inputs: Iterable[Inputs]) -> Fidelity:
    """Run program and network side by side.

    Raises:
        ValueError: The program was made for another machine than the network drives.
    """
    if program.machine != network.machine:
        raise ValueError(
            f"the program is of a machine with {program.machine.num_registers} registers and "
            f"{program.machine.num_gates} gates, the network drives one with "
            f"{network.machine.num_registers} and {network.machine.num_gates}"
        )
    if program.semantics != network.semantics:
        raise ValueError(f"the program has {program.semantics}, the network {network.semantics}")
    parts = [_compare_batch(program, network, batch) for batch in inputs]
    firsts = [part.first for part in parts if part.first is not None]
    return Fidelity(
        sum(part.runs for part in parts),
        sum(part.steps for part in parts),
        sum(part.mismatches for part in parts),
        sum(part.unseen for part in parts),
        max((part.largest_size for part in parts), default=0),
        max((part.horizon for part in parts), default=0),
        min(firsts, key=lambda first: (first.time, len(first.memory)), default=None),
        tuple(inputs for part in parts for inputs in part.failing),
        tuple(inputs for part in parts for inputs in part.unseen_runs),
    )


def _compare_batch(program: Program, network: HardNetwork, inputs: Inputs) -> Fidelity:
    """A run is compared up to its first difference."""
    machine = BatchMachine(program, inputs.memory, inputs.memory_sizes)
    live = [sorted(registers) for registers in live_registers(program)]
    wrong: dict[int, tuple[int, str]] = {}
    steps = time = 0
    for circuit, output, _, active in circuit_steps(network, inputs):
        time += 1
        machine.advance()
        steps += int(active.sum())
        for row, what in _differences(program, machine, circuit, output.halts, active, live).items():
            wrong.setdefault(row, (time, what))
        if len(wrong) == len(inputs.memory):
            break
    unseen = [row for row, (_, what) in wrong.items() if what.startswith("unseen")]
    twice = np.array([2 * wrong[row][0] for row in unseen], dtype=np.int64)
    late = inputs.rows(unseen)
    first = min(wrong, key=lambda row: wrong[row], default=None)
    return Fidelity(
        len(inputs.memory),
        steps,
        len(wrong),
        len(unseen),
        inputs.memory.shape[1],
        time,
        None if first is None else Mismatch(inputs.instance(first), *wrong[first]),
        (inputs.rows(np.array(sorted(wrong))),) if wrong else (),
        (replace(late, horizon=np.minimum(twice, late.horizon)),) if unseen else (),
    )


def _differences(
    program: Program,
    machine: BatchMachine,
    circuit: CircuitMachine,
    halts: np.ndarray,
    active: np.ndarray,
    live: list[list[int]],
) -> dict[int, str]:
    """Rows in which the step that both have just made came out differently, and how."""
    found: dict[int, str] = {}

    def note(rows: np.ndarray, what: str) -> None:
        for row in np.flatnonzero(rows & active):
            found.setdefault(int(row), what)

    note(machine.state == UNSEEN, "unseen situation: no edge of the program matches")
    note((machine.state == HALTED) & ~halts, "the program stops, the network does not")
    note((machine.state != HALTED) & halts, "the network stops, the program does not")
    note((machine.memory != circuit.memory).any(1), "different cells are written")
    for state, registers in enumerate(live):
        inside = machine.state == state
        for register in registers:
            theirs = circuit.registers[:, program.registers[register].source]
            name = program.registers[register].name
            note(inside & (machine.registers[register] != theirs), f"register {name} differs")
    return found
