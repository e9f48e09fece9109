"""Evidence: a proof in one zip that can be read, and checked, without having found it.

statement.txt    what is claimed, in words
invariants.txt   what holds at which location, in words
proof.json       the same as terms, with the hash of the program and the versions of the solvers
program.json     the program
obligations/     every obligation as SMT-LIB, to each of which a solver has to say `unsat`
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analysis.program.file import dump_program, edge_record, parse_program
from analysis.program.program import MAX_EDGES, Program
from analysis.proofs.archive import packed, unpacked
from analysis.proofs.checking import SOLVERS, solver_version
from analysis.proofs.claims import Claim, Stops, Window
from analysis.proofs.obligations import Obligation, obligations
from analysis.proofs.proof import Proof
from analysis.proofs.setting import UNSEEN, Location, Setting, t, u
from analysis.proofs.statement import invariants_text, statement
from analysis.proofs.term_files import TermReader, term_record
from nram_env.checks import anything, boolean, choice, integer, list_of, record, text
from nram_env.files import parse_json, reading
from nram_env.support import write_atomically
from nram_env.tasks import get_task
from nram_env.tasks.spec import BEFORE, MEMORY, M
from nram_env.tasks.terms import ForAll

FORMAT = "nram-proof-1"

_STATEMENT, _INVARIANTS, _PROOF, _PROGRAM = "statement.txt", "invariants.txt", "proof.json", "program.json"
_FOLDER = "obligations/"


def code_hash(program: Program) -> str:
    """A hash of a program's code, which its meaning depends on; names and certificates do not count."""
    kept = ("source", "guard", "instructions", "assignments", "target")
    edges = [[edge_record(edge)[name] for name in kept] for edge in program.edges]
    code = [program.min_size, program.num_registers, len(program.states), asdict(program.semantics), edges]
    return hashlib.sha256(json.dumps(code, sort_keys=True).encode()).hexdigest()


def save_evidence(proof: Proof, path: str | Path) -> None:
    """Write a proof as evidence; the same proof gives the same bytes.

    Raises:
        OSError: The place cannot be written.
        ValueError: It is larger than evidence may be, or the solvers are not installed.
    """
    write_atomically(path, packed(evidence_texts(proof)))


def evidence_texts(proof: Proof) -> dict[str, str]:
    """What evidence consists of, by name."""
    versions = {str(solver): solver_version(solver) for solver in SOLVERS}
    return {**_words(proof), _PROOF: json.dumps(_proof_record(proof, versions), indent=1) + "\n"}


def _words(proof: Proof) -> dict[str, str]:
    """Everything that follows from the proof alone."""
    return {
        _STATEMENT: statement(proof),
        _INVARIANTS: invariants_text(proof),
        _PROGRAM: dump_program(proof.setting.program),
        **_scripts(obligations(proof)),
    }


def _scripts(shown: Iterable[Obligation]) -> dict[str, str]:
    return {
        f"{_FOLDER}{number:05}.smt2": f"; {obligation.name}\n{obligation.script}"
        for number, obligation in enumerate(shown)
    }


@dataclass(frozen=True)
class Evidence:
    """What a file of evidence holds.

    Attributes:
        proof: The proof.
        versions: Of the solvers that agreed to it when it was written.
        differing: Names of the texts in it that are not what the proof gives.
    """

    proof: Proof
    versions: Mapping[str, str]
    differing: tuple[str, ...]


def load_evidence(path: str | Path) -> Evidence:
    """Read evidence, and make all of it anew from the program and the invariants.

    Raises:
        FileError: The file is no evidence, or its program, task and proof do not fit together.
    """
    texts = unpacked(path)
    with reading(path):
        for name in (_PROOF, _PROGRAM):
            if name not in texts:
                raise ValueError(f"holds no {name}")
        program = parse_program(texts[_PROGRAM])
        found = _PROOF_RECORD(parse_json(texts.pop(_PROOF)), "")
        if found["program"] != code_hash(program):
            raise ValueError("the proof is about another program: its hash differs from program.json's")
        proof = _proof(program, found)
        made = _words(proof)
        differing = sorted(name for name in {*texts, *made} if texts.get(name) != made.get(name))
        return Evidence(proof, found["solvers"], tuple(differing))


def _proof_record(proof: Proof, versions: Mapping[str, str]) -> dict[str, Any]:
    setting, claim = proof.setting, proof.claim
    return {
        "format": FORMAT,
        "program": code_hash(setting.program),
        "task": setting.task.name,
        "solvers": dict(versions),
        "claim": _claim_record(claim),
        "history": setting.history,
        "phase": setting.phase,
        "splits": [term_record(split) for split in setting.splits],
        "unchanged": [term_record(fact) for fact in proof.unchanged],
        "locations": [
            {
                "history": list(place.history),
                "next": place.next,
                "sides": list(place.sides),
                "facts": [term_record(fact) for fact in facts],
            }
            for place, facts in proof.places()
        ],
    }


def _claim_record(claim: Claim) -> dict[str, Any]:
    if isinstance(claim, Stops):
        return {"kind": "stops", "first": None, "last": term_record(claim.steps)}
    last = None if claim.last is None else term_record(claim.last)
    return {"kind": "window", "first": term_record(claim.first), "last": last}


_LOCATION_RECORD = record(
    {
        "history": list_of(integer(0, MAX_EDGES - 1)),
        "next": integer(UNSEEN, MAX_EDGES - 1),
        "sides": list_of(boolean()),
        "facts": list_of(anything(), 10_000),
    }
)

_PROOF_RECORD = record(
    {
        "format": choice(FORMAT),
        "program": text(64, 64),
        "task": text(),
        "solvers": record({solver: text() for solver in SOLVERS}),
        "claim": record({"kind": choice("stops", "window"), "first": anything(), "last": anything()}),
        "history": integer(1, 100),
        "phase": integer(1, 100),
        "splits": list_of(anything(), 10),
        "unchanged": list_of(anything(), 100),
        "locations": list_of(_LOCATION_RECORD, 10_000),
    }
)


def _proof(program: Program, found: Mapping[str, Any]) -> Proof:
    """The proof that a record describes."""
    task = get_task(found["task"], program.imports)
    bare = Setting(program, task)
    ghosts = {ghost.name for ghost in bare.spec.ghosts}
    names = {variable.name for variable in (M, t, u, *bare.params, *bare.registers)}
    terms = TermReader(names, {BEFORE, MEMORY, *ghosts})
    claim = _claim(found["claim"], terms)
    splits = tuple(terms.fact(split, "splits") for split in found["splits"])
    setting = Setting(program, task, found["history"], found["phase"], splits, claim.last)
    invariants = {
        _location(place, setting): tuple(terms.fact(fact, "facts") for fact in place["facts"])
        for place in found["locations"]
    }
    unchanged = tuple(terms.fact(fact, "unchanged") for fact in found["unchanged"])
    return Proof(setting, claim, invariants, tuple(fact for fact in unchanged if isinstance(fact, ForAll)))


def _claim(found: Mapping[str, Any], terms: TermReader) -> Claim:
    last = None if found["last"] is None else terms.term(found["last"], "claim.last")
    if found["kind"] == "window":
        return Window(terms.term(found["first"], "claim.first"), last)
    if last is None:
        raise ValueError("claim.last is None; a program that stops does so after some number of steps")
    return Stops(last)


def _location(found: Mapping[str, Any], setting: Setting) -> Location:
    place = Location(found["history"], found["next"], found["sides"])
    if place not in setting.locations_after(place.history):
        raise ValueError(f"there is no location {place} in this program with these splits")
    return place
