"""Proves the programs of the zoo, and prints the table of what is claimed and what it took.

python benchmarks/prove_zoo.py                    # all of them; evidence goes into ./proofs
python benchmarks/prove_zoo.py copy reverse       # some
python benchmarks/prove_zoo.py --ship             # evidence beside each program, whose file then says so
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from agents import zoo
from analysis.extraction.resolve import PROGRAM_FILE
from analysis.program.file import load_program, save_program
from analysis.proofs.certify import certificate, evidence_file
from analysis.proofs.evidence import save_evidence
from analysis.proofs.obligations import obligations
from analysis.proofs.prover import MINUTES, Finding, prove
from nram_env.tasks import get_task

HEADINGS = ("program", "verdict", "claim", "seconds", "guesses", "left", "needed", "obligations")


def main() -> int:
    """Prove, save, print; 0 if all are proved."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="entries of the zoo; default: all")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="for each program")
    parser.add_argument("--ship", action="store_true", help="put the evidence beside the programs")
    options = parser.parse_args()
    print(f"| {' | '.join(HEADINGS)} |\n{'| --- ' * len(HEADINGS)}|", flush=True)
    proved = [_proved(name, options.minutes, options.ship) for name in options.names or zoo.entries()]
    return 0 if all(proved) else 1


def _proved(name: str, minutes: float, ship: bool) -> bool:
    file = zoo.PLACE / name / PROGRAM_FILE
    program = load_program(file)
    assert program.task is not None
    found = prove(program, get_task(program.task), minutes=minutes)
    print(_row(name, found), flush=True)
    if found.proof is None:
        return False
    save_evidence(found.proof, evidence_file(file) if ship else Path("proofs") / f"{name}.proof.zip")
    if ship:
        save_program(program.with_certificates(certificate(found.proof)), file)
    return True


def _row(name: str, found: Finding) -> str:
    claim = str(found.counterexample or found.claim)
    counts = ["", "", "", ""]
    if found.proof is not None and found.best is not None:
        left = sum(map(len, found.best.invariants.values()))
        needed = sum(len(facts) for _, facts in found.proof.places())
        shown = sum(1 for _ in obligations(found.proof))
        counts = [f"{number:,}" for number in (found.best.guessed, left, needed, shown)]
    return f"| {' | '.join([name, found.verdict, claim, f'{found.seconds:.0f}', *counts])} |"


if __name__ == "__main__":
    sys.exit(main())
