"""docs/proofs.md: the invariant that it walks through is one, and every line of it is needed."""

from pathlib import Path

import pytest

from analysis import listing
from analysis.program.file import load_program
from analysis.proofs.checking import ask_z3
from analysis.proofs.claims import Stops
from analysis.proofs.obligations import obligations
from analysis.proofs.proof import Proof
from analysis.proofs.setting import STOP, Location, Setting, t
from analysis.proofs.statement import claim_text, location_text
from nram_env import get_task
from nram_env.tasks.spec import M, before, i, mem, n
from nram_env.tasks.terms import forall, text, variable

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/proofs.md").read_text(encoding="utf-8")
PROGRAM = load_program(ROOT / "examples/copy.json")
SETTING = Setting(PROGRAM, get_task("copy"))

r_i, r_left = variable("r_i"), variable("r_left")


def untouched(end):
    return forall("i", 0, end, mem(i).equals(before(i)), mem(i))


def copied(end):
    return forall("i", n + 1, end, mem(i).equals(before(i - n)), mem(i))


INVARIANT = {
    Location((), 0): [t.equals(0), untouched(M)],
    Location((0,), 1): [t.equals(1), r_i.equals(1), r_left.equals(n), untouched(M)],
    Location((1,), 1): [
        t.equals(r_i),
        (r_i + r_left).equals(n + 1),
        r_i >= 2,
        untouched(n + 1),
        copied(n + r_i),
    ],
    Location((1,), 2): [t.equals(n + 1), copied(2 * n + 1)],
    Location((2,), STOP): [copied(2 * n + 1)],
}
LINES = [(place, fact) for place, facts in INVARIANT.items() for fact in facts]


def proof_from(invariant):
    return Proof(SETTING, Stops(n + 2), invariant)


def not_shown(proof):
    """Obligations that the solver does not agree to."""
    for obligation in obligations(proof):
        if ask_z3(obligation.script, 0, 5.0) != "unsat":
            yield obligation.name


def test_the_page_shows_the_program_the_claim_and_the_invariant():
    blocks = listing(PROGRAM).split("start i = 1")[1].split("as code")[0]
    for line in (*blocks.splitlines(), *SETTING.spec.text().splitlines()[:-1]):
        assert line.strip() in PAGE
    assert claim_text(proof_from(INVARIANT))[1:] in PAGE
    shown = PAGE.split("some facts hold:")[1].split("Three things")[0]
    written = [
        line
        for place, facts in INVARIANT.items()
        for line in (location_text(place, SETTING), *map(text, facts))
    ]
    assert [line for line in shown.splitlines() if line and not line.startswith("```")] == written


def test_the_claim_follows_from_the_invariant():
    assert list(not_shown(proof_from(INVARIANT))) == []


@pytest.mark.parametrize(("place", "fact"), LINES, ids=[f"{text(fact)}" for _, fact in LINES])
def test_no_line_can_be_left_out(place, fact):
    less = {**INVARIANT, place: [other for other in INVARIANT[place] if other is not fact]}
    assert next(not_shown(proof_from(less)), None) is not None
