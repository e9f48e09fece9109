"""Proofs as certificates of a program, which are believed with their evidence alone."""

from __future__ import annotations

from pathlib import Path

from analysis.program.certificate import NOT_AT_HAND, PROOF, Certificate
from analysis.program.file import load_program, save_program
from analysis.program.program import Program
from analysis.proofs.obligations import obligations
from analysis.proofs.proof import Proof
from analysis.proofs.recheck import Recheck, recheck
from analysis.proofs.statement import smallest_size

CHECKED = "evidence checked"
"""What is said of a proof whose evidence was at hand, and held."""


def certificate(proof: Proof) -> Certificate:
    """What a program file says of a proof."""
    domain = f"every M >= {smallest_size(proof.setting)}, every n and every legal memory"
    return Certificate(PROOF, str(proof.claim), "PROVED", domain, sum(1 for _ in obligations(proof)))


def evidence_file(program_file: str | Path) -> Path:
    """Where the evidence of a program's proof belongs: beside its file.

    Example:
        >>> evidence_file("runs/copy/program.json").name
        'program.proof.zip'
    """
    return Path(program_file).with_suffix(".proof.zip")


def note_proof(proof: Proof, program_file: Path) -> None:
    """Say in the file of a program that it is proved; the evidence is kept apart."""
    save_program(load_program(program_file).with_certificates(certificate(proof)), program_file)


def with_proof(program: Program, evidence: Path) -> Program:
    """The program with the certificate of its evidence, which is put to z3; without where that does not hold.

    Args:
        program: A program.
        evidence: Where its evidence would be.
    """
    if not evidence.is_file():
        return program
    try:
        found = _put_to_z3(evidence, program)
    except ValueError:  # no evidence, or no solver
        return program
    return program if found.problems else program.with_certificates(certificate(found.evidence.proof))


def standing(program: Program, evidence: Path | None) -> str | None:
    """What the claim of a program to be proved is worth here: the evidence is looked at, and put to z3.

    Args:
        program: The program, perhaps with a certificate of a proof.
        evidence: Where its evidence would be.

    Returns:
        A few words, None if the program does not claim to be proved.
    """
    claimed = next((found for found in program.certificates if found.check == PROOF), None)
    if claimed is None or claimed.verdict != "PROVED":
        return None
    if evidence is None or not evidence.is_file():
        return NOT_AT_HAND
    try:
        found = _put_to_z3(evidence, program)
        said = certificate(found.evidence.proof)
    except ValueError as error:
        return f"evidence not checked: {error}"
    if said != claimed:
        return "the evidence is of another claim"
    return CHECKED if not found.problems else f"the evidence does not hold: {found.problems[0]}"


def _put_to_z3(evidence: Path, program: Program) -> Recheck:
    return recheck(evidence, program, solvers=("z3",), seeds=(0,))
