"""`nram shorten`: a program rewritten so that a person understands it, checked and proved anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from analysis.commands.inputs import task_of
from analysis.commands.output import command, emit, page_width, say
from analysis.commands.proofs import Progress
from analysis.extraction.names import name_registers
from analysis.extraction.resolve import SHORT_FILE, find_source, output_folder
from analysis.printing.page import listing
from analysis.program.certificate import NOT_AT_HAND
from analysis.program.file import load_program, save_program
from analysis.program.program import Program
from analysis.proofs.certify import CHECKED, certificate, evidence_file
from analysis.proofs.checking import missing_solver
from analysis.proofs.evidence import save_evidence
from analysis.proofs.prover import Finding, prove
from analysis.rewriting.search import shorten
from analysis.verification.ladder import MUST_HOLD, verify
from nram_env.tasks import Task


@dataclass(frozen=True)
class Shorten:
    """Rewrite a program so that a person understands it: a few lines with the same output.

    Flags become control, stores and registers that nothing needs are left out, iterations that were written
    out go back into their loop, several timesteps become one pass. That is looked for on some hundred runs,
    and believed of none: the result is an ordinary program, checked like any other, and proved anew where
    z3 and cvc5 are at hand. nram show prints it in place of the code of the program that it was made from, as
    long as it lies beside it. The exit code is 0 only if no check refutes it.

    Examples:
        nram shorten runs/demo
        nram shorten zoo:listsearch --out listsearch.json
    """

    program: tyro.conf.Positional[str]
    """Program file, run folder, or zoo:TASK; it has to be right and to stop by itself."""
    out: Path | None = None
    """Where the short program goes; default: short.json beside it, for zoo:TASK in ./zoo-TASK."""
    minutes: float = 2.0
    """How long to look for a proof; 0 for none."""
    task: str | None = None
    """Its task; default: the program's own."""
    seed: int = 0
    """Seed of all runs."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Shorten, check, prove, save, print."""
        if not self.minutes >= 0:
            raise ValueError(f"minutes must be at least 0, got {self.minutes}")
        source = find_source(self.program)
        task = task_of(source, self.task)
        program = source.program(self.seed, say)
        short = name_registers(shorten(program, task, seed=self.seed, watch=Progress(None).say))
        say("checking it on memories of many sizes")
        short = short.with_certificates(*verify(short, task, seed=self.seed))
        proof = self._proof(short, task)
        if proof is not None and proof.proof is not None:
            short = short.with_certificates(certificate(proof.proof))
        right = proof is None or proof.verdict != "REFUTED"
        right &= all(found.verdict != "REFUTED" for found in short.certificates if found.check in MUST_HOLD)
        if right:
            self._save(short, proof)
        emit(_record(program, short, proof), listing(short, page_width(), _evidence(proof)), self.json)
        return 0 if right else 1

    def _proof(self, short: Program, task: Task) -> Finding | None:
        """What came of looking for a proof; None if none was looked for."""
        why = "the task has no specification" if task.spec is None else missing_solver()
        if why or not self.minutes:
            say(f"no proof is looked for: {why or '--minutes 0'}")
            return None
        return prove(short, task, minutes=self.minutes, seed=self.seed, watch=Progress(60 * self.minutes).say)

    def _save(self, short: Program, proof: Finding | None) -> None:
        out = self.out or output_folder(self.program) / SHORT_FILE
        if out.exists():
            load_program(out)  # anything else than a program is not written over
        save_program(short, out)
        if proof is not None and proof.proof is not None:
            save_evidence(proof.proof, evidence_file(out))
        say(f"saved in {out}; see it with:  {command('show', self.program if self.out is None else out)}")


def _evidence(proof: Finding | None) -> str:
    return CHECKED if proof is not None and proof.proof is not None else NOT_AT_HAND


def _record(program: Program, short: Program, proof: Finding | None) -> dict[str, Any]:
    sizes = {
        name: {"registers": one.num_registers, "states": len(one.states), "blocks": len(one.edges)}
        for name, one in (("before", program), ("after", short))
    }
    return {**sizes, "proof": None if proof is None else proof.verdict, "edits": short.origin["edits"]}
