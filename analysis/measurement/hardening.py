"""What hardening does to an agent: how firm its choices are, and where soft and hard part. Needs torch.

Only what matters is measured: the selectors and registers that some store or test depends on, as in
`analysis.extraction.labels`. Dead selectors are unconstrained by training and look undecided for no reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from agents.checkpoint import Agent
from agents.hard import HardStep, hard_steps
from analysis.extraction.adapters import HardenedAgent
from analysis.extraction.circuits import HardChoice
from analysis.extraction.inputs import inputs_of
from analysis.extraction.labels import TIE, live_margins, live_selectors
from analysis.extraction.network import softmax
from analysis.extraction.pipeline import read_program
from analysis.extraction.record import Recording, record
from analysis.extraction.stops import network_stops
from analysis.measurement.accuracy import Accuracy, StopAccuracy, mode_accuracies, stop_accuracies
from analysis.measurement.errors import soft_horizon
from analysis.measurement.soft import SoftStep, soft_steps
from analysis.verification.stopping import limits
from nram_env.machine import MachineConfig
from nram_env.tasks import draw_plan, get_task, join


@dataclass(frozen=True)
class Margins:
    """By how many logits the largest choice of a live selector beats the next; ln of their odds.

    Attributes:
        smallest: The minimum.
        permille: The 0.1 % quantile.
        percent: The 1 % quantile.
        median: The median.
    """

    smallest: float
    permille: float
    percent: float
    median: float


@dataclass(frozen=True)
class Agreement:
    """How far the soft run and the hard one hold the same after a timestep.

    Attributes:
        time: The timestep, from 1.
        rows: Examples that run on in both.
        registers: Share of live registers whose most probable value is the hard one.
        memory: The same share of all memory cells.
    """

    time: int
    rows: int
    registers: float
    memory: float


@dataclass(frozen=True)
class Difference:
    """The first place where soft and hard differ, and the least sure choice that led there.

    Attributes:
        time: The timestep after which they differ.
        example: Row of the batch.
        place: As in "r2" or "mem[5]".
        soft: Its most probable value in the soft run.
        hard: Its value in the hard run.
        selector: The live selector whose hard choice has the least mass in the soft run, up to this timestep.
        selector_time: Timestep of that choice.
        chosen: Its hard choice.
        chosen_mass: Probability of that choice in the soft run.
        other: The most probable other choice in the soft run.
        other_mass: Its probability.
    """

    time: int
    example: int
    place: str
    soft: int
    hard: int
    selector: str
    selector_time: int
    chosen: str
    chosen_mass: float
    other: str
    other_mass: float


@dataclass(frozen=True)
class Hardening:
    """What hardening an agent does at one size.

    Attributes:
        n: Difficulty.
        examples: Number of examples.
        live_selectors: Live selectors, counted in every distinct hard step of the recorded runs and, for a
            controller without state, under every zero-pattern that can occur.
        margins: Quantiles over these, each at its smallest; None if there is none.
        ties: Those whose margin is below TIE.
        fragile: Those that choose otherwise in float32 than in float64 at some time.
        agreement: By timestep, while any example runs on in both.
        first_difference: None if the soft run and the hard run agree everywhere.
        modes: How much of the output is right, in every mode of execution.
        stop_rules: The same of the hard network, by the rule that says when to read it.
        hard_stop: Mean number of timesteps of the hard runs.
        expected_stop: Mean expected number of timesteps of the soft runs.
    """

    n: int
    examples: int
    live_selectors: int
    margins: Margins | None
    ties: int
    fragile: int
    agreement: tuple[Agreement, ...]
    first_difference: Difference | None
    modes: tuple[Accuracy, ...]
    stop_rules: tuple[StopAccuracy, ...]
    hard_stop: float
    expected_stop: float


@dataclass(frozen=True)
class _Pair:
    """One timestep, soft and hard, with the rows (B,) that run in both and where they differ (B, R + M)."""

    soft: SoftStep
    hard: HardStep
    rows: np.ndarray
    differs: np.ndarray


def measure_hardening(agent: Agent, n: int, examples: int, seed: int) -> Hardening:
    """Run an agent soft and hard, both in float64, on the same random examples.

    Every few examples have an M of their own. Runs go to where the agent stops by itself, or to the task's
    horizon.

    Args:
        agent: The agent.
        n: Difficulty.
        examples: Number of examples.
        seed: Seed of the examples.

    Raises:
        ValueError: n is too small for the task.
    """
    task = get_task(agent.task)
    rng = np.random.default_rng(seed)
    batches = list(draw_plan(task, rng, [n], examples).batches(task, rng))
    mixed = join(task, batches)
    stops = network_stops(HardenedAgent(agent), task)
    horizon = limits(task, mixed, stops)
    soft_end = soft_horizon(agent, mixed) if stops else horizon
    recording = record(HardenedAgent(agent), [inputs_of(task, mixed, stops)])
    program = read_program(recording, agent.task)
    live = frozenset(register.source for register in program.registers)
    margins = live_margins(recording, live)
    soft = list(soft_steps(agent, batches, soft_end))
    run = hard_steps(agent.controller, mixed.memory, horizon, mixed.memory_sizes)
    hard = [step.kept() for step in run]
    pairs = [_pair(*steps, live) for steps in zip(soft, hard, strict=False)]
    cells = mixed.memory_sizes
    return Hardening(
        n,
        examples,
        len(margins),
        Margins(*np.quantile(margins, (0, 0.001, 0.01, 0.5)).tolist()) if margins.size else None,
        int((margins < TIE).sum()),
        len(_fragile(agent, recording, live)),
        tuple(_agreement(t, pair, len(live), cells) for t, pair in enumerate(pairs, 1) if pair.rows.any()),
        _first_difference(agent.machine, pairs, live),
        mode_accuracies(program, mixed, soft, hard[-1].memory, horizon),
        stop_accuracies(agent, batches, int(soft_end.max())),
        float(np.mean([len(run.steps) for run in recording.runs])),
        float(sum(step.survival.mean() for step in soft)),
    )


@torch.no_grad()
def _fragile(agent: Agent, recording: Recording, live: frozenset[int]) -> set[tuple[int, int]]:
    """Live selectors, as (step, selector), that another precision decides otherwise at some time."""
    controller, machine = agent.controller.member(0).to(torch.float32), agent.machine
    alive = [live_selectors(machine, step, live) for step in recording.steps]
    state, bits = controller.initial_state(len(recording.runs)), np.arange(machine.num_registers)
    found = set()
    for time in range(max(len(run.steps) for run in recording.runs)):
        patterns = np.array([run.patterns[min(time, len(run.steps) - 1)] for run in recording.runs])
        zeros = torch.from_numpy((patterns[:, None] >> bits & 1).astype(np.float32))
        logits, state = controller(zeros[None], state)
        choices = machine.layout.choices(logits[0].numpy())
        for run, chosen in zip(recording.runs, choices, strict=True):
            for step in run.steps[time : time + 1]:
                exact = recording.steps[step].choices
                found |= {(step, s) for s in alive[step] if chosen[s] != exact[s]}
    return found


def _pair(soft: SoftStep, hard: HardStep, live: frozenset[int]) -> _Pair:
    """Dead registers never differ; after a row's last step all of them are dead."""
    rows = hard.running & (soft.survival > 0)
    kept = np.isin(np.arange(hard.registers.shape[1]), list(live)) & ~hard.halts[:, None]
    differs = np.hstack([(soft.registers != hard.registers) & kept, soft.memory != hard.memory])
    return _Pair(soft, hard, rows, differs & rows[:, None])


