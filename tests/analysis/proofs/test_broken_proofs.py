"""A prover that cannot prove what is false: broken programs, tasks and lemmas prove nothing."""

import ast
from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest

import analysis
from analysis.proofs.claims import Stops
from analysis.proofs.obligations import lemma_obligations
from analysis.proofs.proof import Proof
from analysis.proofs.setting import STOP, Setting
from analysis.proofs.system import System
from analysis.proofs.vacuity import contradictions
from nram_env import get_task
from nram_env.tasks.spec import M, before, n
from nram_env.tasks.terms import Number, app, forall, text, variable
from tests.analysis.proofs.settings import attempted, kept
from tests.analysis.proofs.test_attempts import answers

PRINTS_PROVED = {
    "program/certificate.py",
    "proofs/prover.py",
    "proofs/certify.py",
    "commands/proofs.py",
    "studies/work.py",
    "pages/claims.py",
}
"""Sources that may hold the word: the verdict's name, who gives, believes, prints, counts and ranks it."""


def other_task(name, **changes):
    """A task whose specification was changed."""
    task = copy(get_task(name))
    task.spec = replace(task.spec, **changes)
    return task


def test_a_task_that_excludes_legal_memories_proves_nothing():
    spec = get_task("access").spec
    task = other_task("access", pre=(*spec.pre, 2 * n + 2 <= M))
    found = attempted("access", Stops(Number(2)), task=task)
    problems = list(contradictions(Proof(found.setting, found.claim, found.invariants)))
    assert problems == ["a legal memory is excluded by: 2*n + 2 <= M"]


def test_with_a_contradiction_for_a_fact_everything_follows_and_is_found_out():
    spec = get_task("access").spec
    task = other_task("access", pre=(*spec.pre, n <= 0), want=spec.want + 1)
    found = attempted("access", Stops(Number(2)), task=task)
    assert found.proved
    problems = list(contradictions(Proof(found.setting, found.claim, found.invariants)))
    assert "a legal memory is excluded by: n <= 0" in problems


def test_a_place_where_runs_come_by_cannot_be_called_unreachable():
    found = attempted("access", Stops(Number(2)))
    proof = Proof(found.setting, found.claim, found.invariants)
    assert list(contradictions(proof)) == []
    kept = {place: facts for place, facts in proof.places() if place.next != STOP}
    assert list(contradictions(replace(proof, invariants=kept))) == [
        "a run comes to a place that the proof calls unreachable: after edge 1, stopped"
    ]


@pytest.mark.parametrize("name", ["t", "u", "r_p", "and", "x y", "x) (assert false"])
def test_a_name_that_formulas_need_for_something_else_is_refused(name):
    spec = get_task("increment").spec
    task = other_task("increment", params={**spec.params, name: Number(1)})
    with pytest.raises(ValueError, match="the specification of task increment has the name"):
        Setting(kept("increment"), task).spec  # noqa: B018


def test_lemmas_are_shown_by_induction():
    setting = Setting(kept("access"), get_task("merge"))
    assert answers(lemma_obligations(System(setting))) == {"unsat"}


def test_no_lemma_is_assumed_where_it_is_shown():
    """Neither one about a ghost, nor one that says nothing of any."""
    lemma, front = get_task("merge").spec.lemmas[0], variable("j")
    for body in (app("front", front) <= 2, M <= 3, before(front) <= 1):
        wrong = forall("j", lemma.low, lemma.high, body, before(front))
        setting = Setting(kept("access"), other_task("merge", lemmas=(wrong,)))
        assert answers(lemma_obligations(System(setting))) != {"unsat"}, text(wrong)


def texts_of(path):
    """The strings of a source that are not its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    described = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docs = {ast.get_docstring(node, False) for node in ast.walk(tree) if isinstance(node, described)}
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [text for text in constants if isinstance(text, str) and text not in docs]


def test_the_word_stands_nowhere_else():
    root = Path(analysis.__file__).parent
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if any("PROVED" in text for text in texts_of(path))
    }
    assert found == PRINTS_PROVED
