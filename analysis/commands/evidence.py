"""What a program's file says of a proof, beside what its evidence is worth here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.commands.output import page_width
from analysis.program.certificate import PROOF, Certificate, meanings
from analysis.program.program import Program
from analysis.program.text import hanging

_INDENT = 14


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
