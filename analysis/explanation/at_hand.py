"""A program, its shortened form, and the evidence of their proofs, as they lie beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from analysis.extraction.resolve import PROGRAM_FILE, find_place, find_short
from analysis.program.program import Program
from analysis.proofs.certify import CHECKED, evidence_file, standing
from analysis.proofs.evidence import load_evidence
from analysis.proofs.proof import Proof


@dataclass(frozen=True)
class AtHand:
    """A program, and what is known here of its proof.

    Attributes:
        program: The program.
        evidence: Where the evidence of its proof is, if there is any.
        standing: What its claim to be proved is worth here; None if it claims none.
    """

    program: Program
    evidence: Path
    standing: str | None

    @property
    def proof(self) -> Proof | None:
        """The proof, where its evidence was at hand and held."""
        return load_evidence(self.evidence).proof if self.standing == CHECKED else None


def evidence_of(name: str) -> Path:
    """Where the evidence of a program's proof is, if there is any: beside it.

    Args:
        name: Program file, run folder, or zoo:TASK.

    Raises:
        ValueError: It does not exist.
    """
    place = find_place(name)
    return evidence_file(place if place.is_file() else place / PROGRAM_FILE)


def at_hand(name: str, program: Program) -> AtHand:
    """A program with its proof, whose evidence is put to a solver: that may take a minute.

    Args:
        name: What the program is called by.
        program: The program.
    """
    evidence = evidence_of(name)
    return AtHand(program, evidence, standing(program, evidence))


def short_at_hand(name: str, program: Program) -> AtHand | None:
    """The same of its shortened form; None if there is none beside it."""
    found = find_short(name, program)
    if found is None:
        return None
    short, file = found
    return AtHand(short, evidence_file(file), standing(short, evidence_file(file)))
