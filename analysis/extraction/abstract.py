"""From a recording to a machine over labels: what to test, which states there are, what each one does.

A controller without state is one state: a table over zero-patterns. For any other a finite machine is
learned; where none fits, the runs are written out timestep by timestep and called unrolled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from operator import or_

from analysis.extraction.automaton import Mealy, learn_machine
from analysis.extraction.labels import Labeller, Labelling
from analysis.extraction.record import RecordedRun, Recording
from analysis.extraction.unroll import unroll
from analysis.program.block import Guard
from analysis.program.program import START, Kind
from analysis.simplification.guards import decides, guard_of, mask_of, partition, separating_masks
from analysis.simplification.reach import facts_of

MAX_CANDIDATES = 8
"""Equally small abstractions that are worked out before the smallest program is taken."""

MAX_SERVED = 24
"""Labels of a table among which one is looked for that can stand for another."""

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
    if recording.table:
        return list(_tables(labeller))
    return _machines(labeller) or [_unrolled(labeller)]


def _tables(labeller: Labeller) -> Iterator[Abstraction]:
    """One state; the fewest registers that decide what is done under every pattern that can occur."""
    plain = labeller.labelling()
    masks = separating_masks(_classes(labeller, plain), labeller.all_registers)
    fewest = min((mask & ~mask_of(plain.live)).bit_count() for mask in masks)
    chosen = [mask for mask in masks if (mask & ~mask_of(plain.live)).bit_count() == fewest]
    for mask in chosen[:MAX_CANDIDATES]:
        yield _table(labeller, mask)


def _table(labeller: Labeller, mask: int) -> Abstraction:
    while True:
        labelling = labeller.labelling(_registers(mask))
        classes = _classes(labeller, labelling)
        if decides(mask, classes):
            break
        mask |= separating_masks(classes, labeller.all_registers)[0]
    impossible = labeller.recording.reach.impossible(mask)
    behaviours = {pattern: _behaviour(labelling, label, 0) for pattern, label in classes.items()}
    return Abstraction("table", labelling, (_ordered(partition(behaviours, mask, impossible)),))


def _classes(labeller: Labeller, labelling: Labelling) -> dict[int, int]:
    """For every zero-pattern a label that does there what the controller does, as few as possible.

    A step may do under its pattern what another step does everywhere: then the other's label serves. Of
    more than MAX_SERVED labels that is not asked: they are no program to be read.
    """
    patterns: dict[int, list[int]] = {}
    for pattern, step in labeller.recording.table.items():
        patterns.setdefault(labelling.of_step[step], []).append(pattern)
    order = sorted(patterns, key=lambda label: (-len(patterns[label]), patterns[label]))
    kept: list[int] = []
    serves: dict[int, int] = {}
    for label in order:
        tried = kept if len(order) <= MAX_SERVED else []
        able = (other for other in tried if _serves(labeller, labelling, other, label, patterns[label]))
        serves[label] = next(able, label)
        if serves[label] == label:
            kept.append(label)
    return {pattern: serves[label] for label, covered in patterns.items() for pattern in covered}


def _serves(labeller: Labeller, labelling: Labelling, other: int, label: int, patterns: list[int]) -> bool:
    """Whether one label does under all these patterns what another does."""
    steps = labelling.of_step.index(other), labelling.of_step.index(label)
    known = labeller.recording.reach.known
    facts = (facts_of(pattern, known[START, pattern]) for pattern in patterns)
    return all(
        labeller.label(steps[0], labelling.live, under) == labeller.label(steps[1], labelling.live, under)
        for under in facts
    )


def _machines(labeller: Labeller) -> list[Abstraction]:
    """Finite machines with the fewest blocks, of those the ones that test the fewest registers."""
    found: list[tuple[tuple[int, ...], Abstraction]] = []
    for size in range(labeller.num_registers + 1):
        if found and size > MAX_TESTED:
            break
        for tested in combinations(range(labeller.num_registers), size):
            labelling = labeller.labelling(tested)
            machine = learn_machine(
                {_word(run, labelling, mask_of(tested)) for run in labeller.recording.runs}
            )
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
        mask = separating_masks(behaviours, reduce(or_, moves, 0))[0]
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
    members: dict[Behaviour, list[int]] = {}
    for pattern, behaviour in behaviours.items():
        members.setdefault(behaviour, []).append(pattern)
    return _ordered({behaviour: guard_of(patterns, mask) for behaviour, patterns in members.items()})


def _ordered(guards: Mapping[Behaviour, Guard]) -> dict[Behaviour, Guard]:
    return {b: guards[b] for b in sorted(guards, key=lambda b: (b[0], -1 if b[1] is None else b[1]))}


def _registers(mask: int) -> list[int]:
    return [register for register in range(mask.bit_length()) if mask >> register & 1]
