"""A proof in words: what is claimed, of what, what it does not cover, and what has to be trusted."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.program.program import Program
from analysis.proofs.claims import Stops
from analysis.proofs.proof import Proof
from analysis.proofs.setting import STOP, UNSEEN, Location, Setting
from nram_env.tasks.terms import ForAll, text


def claim_text(proof: Proof) -> str:
    """The claim in one line, for memories of every size."""
    return f"for every M >= {smallest_size(proof.setting)}, every n and every legal memory: {proof.claim}"


def smallest_size(setting: Setting) -> int:
    """The smallest M that the claim speaks of."""
    return max(setting.task.smallest_memory_size(setting.task.smallest_difficulty), setting.program.min_size)


def statement(proof: Proof) -> str:
    """The claim on one page."""
    return "\n".join(_statement(proof)) + "\n"


def _statement(proof: Proof) -> Iterator[str]:
    setting = proof.setting
    program, task = setting.program, setting.task
    yield f"Of the program {program.name} (program.json) and the task {task.name} it is claimed,"
    yield f"{claim_text(proof)}."
    yield ""
    yield "A run begins with all registers 0 and executes the program's blocks on integers modulo M;"
    yield "t counts the timesteps done so far. n, the other parameters, and what is legal and wanted:"
    yield ""
    yield from (f"    {line}" for line in setting.spec.text().splitlines())
    yield ""
    yield from _effects(proof)
    yield ""
    yield from fidelity_lines(program)
    yield ""
    yield "It is not about: memories that are not legal; the soft network before it was hardened."
    if not isinstance(proof.claim, Stops):
        yield "The program does not stop by itself: T has to come from outside."
    yield from _TRUSTED


_TRUSTED = (
    "To be trusted: the specification above, which tests compare with the task's plain oracle; the table of",
    "gates, nram_env/machine/gates.py, that the integer machine and the obligations are both made from; what",
    "analysis/proofs says has to be shown (system.py, obligations.py); and the solvers, two of which, by",
    "different makers, have to agree. How the invariants were found has not to be trusted.",
)


def _effects(proof: Proof) -> Iterator[str]:
    if not proof.unchanged:
        yield "Nothing is claimed about cells that are not output."
        return
    where = (
        "where it stops" if isinstance(proof.claim, Stops) else "whenever the output is claimed to be right"
    )
    yield f"Besides, {where}, cells that are as they were before:"
    yield from (f"    {piece_text(fact)}" for fact in proof.unchanged)


def piece_text(fact: ForAll) -> str:
    """A piece of the memory in words."""
    return f"cells {text(fact.low)}..{text(fact.high - 1)}"


def fidelity_lines(program: Program) -> Iterator[str]:
    """How far the claim holds for the network that the program was read out of."""
    found = {certificate.check: certificate for certificate in program.certificates}
    table = found.get("table")
    if table is not None and table.verdict == "EXHAUSTIVE":
        yield "The program is the hardened network at every zero-pattern that can occur: all were compared"
        yield f"({table.domain}). So what is claimed holds for the hardened network itself, up to"
        yield "the evaluation of a small network in float64 on these inputs."
    elif "fidelity" in found:
        yield "That the program does what the hardened network does was tested, not proved:"
        yield f"{found['fidelity']}. The claim is about the program."
    else:
        yield "The claim is about the program; nothing is known here of a network that it came from."


def invariants_text(proof: Proof) -> str:
    """The invariants in words, location by location."""
    lines = [
        "Edges are numbered as in program.json, registers are r_NAME, mem is the memory now, before what it"
    ]
    lines += ["was at first. A run goes from location to location; at each one these facts hold.", ""]
    for place, facts in proof.places():
        lines += [f"{location_text(place, proof.setting)}:", *(f"    {text(fact)}" for fact in facts), ""]
    return "\n".join(lines)


def location_text(place: Location, setting: Setting) -> str:
    """A location in words."""
    after = f"after edge {', '.join(map(str, place.history))}" if place.history else "at the start"
    here = {STOP: "stopped", UNSEEN: "where no edge fits"}.get(place.next, f"before edge {place.next}")
    sides = [
        text(split) if side else f"not {text(split)}"
        for split, side in zip(setting.splits, place.sides, strict=True)
    ]
    return ", ".join([after, here, *sides])
