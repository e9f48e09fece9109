"""Evidence checked again: nothing is looked for, everything is made anew and put to both solvers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.program.program import Program
from analysis.proofs.checking import SEEDS, SOLVERS, Solver, disagreements
from analysis.proofs.evidence import Evidence, code_hash, load_evidence
from analysis.proofs.obligations import obligations
from analysis.proofs.vacuity import contradictions


@dataclass(frozen=True)
class Recheck:
    """What came of checking evidence again.

    Attributes:
        evidence: What was checked.
        obligations: How many obligations there are.
        problems: What was found wrong, in sentences; empty if all agree.
    """

    evidence: Evidence
    obligations: int
    problems: tuple[str, ...]


def recheck(
    path: str | Path,
    program: Program | None = None,
    *,
    solvers: Sequence[Solver] = SOLVERS,
    seeds: Sequence[int] = SEEDS,
    watch: Callable[[str], None] = lambda line: None,
) -> Recheck:
    """Check evidence again, without looking for anything.

    The obligations are made anew from program and invariants and compared with those in the file, every
    solver is asked about each of them with every seed, and runs are watched: the given facts must hold of
    legal memories, and the invariants where the runs come by.

    Args:
        path: The evidence.
        program: A program that it has to be about; default: the one that it holds.
        solvers: Which solvers.
        seeds: With which seeds each.
        watch: Told now and then how far it has come.

    Raises:
        FileError: The file is no evidence.
        ValueError: A solver is not installed.

    Example:
        >>> from importlib.resources import files
        >>> found = recheck(files("agents") / "zoo/access/program.proof.zip")
        >>> found.obligations, found.problems
        (21, ())
    """
    evidence = load_evidence(path)
    proof = evidence.proof
    problems = [f"{name} is not what the proof gives" for name in evidence.differing]
    if program is not None and code_hash(program) != code_hash(proof.setting.program):
        problems.append(f"it is about another program than {program.name}: their code differs")
    problems += contradictions(proof)
    shown = tuple(obligations(proof))
    problems += map(str, disagreements(shown, solvers, seeds, watch=watch))
    return Recheck(evidence, len(shown), tuple(problems))