def _agreement(time: int, pair: _Pair, num_live: int, memory_sizes: np.ndarray) -> Agreement:
    rows, num_registers = int(pair.rows.sum()), pair.hard.registers.shape[1]
    registers = pair.differs[:, :num_registers].sum() / max(1, rows * num_live)
    memory = pair.differs[:, num_registers:].sum() / memory_sizes[pair.rows].sum()
    return Agreement(time, rows, float(1 - registers), float(1 - memory))


def _first_difference(machine: MachineConfig, pairs: list[_Pair], live: frozenset[int]) -> Difference | None:
    time = next((time for time, pair in enumerate(pairs) if pair.differs.any()), None)
    if time is None:
        return None
    soft, hard = pairs[time].soft, pairs[time].hard
    example, position = (int(index) for index in np.argwhere(pairs[time].differs)[0])
    register, cell = position < machine.num_registers, position - machine.num_registers
    return Difference(
        time + 1,
        example,
        f"r{position}" if register else f"mem[{cell}]",
        int(soft.registers[example, position] if register else soft.memory[example, cell]),
        int(hard.registers[example, position] if register else hard.memory[example, cell]),
        *_least_sure(machine, pairs[: time + 1], example, live),
    )


def _least_sure(
    machine: MachineConfig, pairs: list[_Pair], example: int, live: frozenset[int]
) -> tuple[str, int, str, float, str, float]:
    """The last fields of a `Difference`: selector, its timestep, its two candidates and their mass."""
    found = []
    for time, pair in enumerate(pairs, 1):
        choices = tuple(pair.hard.choices[example].tolist())
        step = HardChoice(choices, bool(pair.hard.halts[example]))
        for number in live_selectors(machine, step, live):
            probs = softmax(pair.soft.logits[example, machine.layout.selectors[number].slice])
            found.append((float(probs[choices[number]]), time, number, choices[number], probs))
    mass, time, number, chosen, probs = min(found, key=lambda candidate: candidate[:3])
    others = np.where(np.arange(len(probs)) == chosen, -1, probs)
    names = (machine.layout.choice_name(choice) for choice in (chosen, int(others.argmax())))
    return machine.layout.selectors[number].name, time, next(names), mass, next(names), float(others.max())
