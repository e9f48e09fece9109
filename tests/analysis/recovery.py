"""Known machines to plant, and the inputs that they are recorded on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from agents.checkpoint import Agent
from agents.controllers import Controller
from analysis.harden import HardenedAgent
from analysis.network import Network
from analysis.pipeline import read_program
from analysis.program import Program
from analysis.record import Inputs, record
from analysis.reduce import simplify_program
from analysis.verify import Fidelity, compare
from nram_env.machine import MachineConfig
from tests.analysis.planted import PlantedNetwork
from tests.analysis.programs import random_program

HORIZON = 20


def random_inputs(seed: int, runs: int = 16) -> list[Inputs]:
    """Random memories of every size from 3 to 12, a third of their cells 0."""
    rng = np.random.default_rng(seed)
    return [Inputs(_memories(rng, runs, size), np.full(runs, HORIZON)) for size in range(3, 13)]


def _memories(rng: np.random.Generator, runs: int, size: int) -> np.ndarray:
    return rng.integers(size, size=(runs, size)) * (rng.random((runs, size)) < 0.7)


def network_of(controller: Controller) -> HardenedAgent:
    return HardenedAgent(Agent(controller, "copy"))


def recover(network: Network, seed: int) -> tuple[Program, Fidelity]:
    """Read a program, add the runs that it gets wrong, and judge it on others."""
    recording = record(network, random_inputs(seed))
    program = read_program(recording, "recovered")
    for attempt in range(3):
        found = compare(program, network, random_inputs(seed + 1 + attempt, runs=24))
        if not found.mismatches:
            break
        recording = record(network, found.failing, recording)
        program = read_program(recording, "recovered")
    return program, compare(program, network, random_inputs(seed + 9, runs=48))


def planted_tables(count: int) -> Iterator[Program]:
    """Machines of one state that take all their edges, and test what no other register tells as well."""
    seed = 0
    while count:
        seed += 1
        rng = np.random.default_rng(seed)
        program = random_program(MachineConfig(int(rng.integers(2, 5))), 1, rng)
        simple = simplify_program(program)
        if len(simple.states) == 1 and len(simple.edges) == 2 and _is_exercised(program):
            count -= 1
            yield program


def planted_machines(count: int) -> Iterator[Program]:
    """Machines of 2 to 6 states in the form in which the reader gives them, every edge exercised."""
    seed = 0
    while count:
        seed += 1
        rng = np.random.default_rng(seed)
        drawn = random_program(MachineConfig(int(rng.integers(2, 5))), int(rng.integers(2, 7)), rng)
        if len(simplify_program(drawn).edges) < 3:
            continue
        program = read_program(record(PlantedNetwork(drawn), random_inputs(1)), "planted")
        if 2 <= len(program.states) <= 6 and len(program.edges) >= 3 and _can_be_compiled(program):
            count -= 1
            yield program


def _can_be_compiled(program: Program) -> bool:
    single = all(len(edge.guard.cubes) == 1 and edge.support >= 20 for edge in program.edges)
    return single and all(program.edges_of_state)


def _is_exercised(program: Program) -> bool:
    runs = record(PlantedNetwork(program), random_inputs(1)).runs
    patterns = [pattern for run in runs for pattern in run.patterns]
    tested = program.edges[0].guard.mask
    columns = {
        bit: tuple(bool(pattern & bit) for pattern in sorted(set(patterns)))
        for bit in (1 << register for register in range(program.machine.num_registers))
    }
    own = columns.pop(tested)
    opposite = tuple(not value for value in own)
    often = min(sum(bool(p & tested) == value for p in patterns) for value in (True, False)) >= 20
    return often and own not in columns.values() and opposite not in columns.values()
