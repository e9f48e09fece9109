"""Runs of a program on many small instances: what invariants are guessed from."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from analysis.machine.batch import HALTED, BatchMachine
from analysis.program.program import Program
from analysis.proofs.rows import NOTHING, Rows
from analysis.proofs.setting import STOP, UNSEEN, Location, Setting, t, u
from analysis.verification.correctness import small_instances
from nram_env.tasks import Task
from nram_env.tasks.spec import MEMORY, TaskSpec

_OVER = -3
"""In place of an edge after the end of a run."""

_SIZES, _SLACKS, _EACH = 7, (0, 1, 2, 3, 4, 5, 7, 9), 8
_LIMIT, _SMALLEST, _ENUMERATED = 20_000, 6, 300


@dataclass(frozen=True)
class Runs:
    """B runs of T timesteps.

    Attributes:
        start: The situations before the first timestep.
        registers: (T + 1, B, R) after t timesteps.
        memory: (T + 1, B, W), NOTHING behind the last cell.
        edges: (T + 1, B); the edge that comes next, STOP, or UNSEEN.
    """

    start: Rows
    registers: np.ndarray
    memory: np.ndarray
    edges: np.ndarray


def record(program: Program, spec: TaskSpec, memories: list[list[int]], limits: np.ndarray) -> Runs:
    """Run a program on memories of any sizes, each for so many timesteps, (B,), or until it stops."""
    width = max(map(len, memories))
    sizes = np.array([len(memory) for memory in memories])
    machine = BatchMachine(program, padded(memories, width, 0), sizes)
    beyond = np.arange(width) >= sizes[:, None]
    registers, states, edges = list[np.ndarray](), list[np.ndarray](), list[np.ndarray]()
    while True:
        states.append(np.where(beyond, NOTHING, machine.memory))
        registers.append(machine.registers.T.copy())
        edges.append(_next_edges(program, machine, len(edges)))
        if not machine.advance(limits):
            break
    start = start_of(spec, memories)
    return Runs(start, np.array(registers), np.array(states), np.array(edges))


def instances(task: Task, seed: int) -> list[list[int]]:
    """Small instances of every small size: all of the smallest ones, and random ones beyond."""
    rng = np.random.default_rng([seed, 11])
    first = task.smallest_difficulty
    found = []
    for n in range(first, first + _SIZES):
        needed = task.smallest_memory_size(n)
        for size in (*(needed + slack for slack in _SLACKS), 2 * needed + n):
            found += _drawn(task, rng, n, size)
    return [*_enumerated(task), *found]


def locations(runs: Runs, setting: Setting) -> dict[Location, Rows]:
    """The situations that were met at every location."""
    time, row = np.nonzero(runs.edges != _OVER)
    if setting.last is not None:
        within = time <= runs.start.value(setting.last)[row]
        time, row = time[within], row[within]
    rows = _rows(runs, setting, time, row)
    sides = [rows.truth(split) for split in setting.splits]
    found: dict[Location, list[int]] = {}
    for index, (step, run) in enumerate(zip(time.tolist(), row.tolist(), strict=True)):
        history = tuple(runs.edges[max(0, step - setting.history) : step, run].tolist())
        place = Location(history, int(runs.edges[step, run]), tuple(bool(side[index]) for side in sides))
        found.setdefault(place, []).append(index)
    return {place: rows.chosen(np.array(indices)) for place, indices in found.items()}


def _rows(runs: Runs, setting: Setting, time: np.ndarray, row: np.ndarray) -> Rows:
    """The situations at some times of some runs."""
    registers = runs.registers[time, row].T
    integers = {name: values[row] for name, values in runs.start.integers.items()}
    integers |= {register.name: registers[index] for index, register in enumerate(setting.registers)}
    integers |= {t.name: time, u.name: time // setting.phase}
    functions = {name: table[row] for name, table in runs.start.functions.items()}
    return Rows(integers, functions | {MEMORY: runs.memory[time, row]})


def _next_edges(program: Program, machine: BatchMachine, time: int) -> np.ndarray:
    zero = machine.registers == 0
    bits = sum((zero[index].astype(np.int64) << index for index in range(len(zero))), np.int64(0))
    found = np.where(machine.state == HALTED, STOP, UNSEEN)
    for index, edge in enumerate(program.edges):
        found[(machine.state == edge.source) & edge.guard.matches(bits)] = index
    return np.where(machine.steps == time, found, _OVER)


def start_of(spec: TaskSpec, memories: list[list[int]]) -> Rows:
    """The situations before the first timestep."""
    values = [spec.values(memory) for memory in memories]
    functions = [name for name, value in values[0].items() if isinstance(value, list)]
    width = max(len(value[name]) for value in values for name in functions)
    return Rows(
        {name: np.array([value[name] for value in values]) for name in values[0] if name not in functions},
        {name: padded([value[name] for value in values], width, NOTHING) for name in functions},
    )


def wanted_cells(spec: TaskSpec, memories: list[list[int]]) -> np.ndarray:
    """(B, W); what the output cells should hold, NOTHING at all others."""
    answers = [spec.oracle(memory) for memory in memories]
    cells = [
        [answer.get(cell, NOTHING) for cell in range(len(memory))]
        for answer, memory in zip(answers, memories, strict=True)
    ]
    return padded(cells, max(map(len, memories)), NOTHING)


def padded(lists: list[list[int]], width: int, filling: int) -> np.ndarray:
    """Lists as the rows of one array, (B, W), filled up."""
    found = np.full((len(lists), width), filling, dtype=np.int64)
    for row, values in enumerate(lists):
        found[row, : len(values)] = values
    return found


def _drawn(task: Task, rng: np.random.Generator, n: int, size: int) -> list[list[int]]:
    """Random instances, and easy ones as far as they are instances."""
    found = task.sample(rng, n, size, _EACH).memory.tolist()
    if task.has_easy_examples:
        found += [
            memory for memory in task.sample_easy(rng, n, size, 1).memory.tolist() if task.is_legal(memory)
        ]
    return found


def _enumerated(task: Task) -> list[list[int]]:
    found = [batch.memory.tolist() for batch in islice(small_instances(task, _LIMIT), _SMALLEST)]
    flat = [memory for batch in found for memory in batch]
    return flat[:: -(-len(flat) // _ENUMERATED)] if flat else []
