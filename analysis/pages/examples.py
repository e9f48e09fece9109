"""Examples for the stepper: instances of the task, and soft runs of the network on them, as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np

from analysis.exporters.javascript import javascript_code
from analysis.extraction.circuits import HardChoice
from analysis.extraction.labels import live_selectors
from analysis.extraction.network import softmax
from analysis.machine.vm import run
from analysis.pages.code import block_title
from analysis.pages.subject import Subject
from analysis.pages.task_data import task_data
from analysis.program.block import ProgramError
from analysis.program.program import Edge, Program
from analysis.simplification.dataflow import live_after, live_registers
from analysis.verification.stopping import limits, stops_by_itself
from nram_env.machine import ActionLayout
from nram_env.tasks import Task, TaskBatch, example_of

SIZES = (1, 2, 3, 5, 8)
"""n of the examples, as far as the task has them."""

SEEDS = (0, 1, 2)
"""Seeds of the examples of each n: the instances are those of `nram trace --n N --seed SEED`."""

LARGEST_SOFT = 5
"""The largest n of which the soft run is shown as well."""

_LEAST = 5
"""Permille; what is less probable is not shown."""


def stepper_code(program: Program) -> str | None:
    """The program in JavaScript; None where it cannot be written so."""
    try:
        return javascript_code(program)
    except ProgramError:
        return None


def stepper_data(subject: Subject) -> dict[str, Any]:
    """All that the stepper needs besides the program's code.

    Soft numbers are whole permilles; of a distribution only what has at least five, as value, permille,
    value, permille, ...; a value alone is certain.
    """
    program = subject.long.program
    return {
        "task": task_data(subject.task),
        "registers": [register.name for register in program.registers],
        "blocks": [block_title(program, number) for number in range(len(program.edges))],
        "selectors": _selectors(program),
        "choices": [name for names in _value_names(program) for name in names],
        "live": [_live(program, edge) for edge in program.edges] if subject.agent else [],
        "examples": list(_examples(subject)),
    }


def example_sizes(task: Task) -> list[int]:
    """n of the examples of a task."""
    return sorted({max(task.smallest_difficulty, n) for n in SIZES})


def _examples(subject: Subject) -> Iterator[dict[str, Any]]:
    task, program = subject.task, subject.long.program
    if task is None:
        return
    stops = stops_by_itself(program, task)
    soft = _SoftRuns(subject) if subject.agent is not None else None
    for n in example_sizes(task):
        for seed in SEEDS:
            batch = example_of(task, n, seed)
            memory, most = batch.memory[0].tolist(), int(limits(task, batch, stops)[0])
            cells = np.flatnonzero(batch.mask[0]).tolist()
            example = {"n": n, "seed": seed, "memory": memory, "most": most}
            example["wanted"] = {cell: int(batch.target[0, cell]) for cell in cells}
            if soft is not None and n <= LARGEST_SOFT:
                example["soft"] = soft.moments(batch, run(program, memory, most).steps)
            yield example


class _SoftRuns:
    """Soft runs of a network, told in the names of its program."""

    def __init__(self, subject: Subject) -> None:
        from analysis.extraction.adapters import HardenedAgent  # needs torch
        from analysis.extraction.stops import network_stops

        assert subject.task is not None
        self._agent, self._program = subject.agent, subject.long.program
        self._stops = network_stops(HardenedAgent(subject.agent), subject.task)

    def moments(self, batch: TaskBatch, steps: int) -> list[dict[str, Any]]:
        """Registers and memory before every timestep of the hard run and at its end, and the attention."""
        from analysis.pictures.observe import soft_run

        run = soft_run(self._agent, batch, self._stops)
        sources = [register.source for register in self._program.registers]
        layout = self._program.machine.layout
        found = []
        for time in range(min(steps, len(run.logits)) + 1):
            moment: dict[str, Any] = {
                "memory": [_sparse(cell) for cell in run.memory[time]],
                "registers": [_sparse(run.registers[time, source]) for source in sources],
            }
            if time < min(steps, len(run.logits)):
                moment |= _attention(layout, run.logits[time])
            found.append(moment)
        return found


def _attention(layout: ActionLayout, logits: np.ndarray) -> dict[str, Any]:
    stop = 1 / (1 + np.exp(-float(logits[layout.halt])))
    return {
        "selectors": [_sparse(softmax(logits[selector.slice])) for selector in layout.selectors],
        "stop": round(1000 * stop),
    }


def _sparse(probabilities: np.ndarray) -> int | list[int]:
    """A distribution: its value where that is certain, or values and permilles, the most probable first."""
    permille = np.rint(1000 * np.asarray(probabilities)).astype(int)
    order = [int(value) for value in np.argsort(-permille, kind="stable") if permille[value] >= _LEAST]
    if len(order) == 1 and permille[order[0]] >= 1000 - _LEAST:
        return order[0]
    return [number for value in order for number in (value, int(permille[value]))]


def _selectors(program: Program) -> list[str]:
    """Names of the selectors as a reader says them: "READ p", "ADD a", "i"."""
    registers, gates = _value_names(program)
    return [
        f"{gates[selector.gate]} {selector.name.rpartition('.')[2]}"
        if selector.gate is not None
        else registers[selector.register or 0]
        for selector in program.machine.layout.selectors
    ]


def _value_names(program: Program) -> tuple[list[str], list[str]]:
    """Names of the registers, and of the gates, with their place in the gate list where several are alike."""
    names = {register.source: register.name for register in program.registers}
    machine = program.machine
    registers = [names.get(register, f"r{register}") for register in range(machine.num_registers)]
    count = Counter(machine.gates)
    gates = [
        gate.label if count[gate] == 1 else f"{gate.label} (gate {place})"
        for place, gate in enumerate(machine.gates)
    ]
    return registers, gates


def _live(program: Program, edge: Edge) -> list[int]:
    """The selectors that matter where an edge is taken, as it was recorded."""
    if not edge.witness:
        return []
    after = frozenset(
        program.registers[register].source for register in live_after(edge, live_registers(program))
    )
    return sorted(live_selectors(program.machine, HardChoice(edge.witness, edge.target is None), after))
