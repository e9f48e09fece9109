"""What can be proved is right; what is wrong cannot, nor can anything without guesses."""

from collections import Counter
from copy import copy
from dataclasses import replace

import pytest

from analysis.proofs import attempt, prover
from analysis.proofs.checking import ask_z3
from analysis.proofs.claims import Stops, Window
from analysis.proofs.houdini import Houdini
from analysis.proofs.minimise import minimal
from analysis.proofs.obligations import obligations
from analysis.proofs.proof import Proof
from analysis.proofs.prover import prove
from analysis.proofs.runs import locations
from analysis.proofs.setting import Setting, t
from analysis.proofs.system import System
from nram_env import get_task
from nram_env.tasks.spec import M, n
from nram_env.tasks.terms import Number, choose, text
from tests.analysis.proofs.settings import attempted, kept

CLAIMS = {
    "access": (Stops(Number(2)), {}),
    "increment": (Window(n, M + 1), {"splits": (t < M,)}),
    "copy": (Window(n + 1, M + 1), {"splits": (t <= n,)}),
}
"""Claims that hold, and knobs that show it."""


def answers(found_obligations):
    """What z3 says to obligations that stand by themselves."""
    return {ask_z3(obligation.script, 0, 5.0) for obligation in found_obligations}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_that_holds_is_proved_by_few_of_many_guesses(name):
    claim, knobs = CLAIMS[name]
    found = attempted(name, claim, **knobs)
    assert found.proved
    few = minimal(Proof(found.setting, claim, found.invariants, found.unchanged))
    left, guessed = sum(len(facts) for _, facts in few.places()), found.guessed
    assert 0 < left < guessed / 3
    assert answers(obligations(few)) == {"unsat"}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_wrong_output_is_not_proved(name):
    claim, knobs = CLAIMS[name]
    task = copy(get_task(name))
    want = task.spec.want
    task.spec = replace(task.spec, want=choose(want.equals(0), 1, want - 1))
    assert attempted(name, claim, task=task, **knobs) is None


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("access", Stops(Number(1))),
        ("increment", Window(n - 1, M + 1)),
        ("increment", Window(n, M + 2)),
        ("copy", Window(n, M + 1)),
        ("copy", Window(n + 1, M + 2)),
    ],
    ids=str,
)
def test_one_step_beyond_what_holds_is_not_proved(name, claim):
    assert attempted(name, claim, **CLAIMS[name][1]) is None


@pytest.mark.parametrize("name", ["increment", "copy"])
def test_nothing_is_proved_without_guesses(name):
    claim, knobs = CLAIMS[name]
    setting = Setting(kept(name), get_task(name), last=claim.last, **knobs)
    houdini = Houdini(System(setting), {})
    houdini.run()
    assert any(houdini.failed(place, claim.goals(place, [setting.spec.post()])) for place in houdini.left)


def test_a_location_that_no_run_met_is_thought_to_be_like_that_of_the_same_edges(monkeypatch):
    """Where two differ in the side of a split alone, what was guessed at one is tried at the other."""
    unmet = []

    def all_but_one(runs, setting):
        found = locations(runs, setting)
        edges = Counter((place.history, place.next) for place in found)
        unmet.append(next(place for place in found if edges[place.history, place.next] > 1))
        return {place: rows for place, rows in found.items() if place != unmet[0]}

    monkeypatch.setattr(attempt, "locations", all_but_one)
    claim, knobs = CLAIMS["increment"]
    found = attempted("increment", claim, hasty=False, **knobs)
    assert found.finished
    assert found.invariants[unmet[0]]


def test_a_whole_proof_is_found_without_a_setting_and_two_solvers_agree():
    found = prove(kept("access"), get_task("access"), minutes=1)
    assert found.verdict == "PROVED"
    assert found.claim == "it stops by itself after at most 2 steps, and the output is then right"
    assert found.proof is not None


def test_a_wrong_program_is_refuted_by_a_replayed_instance():
    right = kept("increment")
    edge = replace(right.edges[0], block=replace(right.edges[0].block, assignments=()))
    wrong = replace(right, edges=(edge, *right.edges[1:]))
    found = prove(wrong, get_task("increment"), minutes=0.1)
    assert found.verdict == "REFUTED"
    assert found.counterexample is not None


def test_guesses_that_time_cuts_short_prove_nothing():
    found = prove(kept("copy"), get_task("copy"), minutes=0.001)
    assert found.verdict == "UNKNOWN"
    assert found.proof is None
    assert "out of time" in found.tried[0]


def test_an_interrupt_leaves_the_strongest_invariant_and_what_does_not_follow(monkeypatch):
    monkeypatch.setattr(prover, "settings", lambda program, task, *_: [Setting(program, task)])
    monkeypatch.setattr(prover, "sweeping", lambda *_: [])

    def interrupt(line):
        if line == "looking for a counterexample":
            raise KeyboardInterrupt

    found = prove(kept("increment"), get_task("increment"), minutes=1, watch=interrupt)
    assert (found.verdict, found.tried[-1], found.proof) == ("UNKNOWN", "interrupted", None)
    assert found.best.finished
    place, goal = found.best.failed[0]
    assert text(goal.fact) == "for all i in 0..n - 1: mem[i] = (0 if before[i] + 1 = M else before[i] + 1)"
    assert found.best.invariants[place]
