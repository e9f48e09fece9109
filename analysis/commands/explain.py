"""`nram show --explain`: a program's lines beside what they do in the words of its task."""

from __future__ import annotations

from pathlib import Path

from analysis.commands.evidence import evidence_of
from analysis.explanation.page import explanation
from analysis.extraction.resolve import find_short
from analysis.program.program import Program
from analysis.proofs.certify import CHECKED, evidence_file, standing
from analysis.proofs.evidence import load_evidence
from analysis.proofs.proof import Proof
from nram_env.tasks import get_task


def explained_text(name: str, program: Program, width: int) -> str:
    """The short form of a program that lies beside it, or the program itself, explained line by line.

    Args:
        name: What the program is called by.
        program: The program.
        width: Columns of the page.

    Raises:
        ValueError: It names no task, its task has no specification, or it cannot be written as nested code.
    """
    found = find_short(name, program)
    shown, evidence = (program, evidence_of(name)) if found is None else (found[0], evidence_file(found[1]))
    if shown.task is None:
        raise ValueError(f"program {program.name} names no task, so that there are no words to explain it in")
    text = explanation(shown, get_task(shown.task, shown.imports), _proof(shown, evidence), width)
    if text is None:
        raise ValueError(f"the states of program {program.name} do not nest; nram shorten may help")
    return text


def _proof(program: Program, evidence: Path) -> Proof | None:
    """The proof of a program, where it holds."""
    return load_evidence(evidence).proof if standing(program, evidence) == CHECKED else None
