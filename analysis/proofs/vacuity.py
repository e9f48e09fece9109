"""Does a proof speak of anything? Legal memories must be among those that it is about, and so must runs."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.proofs.proof import Proof
from analysis.proofs.runs import instances, locations, record, start_of
from analysis.proofs.statement import location_text
from nram_env.tasks import caps
from nram_env.tasks.terms import text


def contradictions(proof: Proof, seed: int = 1) -> Iterator[str]:
    """What runs on small instances contradict, in sentences.

    Args:
        proof: The proof.
        seed: Seed of the instances; not the one that the facts were guessed from.
    """
    setting = proof.setting
    memories = instances(setting.task, seed)
    start = start_of(setting.spec, memories)
    for fact in setting.spec.axioms():
        if not start.holds(fact):
            yield f"a legal memory is excluded by: {text(fact)}"
    limits = caps(setting.task, start.integers["n"], start.integers["M"])
    runs = record(setting.program, setting.spec, memories, limits)
    invariants = dict(proof.places())
    for place, rows in locations(runs, setting).items():
        if place not in invariants:
            where = location_text(place, setting)
            yield f"a run comes to a place that the proof calls unreachable: {where}"
        else:
            yield from (
                f"a run contradicts: {text(fact)}" for fact in invariants[place] if not rows.holds(fact)
            )
