"""LSTM controllers trained to imitate known programs, all programs of one machine in one stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from agents.controllers import Controller, ControllerSpec
from analysis.extraction.circuits import HardChoice
from analysis.extraction.labels import Labeller, live_selectors
from analysis.extraction.record import Inputs, Recording, record
from analysis.program.program import Program
from nram_env.machine import MachineConfig
from tests.analysis.planted import PlantedNetwork

UPDATES = 200
RUNS = 24
HIDDEN_SIZE = 24
PEAK_LEARNING_RATE = 0.02

ATTEMPTS = 3
MARGIN = 1.0
"""By how much every choice that matters has to beat the others; else one is trained anew, twice as long."""

IGNORED = -100
"""Target of a selector that does not matter, and of every selector after the end of a run."""


@dataclass(frozen=True)
class Lesson:
    """Recorded runs of P programs of one machine, N of each, padded to T steps.

    Attributes:
        zeros: (P, N, T, R); which registers were 0; drawn at random for those that do not matter.
        choices: (P, N, T, S); what every selector that matters chose, elsewhere IGNORED.
        halts: (P, N, T); 1 where a run ended by itself.
        active: (P, N, T); 1 up to the end of a run.
    """

    zeros: Tensor
    choices: Tensor
    halts: Tensor
    active: Tensor

    def of(self, programs: Sequence[int]) -> Lesson:
        """Some of the programs."""
        chosen = list(programs)
        return Lesson(self.zeros[chosen], self.choices[chosen], self.halts[chosen], self.active[chosen])

    def part(self, runs: Tensor, steps: int) -> Lesson:
        """The first steps of some of the runs of every program."""
        arrays = (self.zeros, self.choices, self.halts, self.active)
        return Lesson(*(array[:, runs, :steps] for array in arrays))


def imitate(programs: Sequence[Program], inputs: Sequence[Inputs], seed: int) -> list[Controller]:
    """Train one LSTM for each of several programs of the same machine.

    Args:
        programs: The programs; their witnesses are what is imitated.
        inputs: What they are recorded on.
        seed: Seed of initial weights, of the order of runs, and of what is noise.
    """
    taught = _lesson(programs, inputs, np.random.default_rng(seed))
    generator = torch.Generator().manual_seed(seed)
    learned: dict[int, Controller] = {}
    missing = list(range(len(programs)))
    for attempt in range(ATTEMPTS):
        if missing:
            part = taught.of(missing)
            stack = _train(part, programs[0].machine, UPDATES * 2**attempt, generator)
            learned |= {number: stack.member(place) for place, number in enumerate(missing)}
            weak = _smallest_margins(stack, part) < MARGIN
            missing = [number for number, again in zip(missing, weak.tolist(), strict=True) if again]
    return [learned[number] for number in range(len(programs))]


def _train(taught: Lesson, machine: MachineConfig, updates: int, generator: torch.Generator) -> Controller:
    """The runs begin short and become longer: long ones alone leave counting programs unlearned."""
    spec = ControllerSpec("lstm", machine, HIDDEN_SIZE)
    parameters = spec.initialise(generator, torch.ones(len(taught.zeros))).requires_grad_()
    optimiser = torch.optim.Adam([parameters])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, PEAK_LEARNING_RATE, updates)
    _, runs, longest = taught.active.shape
    for update in range(updates):
        length = min(longest, 4 + 2 * longest * update // updates)
        part = taught.part(torch.randint(runs, (RUNS,), generator=generator), length)
        optimiser.zero_grad()
        _loss(Controller(spec, parameters), part).backward()
        optimiser.step()
        schedule.step()
    return Controller(spec, parameters.detach())


def _unroll(controller: Controller, taught: Lesson) -> tuple[Tensor, ...]:
    """Logits (P, N, T, choices) of every selector, and last the halting logit (P, N, T, 1)."""
    state = controller.initial_state(taught.zeros.shape[1])
    steps = []
    for zeros in taught.zeros.unbind(2):
        logits, state = controller(zeros, state)
        steps.append(logits)
    counts = controller.spec.machine.layout.choice_counts
    return torch.stack(steps, dim=2).split([*counts, 1], dim=-1)


def _smallest_margins(controller: Controller, taught: Lesson) -> Tensor:
    """(P,); by how much the wanted choice beats the next one where it does so least; negative if wrong."""
    with torch.no_grad():
        *selectors, halt = _unroll(controller, taught)
    never = torch.full_like(taught.active, torch.inf)
    margins = [torch.where(taught.active > 0, (2 * taught.halts - 1) * halt[..., 0], never)]
    for number, logits in enumerate(selectors):
        wanted = taught.choices[..., number, None]
        chosen = logits.gather(-1, wanted.clamp(min=0))
        others = logits.scatter(-1, wanted.clamp(min=0), -torch.inf).amax(-1)
        margins.append(torch.where(wanted[..., 0] == IGNORED, never, chosen[..., 0] - others))
    return torch.stack([margin.flatten(1).amin(1) for margin in margins]).amin(0)


def _loss(controller: Controller, taught: Lesson) -> Tensor:
    """Cross-entropy of all selectors that matter and of halting, a step."""
    *selectors, halt = _unroll(controller, taught)
    total = binary_cross_entropy_with_logits(halt[..., 0], taught.halts, taught.active, reduction="sum")
    for number, logits in enumerate(selectors):
        wanted = taught.choices[..., number]
        total = total + cross_entropy(
            logits.flatten(0, 2), wanted.flatten(), ignore_index=IGNORED, reduction="sum"
        )
    return total / taught.active.sum()


def _lesson(programs: Sequence[Program], inputs: Sequence[Inputs], rng: np.random.Generator) -> Lesson:
    recordings = [record(PlantedNetwork(program), inputs) for program in programs]
    lived = [_live(program, recording) for program, recording in zip(programs, recordings, strict=True)]
    steps = max(int(batch.horizon.max()) for batch in inputs)
    parts = [_padded(*pair, steps, rng) for pair in zip(recordings, lived, strict=True)]
    return Lesson(*(torch.from_numpy(np.stack(arrays)) for arrays in zip(*parts, strict=True)))


def _live(program: Program, recording: Recording) -> frozenset[int]:
    """Registers of the machine that matter to the program's witnesses, which know no simplification."""
    tested = {
        register.source
        for position, register in enumerate(program.registers)
        if any(edge.guard.mask >> position & 1 for edge in program.edges)
    }
    return Labeller(recording).labelling(tested).live


