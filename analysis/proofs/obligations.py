"""What has to be contradictory for a claim to hold, each as SMT-LIB that stands by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.program.block import Constant, Operation
from analysis.proofs.proof import Proof
from analysis.proofs.readings import Names, conjunction, disjunction, formula, negated, refutation
from analysis.proofs.setting import STOP, UNSEEN, Location, Setting
from analysis.proofs.symbols import constant_term, gate_term
from analysis.proofs.system import Invariants, Step, System
from nram_env.machine import Gate
from nram_env.tasks.terms import Fact, ForAll, Number, text, variable


@dataclass(frozen=True)
class Obligation:
    """A claim's part that a solver can check: what is said in it cannot be.

    Attributes:
        name: What it shows, on one line.
        script: SMT-LIB; the answer has to be `unsat`.
    """

    name: str
    script: str


def obligations(proof: Proof) -> Iterator[Obligation]:
    """Everything that has to be checked for a proof, from gates to goals."""
    setting, system = proof.setting, System(proof.setting)
    yield from gate_obligations(setting)
    yield from lemma_obligations(system)
    for fact in proof.claim.sides(setting.spec):
        yield _obligation(system, f"given: {text(fact)}", (), system.background, fact, system.names)
    yield from _inductive(system, dict(proof.places()))
    for place, facts in proof.places():
        known = system.assumptions(place, facts)
        for goal in proof.goals(place):
            given = [formula(fact, system.names) for fact in goal.given]
            name = f"goal at {place_text(place)}: {text(goal.fact)}"
            yield _obligation(system, name, (), [*known, *given], goal.fact, system.names)


def _inductive(system: System, invariants: Invariants) -> Iterator[Obligation]:
    """That runs begin where the invariant holds, and that every step keeps it."""
    yield from _from(system, list(system.starts()), invariants)
    for place, known in invariants.items():
        yield from _from(system, list(system.steps(place, known)), invariants)


def _from(system: System, steps: Sequence[Step], invariants: Invariants) -> Iterator[Obligation]:
    """That the steps from one place lead where the invariant holds, and nowhere else."""
    elsewhere = [step for step in steps if step.target not in invariants]
    if elsewhere:
        lines = [*system.declarations, *elsewhere[0].definitions]
        name = f"no other way from {place_text(elsewhere[0].source)}"
        yield Obligation(name, _script(lines, [*elsewhere[0].known, somewhere(elsewhere)]))
    for step in steps:
        if step.target not in invariants:
            continue
        way, facts = f"{place_text(step.source)} to {place_text(step.target)}", invariants[step.target]
        known = [*step.assumptions, *system.instances(facts, step.names)]
        for fact in facts:
            yield _obligation(system, f"{way}: {text(fact)}", step.definitions, known, fact, step.names)


def somewhere(steps: Sequence[Step]) -> str:
    """That one of some steps from the same place is taken."""
    return disjunction([conjunction(list(step.arrived)) for step in steps])


def gate_obligations(setting: Setting) -> Iterator[Obligation]:
    """That what the program computes stays in 0..M-1, for each gate and constant that it uses."""
    instructions = [code for edge in setting.program.edges for code in edge.block.instructions]
    gates = {code.gate for code in instructions if isinstance(code, Operation)} - {Gate.READ, Gate.WRITE}
    constants = {code.value for code in instructions if isinstance(code, Constant)}
    terms = [
        (gate.label, gate_term(gate, ["x", "y"][: gate.arity])) for gate in sorted(gates) if gate is not None
    ]
    terms += [(str(value), constant_term(value)) for value in sorted(constants)]
    declared = ["M", "x", "y"]
    known = ["(<= 1 M)", *(f"(and (<= 0 {name}) (< {name} M))" for name in ("x", "y"))]
    for label, term in terms:
        outside = negated(f"(and (<= 0 {term}) (< {term} M))")
        lines = [f"(declare-fun {name} () Int)" for name in declared]
        yield Obligation(f"{label} is in 0..M-1", _script(lines, [*known, outside]))


def lemma_obligations(system: System) -> Iterator[Obligation]:
    """The task's lemmas, by induction over their variable; none of them is assumed."""
    for lemma in system.setting.spec.lemmas:
        assert isinstance(lemma, ForAll)
        some, bound = variable(f"some.{lemma.variable}"), lemma.variable
        known = [*system.without_lemmas, *system.lemma_instances([Number(0), some, some + 1])]
        low, high, at = (formula(term, {}) for term in (lemma.low, lemma.high, some))
        lines = [*system.declarations, f"(declare-fun {at} () Int)"]
        first = [f"(< {low} {high})", negated(formula(lemma.body, {bound: low}))]
        yield Obligation(f"lemma at first: {text(lemma)}", _script(lines, [*known, *first]))
        following = formula(some + 1, {})
        between = [f"(<= {low} {at})", f"(< {following} {high})", formula(lemma.body, {bound: at})]
        denied = negated(formula(lemma.body, {bound: following}))
        yield Obligation(
            f"lemma from each to the next: {text(lemma)}", _script(lines, [*known, *between, denied])
        )


def _obligation(
    system: System,
    name: str,
    definitions: Sequence[str],
    known: Sequence[str],
    fact: Fact,
    names: Names,
) -> Obligation:
    """That a fact follows from what is known."""
    constants, denial = refutation(fact, names)
    declared = [f"(declare-fun {constant} () Int)" for constant in constants]
    lines = [*system.declarations, *definitions, *declared]
    return Obligation(name, _script(lines, [*known, denial]))


def _script(lines: Sequence[str], asserted: Sequence[str]) -> str:
    asserts = [f"(assert {formula})" for formula in dict.fromkeys(asserted)]
    return "\n".join(["(set-logic ALL)", *lines, *asserts, "(check-sat)"]) + "\n"


def place_text(place: Location | None) -> str:
    """A location in words."""
    if place is None:
        return "the start"
    after = f"after {', '.join(map(str, place.history))}" if place.history else "at first"
    here = {STOP: "stopped", UNSEEN: "no edge fits"}.get(place.next, f"before {place.next}")
    sides = "".join("+" if side else "-" for side in place.sides)
    return " ".join(filter(None, (after, here, sides)))
