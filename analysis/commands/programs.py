"""`nram extract | show | verify | diff`: programs from agents, and what one does with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import tyro

from agents.run_files import own_files
from analysis.commands.evidence import proof_lines
from analysis.commands.explain import explained_text
from analysis.commands.inputs import instance, task_of
from analysis.commands.output import emit, page_width, say, sizes_text
from analysis.explanation.at_hand import at_hand, evidence_of, short_at_hand
from analysis.extraction.pipeline import extract, judge_fidelity
from analysis.extraction.resolve import (
    PROGRAM_FILE,
    find_agent,
    find_place,
    find_program,
    find_source,
    output_folder,
)
from analysis.printing.difference import diff
from analysis.printing.page import Short, listing
from analysis.printing.views import choices_view, circuit_view, machine_view
from analysis.program.certificate import NOT_AT_HAND, Certificate, is_equal
from analysis.program.file import load_program, program_record, save_program
from analysis.program.program import Program
from analysis.program.text import hanging
from analysis.proofs.certify import standing
from analysis.simplification.canonical import canonical_hash
from analysis.verification import check_mutants, check_random, check_sizes, stops_by_itself
from analysis.verification.ladder import MUST_HOLD, RUNS, verify
from nram_env.tasks import Task

SIZES = (8, 32, 100)
"""Sizes that `verify` always tries, as far as they are not larger than the one that was asked for."""


@dataclass(frozen=True)
class Extract:
    """Turn a trained agent into a program file, and compare the two step by step.

    The exit code is 0 only if every `faithful` line says that the program equals the hardened agent: by
    construction where the agent has no state, on held-out runs, and on runs far beyond the task's horizon.
    Whether it is also right is shown, and is for `nram verify` to judge.

    Examples:
        nram extract runs/demo
        nram extract runs/copy-lstm-0 --out copy.json --seed 7
    """

    run: tyro.conf.Positional[str]
    """Run folder, agent file, or zoo:TASK."""
    out: Path | None = None
    """Where the program goes; default: program.json in the run folder, for zoo:TASK in ./zoo-TASK."""
    seed: int = 0
    """Seed of the inputs that are recorded and compared."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Extract, save, print."""
        out = self.out or output_folder(self.run) / PROGRAM_FILE
        agent = find_agent(self.run)
        if self.out is None:
            own_files(out.parent, {out.name: load_program}, "a program", "file with --out")
        program = extract(agent, seed=self.seed, progress=say)
        save_program(program, out)
        equal = is_equal(program.certificates)
        shown = listing(program, page_width())
        emit({"file": str(out), "equal": equal, **_summary(program)}, shown, self.json)
        say(f"saved in {out}")
        return 0 if equal else 1


@dataclass(frozen=True)
class Show:
    """Print a program.

    Examples:
        nram show runs/demo
        nram show program.json --view choices
        nram show zoo:listsearch --explain
    """

    program: tyro.conf.Positional[str]
    """Program file, run folder, or zoo:TASK."""
    view: Literal["listing", "choices", "circuit", "machine"] = "listing"
    """The listing; every selector's choice; the simplified circuits; or states and edges."""
    explain: bool = False
    """Instead, what each line of its code does, in the words of its task, and what is proved of each loop."""
    seed: int = 0
    """Seed of the extraction, where the folder holds an agent but no program yet."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Print."""
        program = find_program(self.program, seed=self.seed, progress=say)
        evidence = at_hand(self.program, program).standing
        if self.explain:
            text = explained_text(self.program, program, page_width())
        elif self.view == "listing":
            text = listing(program, page_width(), evidence or NOT_AT_HAND, self._short(program))
        else:
            text = _VIEWS[self.view](program, page_width())
        result = {**_summary(program), "proof": evidence, "program": program_record(program)}
        emit(result, text, self.json)
        return 0

    def _short(self, program: Program) -> Short | None:
        """The shortened form beside the program, if one was made."""
        found = short_at_hand(self.program, program)
        return None if found is None else Short(found.program, found.standing or NOT_AT_HAND)


