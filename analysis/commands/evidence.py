"""What a program's file says of a proof, beside what its evidence is worth here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from analysis.commands.output import page_width
from analysis.extraction.resolve import PROGRAM_FILE, find_place
from analysis.program.certificate import PROOF, Certificate, meanings
from analysis.program.program import Program
from analysis.program.text import hanging
from analysis.proofs.certify import evidence_file

_INDENT = 14


def evidence_of(name: str) -> Path:
    """Where the evidence of a program's proof is, if there is any: beside it.

    Args:
        name: Program file, run folder, or zoo:TASK.

    Raises:
        ValueError: It does not exist.
    """
    place = find_place(name)
    return evidence_file(place if place.is_file() else place / PROGRAM_FILE)


def proof_lines(program: Program, found: Sequence[Certificate], evidence: str | None) -> Iterator[str]:
    """The proof that a program claims, and what each of the words on the page means.

    Args:
        program: The program.
        found: What was found besides.
        evidence: What is known of its evidence; None if it claims no proof.
    """
    proof = next((certificate for certificate in program.certificates if certificate.check == PROOF), None)
    if proof is not None and evidence is not None:
        lines = [f"{proof} ({evidence}); {proof.claim}", *meanings([*found, proof])]
        for number, line in enumerate(lines):
            yield hanging(f"{'' if number else PROOF:<13} {line}", page_width(), _INDENT)
