"""From a trained agent to its program: record, abstract, simplify, compare, and again where they differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from analysis.extraction.abstract import Abstraction, Behaviour, abstract
from analysis.extraction.check import check_network
from analysis.extraction.circuits import circuit_block
from analysis.extraction.fidelity import CLAIM, compare
from analysis.extraction.harden import HardenedNetwork
from analysis.extraction.inputs import (
    FAR_FACTOR,
    HELD_OUT_FACTOR,
    LONG_FACTOR,
    beyond_inputs,
    edge_inputs,
    far_inputs,
    long_inputs,
    training_inputs,
)
from analysis.extraction.labels import TIE, live_margins, smallest_margin
from analysis.extraction.names import name_registers
from analysis.extraction.network import HardNetwork, Network
from analysis.extraction.record import Recording, record
from analysis.extraction.seen import seen_only
from analysis.extraction.stops import network_stops
from analysis.extraction.table import is_table
from analysis.extraction.table_fidelity import compare_table
from analysis.program.block import Guard
from analysis.program.certificate import FAR, Certificate
from analysis.program.program import Edge, Program, Register
from analysis.simplification.canonical import canonical_text
from analysis.simplification.program import simplify_program
from analysis.verification.ladder import verify
from nram_env.checks import shown
from nram_env.tasks import Task, get_task, task_imports

if TYPE_CHECKING:
    from agents.checkpoint import Agent

Report = Callable[[str], None]

ROUNDS = 10
"""How often runs that the program gets wrong are added to those it is learned from."""

TRAINING_RUNS = 256
LONG_RUNS = 320
HELD_OUT_RUNS = 3_008
BEYOND_RUNS = 64

USUAL_SIZE = 8
"""Largest n that a network is taken to have been trained on unless told otherwise."""


def extract(
    source: Network | Agent,
    task: Task | str | None = None,
    *,
    size: int | None = None,
    seed: int = 0,
    progress: Report | None = None,
) -> Program:
    """The program of a network, compared with the network on runs that it was not learned from.

    Args:
        source: A trained `agents.Agent`, or anything that keeps the promises of `Network`.
        task: What it was trained for; default: an agent's own.
        size: Largest difficulty n that it was trained on; default: an agent's own, otherwise 8.
        seed: Seed of all inputs.
        progress: Called with a line of text before each part of the work.

    Returns:
        The program. It carries certificates: "table" for a network without state, "fidelity", for one
        that does not stop by itself "long horizon", and for one with a state "far runs" (where the program is
        not the hardened network they are REFUTED and show the first difference), and what `verify` finds.

    Raises:
        ValueError: A network without a task, or one that breaks a promise; the message says which.

    Example:
        >>> from agents import zoo
        >>> from analysis import extract
        >>> program = extract(zoo.find_entry("access").agent)
        >>> program.task, [found.verdict for found in program.certificates][:2]
        ('access', ['TESTED', 'TESTED'])
    """
    if hasattr(source, "controller"):
        network, known = _agent(cast("Agent", source), seed)
    elif all(hasattr(source, name) for name in ("machine", "initial_state", "logits")):
        network, known = _network(source, seed)
    else:
        raise ValueError(f"extract reads a trained Agent or a Network, got {shown(source)}")
    wanted = known.task if task is None else task
    if wanted is None:
        raise ValueError("a network knows no task of its own: say extract(network, task=...)")
    problem = get_task(wanted) if isinstance(wanted, str) else wanted
    return extract_network(network, problem, size or known.size, known.origin, seed=seed, progress=progress)


@dataclass(frozen=True)
class _Known:
    """What a source says of itself: its task, if any, how far it was trained, where it comes from."""

    task: str | None
    size: int
    origin: Mapping[str, Any]


def _agent(agent: Agent, seed: int) -> tuple[HardNetwork, _Known]:
    from analysis.extraction.adapters import HardenedAgent

    spec = agent.controller.spec
    origin = {"controller": spec.kind, "hidden_size": spec.hidden_size, "seed": seed}
    return HardenedAgent(agent), _Known(agent.task, agent.trained_to, origin)


def _network(network: Network, seed: int) -> tuple[HardNetwork, _Known]:
    faults = check_network(network)
    if faults:
        raise ValueError(f"this network cannot be read: {'; '.join(faults)}")
    origin = {"controller": type(network).__name__, "seed": seed}
    return HardenedNetwork(network), _Known(None, USUAL_SIZE, origin)


def extract_network(
    network: HardNetwork,
    task: Task,
    size: int,
    origin: Mapping[str, Any],
    *,
    seed: int = 0,
    progress: Report | None = None,
) -> Program:
    """The program of a hardened controller; see `extract`.

    Args:
        network: The controller.
        task: Gives the inputs.
        size: Largest difficulty that it was trained on.
        origin: Saved in the program.
        seed: Seed of all inputs.
        progress: Called with a line of text before each part of the work.
    """
    say = progress or (lambda text: None)
    rng = np.random.default_rng([seed, 1])
    stops = network_stops(network, task)
    say(f"recording {task.name} runs up to n = {size}, to {'their stop' if stops else 'T(n)'}")
    recording = record(network, training_inputs(task, size, TRAINING_RUNS, rng, stops))
    recording = record(network, edge_inputs(task, rng, stops), recording)
    program = read_program(recording, task.name)
    for attempt in range(0 if recording.table else ROUNDS):
        say(f"comparing on longer runs, round {attempt + 1}")
        found = compare(program, network, long_inputs(task, size, LONG_FACTOR, LONG_RUNS, rng, stops))
        later = () if stops else beyond_inputs(task, size, TRAINING_RUNS, rng)
        beyond = compare(program, network, later)
        if not found.mismatches and not beyond.unseen:
            break
        recording = record(network, (*found.failing, *beyond.unseen_runs), recording)
        program = read_program(recording, task.name)
    if recording.table:
        program = replace(program, min_size=compare_table(program, network).min_size)
    program = replace(
        program,
        task=task.name,
        imports=task_imports(task.name),
        origin={**origin, **_described(recording, program, size)},
    )
    say("comparing on held-out runs")
    program = program.with_certificates(*judge_fidelity(program, network, task, size, seed))
    say("checking the program against the task")
    return program.with_certificates(*verify(program, task, largest=HELD_OUT_FACTOR * size, seed=seed))


def read_program(recording: Recording, name: str) -> Program:
    """The smallest program that a recording allows, its registers named by their roles."""
    programs = [simplify_program(_program(recording, found, name)) for found in abstract(recording)]
    fewest = min(program.num_registers for program in programs)
    programs = [program for program in programs if program.num_registers == fewest]
    smallest = min(programs, key=canonical_text) if len(programs) > 1 else programs[0]
    if not recording.table:
        smallest = simplify_program(seen_only(smallest, recording))
    return name_registers(_in_order(smallest))


def _in_order(program: Program) -> Program:
    """The edges of each state, first the one for registers that are all 0, last those that no run took."""
    zero = (1 << program.num_registers) - 1
    edges = sorted(program.edges, key=lambda e: (e.source, not e.guard.matches(zero), not e.support))
    return replace(program, edges=tuple(edges))


def judge_fidelity(
    program: Program, network: HardNetwork, task: Task, size: int, seed: int
) -> tuple[Certificate, ...]:
    """Certificates of fidelity: on held-out runs to where the network stops by itself.

    One that does not is run to the task's horizon, and some runs far beyond it. A controller that is read
    whole has one more, and the first: by construction. One with a state of its own has one more, and the
    last: what it does at a step may depend on how many it has made, so it is watched on a few runs far
    longer than all others.
    """
    rng = np.random.default_rng([seed, 2])
    stops = network_stops(network, task)
    readable = is_table(network) and len(program.states) == 1
    whole = (compare_table(program, network).certificate(),) if readable else ()
    found = compare(program, network, long_inputs(task, size, HELD_OUT_FACTOR, HELD_OUT_RUNS, rng, stops))
    usual: tuple[Certificate, ...]
    if stops:
        usual = (found.certificate(claim=f"{CLAIM} to where it stops by itself"),)
    else:
        later = compare(program, network, beyond_inputs(task, size, BEYOND_RUNS, rng))
        claim = f"{CLAIM} to ten times the task's horizon"
        usual = found.certificate(), later.certificate("long horizon", claim)
    return *whole, *usual, *_far(program, network, task, size, seed, stops)


def _far(
    program: Program, network: HardNetwork, task: Task, size: int, seed: int, stops: bool
) -> tuple[Certificate, ...]:
    if network.stateless:
        return ()
    inputs = far_inputs(task, size, np.random.default_rng([seed, 3]), stops)
    return (compare(program, network, [inputs]).certificate(FAR, f"{CLAIM} at n = {FAR_FACTOR * size:,}"),)


def _program(recording: Recording, found: Abstraction, name: str) -> Program:
    """The program of an abstraction, its blocks still raw circuits."""
    machine = recording.machine
    edges = []
    for (state, behaviour), steps in _steps_taken(recording, found).items():
        choices = recording.steps[steps[0]].choices
        block, guard = circuit_block(machine, choices), found.states[state][behaviour]
        edges.append(Edge(state, guard, block, behaviour[1], len(steps) - 1, choices))
    registers = tuple(Register(f"r{r}", r) for r in range(machine.num_registers))
    states = tuple(f"S{state}" for state in range(len(found.states)))
    return Program(name, registers, states, tuple(edges), found.kind, machine, recording.semantics)


def _steps_taken(recording: Recording, found: Abstraction) -> dict[tuple[int, Behaviour], list[int]]:
    """For every behaviour of every state the recorded steps that took it, in the order of the states.

    A table's or unrolled program's behaviour may stand for steps of other labels; then the first step of
    its own label comes first.
    """
    first = {label: step for step, label in reversed(list(enumerate(found.labelling.of_step)))}
    taken = {
        (state, behaviour): [first[behaviour[0]]]
        for state, behaviours in enumerate(found.states)
        for behaviour in behaviours
    }
    for run in recording.runs:
        state: int | None = 0
        for pattern, step in zip(run.patterns, run.steps, strict=True):
            behaviour = None if state is None else _behaviour(found.states[state], pattern)
            if state is None or behaviour is None:
                break
            taken[state, behaviour].append(step)
            state = behaviour[1]
    return taken


def _behaviour(behaviours: Mapping[Behaviour, Guard], pattern: int) -> Behaviour | None:
    return next((behaviour for behaviour, guard in behaviours.items() if guard.matches(pattern)), None)


def _described(recording: Recording, program: Program, size: int) -> dict[str, Any]:
    live = frozenset(register.source for register in program.registers)
    ties = int((live_margins(recording, live) < TIE).sum())
    return {
        "training_size": size,
        "recorded_runs": len(recording.runs),
        "recorded_steps": sum(len(run.steps) for run in recording.runs),
        "distinct_steps": len(recording.steps),
        "smallest_live_margin": round(smallest_margin(recording, live), 4),
        **({"ties": ties} if ties else {}),
    }
