"""Proves the programs of the zoo, or of a folder, and prints what is claimed and what it took.

python benchmarks/prove_zoo.py                    # all of the zoo; evidence goes into ./proofs
python benchmarks/prove_zoo.py copy reverse       # some
python benchmarks/prove_zoo.py --ship             # evidence beside each program, figures into docs/results
python benchmarks/prove_zoo.py --folder FOLDER    # every program file there
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import Any

from agents import zoo
from analysis.extraction.resolve import PROGRAM_FILE
from analysis.measurement.results import PROOF_COUNTS
from analysis.measurement.results_file import FIGURES
from analysis.measurement.results_page import PROOF_COLUMNS, page
from analysis.program.file import load_program, save_program
from analysis.program.program import Program
from analysis.proofs.certify import certificate, evidence_file
from analysis.proofs.evidence import save_evidence
from analysis.proofs.obligations import obligations
from analysis.proofs.prover import MINUTES, Finding, prove
from analysis.simplification.canonical import canonical_hash
from analysis.studies.shares import shares_beside
from nram_env.files import read_json
from nram_env.support import write_atomically
from nram_env.tasks import get_task

RESULTS = Path("docs/results.md")


def main() -> int:
    """Prove, save, print; 0 if all are proved."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="entries of the zoo, or files of the folder; default: all")
    parser.add_argument("--folder", type=Path, help="where the programs are; default: the zoo")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="for each program")
    parser.add_argument("--ship", action="store_true", help="put the evidence beside the programs of the zoo")
    options = parser.parse_args()
    if options.ship and options.folder:
        parser.error("what ships is the zoo's")
    files = {file.stem: file for file in sorted(options.folder.glob("*.json"))} if options.folder else _zoo()
    print(f"| {' | '.join(PROOF_COLUMNS)} |\n{'| --- ' * len(PROOF_COLUMNS)}|", flush=True)
    verdicts = [_proved(name, files[name], options) for name in options.names or files]
    return 0 if set(verdicts) == {"PROVED"} else 1


def _zoo() -> dict[str, Path]:
    return {name: zoo.PLACE / name / PROGRAM_FILE for name in zoo.entries()}


def _proved(name: str, file: Path, options: argparse.Namespace) -> str:
    program, begun = load_program(file), _seconds()
    assert program.task is not None
    found = prove(program, get_task(program.task), minutes=options.minutes)
    row = {"name": name, **_figures(program, found, _seconds() - begun)}
    print(f"| {' | '.join(column(row) for column in PROOF_COLUMNS.values())} |", flush=True)
    for line in found.tried if found.proof is None else ():
        print(f"    {line}", file=sys.stderr, flush=True)
    beside = evidence_file(file) if options.ship else Path("proofs") / f"{name}.proof.zip"
    if found.proof is not None:
        save_evidence(found.proof, beside)
    if found.proof is not None and options.ship:
        save_program(program.with_certificates(certificate(found.proof)), file)
        _keep(row)
    return found.verdict


def _figures(program: Program, found: Finding, seconds: float) -> dict[str, Any]:
    """The row of a table of proofs."""
    row = {"program": canonical_hash(program), "verdict": found.verdict, "seconds": round(seconds, 1)}
    if found.proof is None or found.best is None:
        counts = dict.fromkeys(PROOF_COUNTS)
        return {**row, "statement": str(found.counterexample or found.claim), **counts}
    shown = certificate(found.proof)
    return {
        **row,
        "statement": f"{shown.domain}: {shown.claim}",
        "guesses": found.best.guessed,
        "left": sum(map(len, found.best.invariants.values())),
        "needed": sum(len(facts) for _, facts in found.proof.places()),
        "obligations": sum(1 for _ in obligations(found.proof)),
    }


def _keep(row: Mapping[str, Any]) -> None:
    """Put a row into the figures behind the page of results, and write the page."""
    figures = RESULTS.with_suffix(".json")
    rows = read_json(figures, FIGURES)["rows"]
    rows[row["name"]]["proof"] = {key: value for key, value in row.items() if key != "name"}
    write_atomically(figures, json.dumps({"rows": rows}, indent=2) + "\n")
    write_atomically(RESULTS, page(rows.values(), shares_beside(RESULTS)))


def _seconds() -> float:
    """Seconds of one core that this process and its children took."""
    return sum(used.ru_utime + used.ru_stime for used in (getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)))


if __name__ == "__main__":
    sys.exit(main())
