"""`nram prove | recheck`: proofs for every memory of every size, and their evidence checked again."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tyro

from analysis.commands.inputs import task_of
from analysis.commands.output import command, emit, say
from analysis.extraction.resolve import ZOO_PREFIX, find_source, program_file
from analysis.program.text import hanging
from analysis.proofs.attempt import Attempt
from analysis.proofs.certify import evidence_file, note_proof
from analysis.proofs.prover import MINUTES, Finding, prove
from analysis.proofs.recheck import recheck
from analysis.proofs.statement import location_text, statement
from nram_env.tasks.terms import text

_EVERY = 5.0
"""Seconds between two lines of progress."""


@dataclass(frozen=True)
class Prove:
    """Prove that a program is right on every legal memory of every size, and write down the evidence.

    Nothing has to be set: of a program that stops by itself it is claimed that it does, after at most so many
    steps, and that its output is then right; of any other, from which T to which T its output is right. The
    answer is PROVED, REFUTED with an instance that replays, or UNKNOWN with what is missing. The exit code is
    0 only if it is PROVED. Needs z3 and cvc5: pip install 'nram[prove]'.

    Examples:
        nram prove zoo:copy
        nram prove runs/demo --minutes 3
    """

    program: tyro.conf.Positional[str]
    """Program file, run folder, or zoo:TASK."""
    minutes: float = MINUTES
    """How long to look for a proof; Ctrl-C ends it before, with what there is."""
    task: str | None = None
    """Task to prove it against; default: the program's own."""
    out: Path | None = None
    """Where the evidence goes; default: beside the program, for zoo:TASK into ./zoo-TASK."""
    seed: int = 0
    """Seed of the runs that facts are guessed from."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Look for a proof; save its evidence."""
        if not self.minutes > 0:
            raise ValueError(f"minutes must be more than 0, got {self.minutes}")
        source = find_source(self.program)
        task = task_of(source, self.task)
        program = source.program(self.seed, say)
        progress = Progress(60 * self.minutes)
        found = prove(program, task, minutes=self.minutes, seed=self.seed, watch=progress.say)
        file = self._saved(found)
        emit(_record(found, file), _report(found), self.json)
        return 0 if found.verdict == "PROVED" else 1

    def _saved(self, found: Finding) -> Path | None:
        """Save the evidence, and say so in the file of the program, unless it is of the zoo."""
        if found.proof is None:
            return None
        own = program_file(self.program)
        file = self.out or evidence_file(own)
        found.save(file)
        if not self.program.startswith(ZOO_PREFIX) and own.is_file():
            note_proof(found.proof, own)
        say(f"evidence saved in {file}; check it again with:  {command('recheck', file)}")
        return file


@dataclass(frozen=True)
class Recheck:
    """Check the evidence of a proof again: nothing is searched, two solvers are asked with several seeds.

    Every obligation is made anew from program and invariants and has to be the one that the file holds; then
    each solver, in a process of its own, has to agree to each obligation. The exit code is 0 only if all do.

    Examples:
        nram recheck zoo-copy/program.proof.zip
        nram recheck runs/demo/program.proof.zip --program runs/demo
    """

    evidence: tyro.conf.Positional[Path]
    """File of evidence, as nram prove makes it."""
    program: str | None = None
    """Program that it has to be about: file, run folder, or zoo:TASK."""
    seeds: tuple[int, ...] = (0, 1)
    """Seeds of the solvers."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Check and print."""
        if not self.seeds:
            raise ValueError("there must be at least one seed")
        program = None if self.program is None else find_source(self.program).program(0, say)
        progress = Progress(None)
        found = recheck(self.evidence, program, seeds=self.seeds, watch=progress.say)
        agree = not found.problems
        word = "PROVED: all agree" if agree else "NOT CONFIRMED"
        lines = [statement(found.evidence.proof)]
        lines += [hanging(problem, 100, 4) for problem in found.problems[:20]]
        lines += [
            f"{word}; {found.obligations} obligations, z3 and cvc5, seeds {', '.join(map(str, self.seeds))}"
        ]
        result = {"agree": agree, "obligations": found.obligations, "problems": list(found.problems)}
        emit({**result, "claim": str(found.evidence.proof.claim)}, "\n".join(lines), self.json)
        return 0 if agree else 1


class Progress:
    """Lines about what is going on, not too many of them, with the time that is left."""

    def __init__(self, seconds: float | None) -> None:
        self._begun, self._seconds, self._shown = time.monotonic(), seconds, float("-inf")

    def say(self, line: str) -> None:
        """Print a line unless one was printed just now."""
        now = time.monotonic()
        if now - self._shown < _EVERY:
            return
        self._shown = now
        left = "" if self._seconds is None else f" ({max(0.0, self._begun + self._seconds - now):.0f} s left)"
        say(f"{line}{left}")


def _report(found: Finding) -> str:
    if found.proof is not None:
        return f"PROVED in {found.seconds:.0f} s\n\n{statement(found.proof)}"
    if found.counterexample is not None:
        return f"REFUTED in {found.seconds:.0f} s: {found.claim}\n    {found.counterexample}"
    lines = [f"UNKNOWN after {found.seconds:.0f} s: {found.claim}", "", "tried:"]
    lines += [hanging(f"    {line}", 100, 8) for line in found.tried]
    return "\n".join([*lines, *([] if found.best is None else _missing(found.best))])


def _missing(best: Attempt) -> list[str]:
    """What does not follow, and the strongest invariant where it does not."""
    setting = best.setting
    lines = [f"\nWith {setting} it does not follow:" if best.failed else f"\nWith {setting} it follows."]
    if not best.finished:
        lines += ["  That is what was left of the guesses; how many of them every step keeps is not known."]
    for place in dict.fromkeys(place for place, _ in best.failed):
        lines += [f"  {location_text(place, setting)}:"]
        lines += [f"    {text(goal.fact)}" for where, goal in best.failed if where == place]
        lines += ["    from", *(f"      {text(fact)}" for fact in best.invariants[place])]
    return lines


def _record(found: Finding, file: Path | None) -> dict[str, Any]:
    wrong = None if found.counterexample is None else asdict(found.counterexample)
    return {
        "verdict": found.verdict,
        "claim": found.claim,
        "evidence": None if file is None else str(file),
        "counterexample": wrong,
        "tried": list(found.tried),
        "seconds": round(found.seconds, 1),
    }