@dataclass(frozen=True)
class Verify:
    """Check a program against its task on memories of any size.

    The exit code is 0 only if no check of correctness is refuted and, with --agent, every check of fidelity
    holds.

    Examples:
        nram verify runs/demo --n 500
        nram verify program.json --n 10000 --examples 20 --mutants
    """

    program: tyro.conf.Positional[str]
    """Program file, run folder, or zoo:TASK."""
    n: int = 100
    """Largest difficulty to try."""
    examples: int = 100
    """Random instances of each size n, every four in a memory size M of their own."""
    task: str | None = None
    """Task to check against; default: the program's own."""
    agent: str | None = None
    """Run folder of an agent: also compare the program with it, step by step."""
    mutants: bool = False
    """Also check that every single edit of the program is refuted."""
    seed: int = 0
    """Seed of the instances."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Run the ladder and print it."""
        source = find_source(self.program)
        task = task_of(source, self.task)
        self._check(task)
        program = source.program(self.seed, say)
        sizes = sorted({size for size in SIZES if size < self.n} | {self.n})
        checks = check_sizes(program, task, sizes, self.examples, self.seed)
        certificates = self._certificates(program, task)
        equal = self.agent is None or is_equal(certificates)
        right = equal and _holds(certificates) and not any(check["exact_error"] for check in checks)
        lines = [_size_line(check) for check in checks] + [_line(found) for found in certificates]
        evidence = standing(program, evidence_of(self.program)) if task.name == program.task else None
        lines += proof_lines(program, certificates, evidence)
        result = {"right": right, "checks": checks, "certificates": [asdict(c) for c in certificates]}
        result["proof"] = evidence
        emit({"hash": canonical_hash(program), "task": task.name, **result}, "\n".join(lines), self.json)
        return 0 if right else 1

    def _check(self, task: Task) -> None:
        """Reject what cannot be verified before an extraction, which takes long."""
        instance(task, self.n, self.seed)
        if self.examples < 1:
            raise ValueError(f"examples must be at least 1, got {self.examples}")
        if self.agent is not None:
            find_place(self.agent)

    def _certificates(self, program: Program, task: Task) -> list[Certificate]:
        found: list[Certificate] = []
        if self.agent is not None:
            found += _compare(program, task, self.agent, self.seed)
        say("checking the program against the task")
        found += verify(program, task, largest=self.n, seed=self.seed)
        if self.mutants:
            say("checking every single edit")
            stops = stops_by_itself(program, task)
            certificate, survivors = check_mutants(
                program, lambda mutant: check_random(mutant, task, 16, RUNS, self.seed, stops)
            )
            found.append(certificate)
            for survivor in survivors:
                say(f"not refuted: {survivor.edit}")
        return found


@dataclass(frozen=True)
class Diff:
    """Compare two programs: exit code 0 if they are the same but for names, 1 if they differ.

    Example:
        nram diff runs/demo zoo:copy
    """

    first: tyro.conf.Positional[str]
    """Program file, run folder, or zoo:TASK."""
    second: tyro.conf.Positional[str]
    """The same."""
    seed: int = 0
    """Seed of extractions."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Compare."""
        names = (self.first, self.second)
        programs = [source.program(self.seed, say) for source in map(find_source, names)]
        hashes = [canonical_hash(program) for program in programs]
        same, lines = hashes[0] == hashes[1], diff(programs[0], programs[1], names)
        text = "\n".join(lines) if lines else f"the same program, hash {hashes[0]}"
        emit({"same": same, "hashes": hashes, "difference": lines}, text, self.json)
        return 0 if same else 1


_VIEWS = {
    "choices": choices_view,
    "circuit": circuit_view,
    "machine": machine_view,
}


def _summary(program: Program) -> dict[str, Any]:
    return {
        "name": program.name,
        "task": program.task,
        "kind": program.kind,
        "hash": canonical_hash(program),
        "states": len(program.states),
        "blocks": len(program.edges),
        "listing": listing(program),
        "certificates": [asdict(certificate) for certificate in program.certificates],
    }


def _compare(program: Program, task: Task, agent: str, seed: int) -> tuple[Certificate, ...]:
    from analysis.extraction.adapters import HardenedAgent

    say("comparing with the agent")
    network = HardenedAgent(find_agent(agent), program.semantics)
    return judge_fidelity(program, network, task, program.origin.get("training_size", 8), seed)


def _holds(certificates: Sequence[Certificate]) -> bool:
    return not any(found.check in MUST_HOLD and found.verdict == "REFUTED" for found in certificates)


def _line(found: Certificate) -> str:
    return hanging(f"{found.check:<13} {found}; {found.claim}", page_width(), 14)


def _size_line(check: dict[str, Any]) -> str:
    line = (
        f"{check['mode']:<13} n = {check['n']:,}, M = {sizes_text(check['memory_sizes'])}, "
        f"{check['examples']:,} examples: exact error {check['exact_error']:.2%}, "
        f"cell error {check['cell_error']:.2%}"
    )
    return hanging(line, page_width(), 14)