def _padded(
    recording: Recording, live: frozenset[int], steps: int, rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    """The arrays of a `Lesson` for one program."""
    registers = recording.machine.num_registers
    targets = np.array([_targets(recording.machine, step, live) for step in recording.steps])
    ends = np.array([step.halts for step in recording.steps])
    shape = len(recording.runs), steps
    zeros = rng.integers(2, size=(*shape, registers))
    choices = np.full((*shape, targets.shape[1]), IGNORED)
    halts, active = np.zeros(shape), np.zeros(shape)
    seen = [register in live for register in range(registers)]
    for row, run in enumerate(recording.runs):
        length, numbers = len(run.steps), list(run.steps)
        bits = np.array(run.patterns)[:, None] >> np.arange(registers) & 1
        zeros[row, :length] = np.where(seen, bits, zeros[row, :length])
        choices[row, :length] = targets[numbers]
        halts[row, :length], active[row, :length] = ends[numbers], 1
    return zeros.astype(np.float32), choices, halts.astype(np.float32), active.astype(np.float32)


def _targets(machine: MachineConfig, step: HardChoice, live: frozenset[int]) -> np.ndarray:
    chosen = np.full(len(step.choices), IGNORED)
    matter = live_selectors(machine, step, live)
    chosen[matter] = np.array(step.choices)[matter]
    return chosen
