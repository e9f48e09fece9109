"""Known machines to plant, and the inputs that they are recorded on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from agents.checkpoint import Agent
from agents.controllers import Controller
from analysis.extraction.adapters import HardenedAgent
from analysis.extraction.fidelity import Fidelity, compare
from analysis.extraction.network import HardNetwork
from analysis.extraction.pipeline import read_program
from analysis.extraction.record import Inputs, record
from analysis.program.program import Program
from analysis.simplification.canonical import canonical_hash
from analysis.simplification.program import simplify_program
from nram_env.machine import MachineConfig
from tests.analysis.imitation import imitate
from tests.analysis.planted import PlantedNetwork
from tests.analysis.programs import CASES, program_of, random_program
from tests.analysis.weights import lstm_weights

HORIZON = 20


@dataclass(frozen=True)
class Recovery:
    """What came out where a program had been planted.

    Attributes:
        outcome: "recovered" (equal hash), "unrolled", "refuted" (the program's certificate says that it
            is not the network), "not imitated" (comparing the planted program with the network reports
            that training failed), or "different" (none of these: what must not be).
        kind: Of the program that was found.
        states: Its number of states; `planted_states` of the planted one.
        mismatches: Runs in which it is not the network.
        imitation_errors: Runs in which the network is not the planted program.
        left_at: First step, in runs ten times as long, at which the network is no longer the program that
            was found; None if there is none.
    """

    outcome: str
    kind: str
    states: int
    planted_states: int
    mismatches: int
    imitation_errors: int
    left_at: int | None


def recover_planted(planted: Program, network: HardNetwork) -> Recovery:
    """Read the program of a network and compare it with what was planted there."""
    planted = simplify_program(planted)
    found, fidelity = recover(network, seed=100)
    errors = compare(planted, network, random_inputs(77, runs=48)[::2]).mismatches
    outcome = "different"
    if canonical_hash(found) == canonical_hash(planted):
        outcome = "recovered"
    elif found.kind == "unrolled":
        outcome = "unrolled"
    elif fidelity.mismatches:
        outcome = "refuted"
    elif errors:
        outcome = "not imitated"
    later = compare(found, network, random_inputs(78, runs=16, horizon=10 * HORIZON)[-1:]).first
    left_at = None if later is None else later.time
    states = len(found.states), len(planted.states)
    return Recovery(outcome, found.kind, *states, fidelity.mismatches, errors, left_at)


def compiled_networks(programs: Sequence[Program], seed: int) -> list[HardNetwork]:
    """LSTMs that do exactly what the programs do, with noise in dead selectors."""
    rng = np.random.default_rng(seed)
    return [network_of(lstm_weights(program, rng)) for program in programs]


def imitating_networks(programs: Sequence[Program], seed: int) -> list[HardNetwork]:
    """LSTMs trained to imitate the programs, those of equal machines at once."""
    inputs = random_inputs(seed + 500, runs=24, horizon=HORIZON + 4)
    trained: dict[int, HardNetwork] = {}
    for machine in dict.fromkeys(program.machine for program in programs):
        group = [number for number, program in enumerate(programs) if program.machine == machine]
        controllers = imitate([programs[number] for number in group], inputs, seed)
        trained |= {number: network_of(member) for number, member in zip(group, controllers, strict=True)}
    return [trained[number] for number in range(len(programs))]


def random_inputs(seed: int, runs: int = 16, horizon: int = HORIZON) -> list[Inputs]:
    """Random memories of every size from 3 to 12, a third of their cells 0."""
    rng = np.random.default_rng(seed)
    return [Inputs(_memories(rng, runs, size), np.full(runs, horizon)) for size in range(3, 13)]


def _memories(rng: np.random.Generator, runs: int, size: int) -> np.ndarray:
    return rng.integers(size, size=(runs, size)) * (rng.random((runs, size)) < 0.7)


def network_of(controller: Controller) -> HardenedAgent:
    return HardenedAgent(Agent(controller, "copy"))


def recover(network: HardNetwork, seed: int) -> tuple[Program, Fidelity]:
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


def paper_programs() -> list[Program]:
    """The paper's five."""
    return [program_of(case) for case in CASES.values()]


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
    """Machines of 2 to 6 states in the one form in which the reader gives them, every edge exercised."""
    seed = 0
    while count:
        seed += 1
        rng = np.random.default_rng(seed)
        drawn = random_program(MachineConfig(int(rng.integers(2, 5))), int(rng.integers(2, 7)), rng)
        if len(simplify_program(drawn).edges) < 3:
            continue
        program = read_program(record(PlantedNetwork(drawn), random_inputs(1)), "planted")
        if not (2 <= len(program.states) <= 6 and len(program.edges) >= 3 and _can_be_compiled(program)):
            continue
        if _is_settled(program):
            count -= 1
            yield program


def _is_settled(program: Program) -> bool:
    """Whether other runs of the program are read as the same program, not as an equivalent one.

    A machine may do in its states what another does in its registers; then chance in the runs decides.
    """
    again = read_program(record(PlantedNetwork(program), random_inputs(2)), "planted")
    return canonical_hash(again) == canonical_hash(program)


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
