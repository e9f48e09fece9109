"""Names of registers from what a proof says that they hold; where it says nothing, their roles name them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Literal

from analysis.explanation.knowledge import Facts, contains, equalities
from analysis.extraction.names import name_registers
from analysis.program.program import Program
from analysis.proofs.proof import Proof
from nram_env.tasks.parts import Part
from nram_env.tasks.spec import BEFORE, MEMORY, Recursive, TaskSpec
from nram_env.tasks.terms import Apply, Number, Term, free_names

_COUNTERS = "ijklmn"


@dataclass(frozen=True)
class Meaning:
    """What a register holds.

    Attributes:
        kind: "node", an address from a sequence of the specification; "entry", what a cell of a part held;
            "counter", a number that goes with the timesteps; "cell", what a cell with a name held all along.
        word: The word that the specification has for it; none for a counter.
        part: Of an entry or a cell.
    """

    kind: Literal["node", "entry", "counter", "cell"]
    word: str = ""
    part: Part | None = None


def meanings(proof: Proof) -> tuple[Meaning | None, ...]:
    """For every register of the proof's program what its invariants say that it holds, None for nothing."""
    return tuple(_meaning(proof, register.name) for register in proof.setting.registers)


def meaning_names(program: Program, proof: Proof | None) -> tuple[str, ...]:
    """A name for every register, no two the same.

    Args:
        program: The program.
        proof: A proof about its code, or None: then roles alone give names.
    """
    known = meanings(proof) if proof else (None,) * program.num_registers
    used = _words(proof.setting.spec) if proof else set()
    names: list[str] = []
    for meaning, register in zip(known, name_registers(program).registers, strict=True):
        taken = {*names, *(used if meaning is None or meaning.kind != "cell" else ())}
        names.append(next(name for name in _candidates(meaning, register.name) if name not in taken))
    return tuple(names)


def _words(spec: TaskSpec) -> set[str]:
    """Names that mean something else."""
    return {"M", "t", "u", *spec.params, *(part.name for part in spec.parts)}


def _candidates(meaning: Meaning | None, role: str) -> Iterator[str]:
    if meaning is not None and meaning.kind == "counter":
        yield from _COUNTERS
    word = meaning.word if meaning is not None and meaning.word else role
    yield from chain([word], (f"{word}{number}" for number in count(2)))


def _meaning(proof: Proof, register: str) -> Meaning | None:
    """The first kind that some location speaks of; a cell has to be spoken of wherever the register is."""
    places = [facts for _, facts in proof.places() if any(register in free_names(fact) for fact in facts)]
    found = [_held(facts, register, proof.setting.spec) for facts in places]
    for kind in ("node", "entry", "counter"):
        for held in chain.from_iterable(found):
            if held.kind == kind:
                return held
    cells = [next((held for held in place if held.kind == "cell"), None) for place in found]
    return cells[0] if len(set(cells)) == 1 else None


def _held(facts: Facts, register: str, spec: TaskSpec) -> list[Meaning]:
    """What a location says that a register holds."""
    sequences = {ghost.name for ghost in spec.ghosts if isinstance(ghost, Recursive)}
    found = []
    for term in equalities(facts, register):
        if isinstance(term, Apply):
            if term.function in sequences:
                found.append(Meaning("node", term.function))
            elif term.function in (BEFORE, MEMORY):
                part = part_of(term.index, spec.parts, facts)
                if part is not None and part.is_cell:
                    found.append(Meaning("cell", part.name, part))
                elif part is not None:
                    found.append(Meaning("entry", part.entry, part))
        elif free_names(term) & {"t", "u"}:
            found.append(Meaning("counter"))
    return found


def part_of(cell: Term, parts: Sequence[Part], facts: Facts) -> Part | None:
    """The part of the memory that a cell belongs to, by the facts."""
    if isinstance(cell, Number):
        single = next((part for part in parts if part.is_cell and part.low == cell), None)
        if single is not None:
            return single
    return next((part for part in parts if contains(part.low, part.high, cell, facts)), None)
