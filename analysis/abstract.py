"""From a recording to a machine over labels: what to test, which states there are, what each one does.

A controller without state is one state: a table over zero-patterns. For any other a finite machine is
learned; where none fits, the runs are written out timestep by timestep and called unrolled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from analysis.automaton import Mealy, learn_machine
from analysis.block import Guard
from analysis.guards import decides, guard_of, separating_masks
from analysis.labels import Labeller, Labelling
from analysis.program import Kind
from analysis.record import RecordedRun, Recording
from analysis.unroll import unroll

MAX_CANDIDATES = 8
"""Equally small abstractions that are worked out before the smallest program is taken."""

MAX_TESTED = 3
"""Sets of more tested registers than this are looked at only where no smaller set will do."""

Behaviour = tuple[int, int | None]
"""What is done, as the number of a label, and the next state; None after a stop."""


@dataclass(frozen=True)
class Abstraction:
    """A machine over labels.

    Attributes:
        kind: As in `Program`.
        labelling: The labels that it speaks of.
        states: For every state, behaviour -> guard over the machine's registers.
    """

    kind: Kind
    labelling: Labelling
    states: tuple[Mapping[Behaviour, Guard], ...]


def abstract(recording: Recording) -> list[Abstraction]:
    """The smallest machines that do what the controller did; several if they test different registers."""
    labeller = Labeller(recording)
    if recording.stateless:
        return list(_tables(labeller))
    return _machines(labeller) or [_unrolled(labeller)]


def _tables(labeller: Labeller) -> Iterator[Abstraction]:
    """One state; the fewest registers that decide what is done."""
    step_of = {
        pattern: step
        for run in labeller.recording.runs
        for pattern, step in zip(run.patterns, run.steps, strict=True)
    }
    plain = labeller.labelling()
    masks = separating_masks(_classes(labeller, plain, step_of), labeller.num_registers)
    fewest = min((mask & ~_mask(plain.live)).bit_count() for mask in masks)
    chosen = [mask for mask in masks if (mask & ~_mask(plain.live)).bit_count() == fewest]
    for mask in chosen[:MAX_CANDIDATES]:
        yield _table(labeller, step_of, mask)


def _table(labeller: Labeller, step_of: Mapping[int, int], mask: int) -> Abstraction:
    while True:
        labelling = labeller.labelling(_registers(mask))
        classes = _classes(labeller, labelling, step_of)
        if decides(mask, classes):
            break
        mask |= separating_masks(classes, labeller.num_registers)[0]
    behaviours = {pattern: _behaviour(labelling, label, 0) for pattern, label in classes.items()}
    return Abstraction("table", labelling, (_guards(behaviours, mask),))


def _classes(labeller: Labeller, labelling: Labelling, step_of: Mapping[int, int]) -> dict[int, int]:
    """For every zero-pattern a label that does there what the controller does, as few as possible.

    A step may do under its pattern what another step does everywhere: then the other's label serves.
    """
    patterns: dict[int, list[int]] = {}
    for pattern, step in sorted(step_of.items()):
        patterns.setdefault(labelling.of_step[step], []).append(pattern)
    order = sorted(patterns, key=lambda label: (-len(patterns[label]), patterns[label]))
    kept: list[int] = []
    serves: dict[int, int] = {}
    for label in order:
        able = (other for other in kept if _serves(labeller, labelling, other, label, patterns[label]))
        serves[label] = next(able, label)
        if serves[label] == label:
            kept.append(label)
    return {pattern: serves[label] for label, covered in patterns.items() for pattern in covered}


def _serves(labeller: Labeller, labelling: Labelling, other: int, label: int, patterns: list[int]) -> bool:
    """Whether one label does under all these patterns what another does."""
    steps = labelling.of_step.index(other), labelling.of_step.index(label)
    live = labelling.live
    return all(
        labeller.label(steps[0], live, pattern) == labeller.label(steps[1], live, pattern)
        for pattern in patterns
    )


def _machines(labeller: Labeller) -> list[Abstraction]:
    """Finite machines with the fewest blocks, of those the ones that test the fewest registers."""
    found: list[tuple[tuple[int, ...], Abstraction]] = []
    for size in range(labeller.num_registers + 1):
        if found and size > MAX_TESTED:
            break
        for tested in combinations(range(labeller.num_registers), size):
            labelling = labeller.labelling(tested)
            machine = learn_machine({_word(run, labelling, _mask(tested)) for run in labeller.recording.runs})
            if machine is not None:
                abstraction = _from_mealy(machine, labelling)
                blocks = sum(map(len, abstraction.states))
                found.append(((blocks, size, machine.num_states, len(labelling.live)), abstraction))
    best = min((cost for cost, _ in found), default=())
    return [abstraction for cost, abstraction in found if cost == best][:MAX_CANDIDATES]


def _word(run: RecordedRun, labelling: Labelling, mask: int) -> tuple[tuple[int, int], ...]:
    pairs = zip(run.patterns, run.steps, strict=True)
    return tuple((pattern & mask, labelling.of_step[step]) for pattern, step in pairs)


def _from_mealy(machine: Mealy, labelling: Labelling) -> Abstraction:
    states = []
    for moves in machine.transitions:
        behaviours = {s: _behaviour(labelling, label, target) for s, (label, target) in moves.items()}
        tested = max(moves, default=0).bit_length()
        mask = separating_masks(behaviours, tested)[0]
        states.append(_guards(behaviours, mask))
    return Abstraction("machine", labelling, tuple(states))


def _unrolled(labeller: Labeller) -> Abstraction:
    labelling = labeller.labelling(range(labeller.num_registers))
    recorded = [
        [(p, labelling.of_step[step]) for p, step in zip(run.patterns, run.steps, strict=True)]
        for run in labeller.recording.runs
    ]
    states: list[Mapping[Behaviour, Guard]] = []
    for time, guards in enumerate(unroll(recorded, labeller.num_registers)):
        states.append({_behaviour(labelling, label, time + 1): guard for label, guard in guards.items()})
    return Abstraction("unrolled", labelling, (*states, {}))


def _behaviour(labelling: Labelling, label: int, target: int) -> Behaviour:
    return label, None if labelling.labels[label].halts else target


def _guards(behaviours: Mapping[int, Behaviour], mask: int) -> dict[Behaviour, Guard]:
    distinct = sorted(set(behaviours.values()), key=lambda b: (b[0], -1 if b[1] is None else b[1]))
    return {
        behaviour: guard_of([p for p, other in behaviours.items() if other == behaviour], mask)
        for behaviour in distinct
    }


def _mask(registers: frozenset[int] | tuple[int, ...]) -> int:
    return sum(1 << register for register in registers)


def _registers(mask: int) -> list[int]:
    return [register for register in range(mask.bit_length()) if mask >> register & 1]
