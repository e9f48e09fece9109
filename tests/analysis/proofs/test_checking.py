"""Solvers in processes of their own."""

import subprocess
import sys
from itertools import product

import pytest

from analysis.proofs import checking
from analysis.proofs.checking import SOLVERS, disagreements
from analysis.proofs.obligations import Obligation

IMPOSSIBLE = "(set-logic ALL)\n(declare-fun x () Int)\n(assert (< x x))\n(check-sat)\n"
POSSIBLE = IMPOSSIBLE.replace("<", "<=")


def test_what_a_solver_does_not_agree_to_is_named_with_its_answer():
    asked = [
        Obligation("it cannot be", IMPOSSIBLE),
        Obligation("it can", POSSIBLE),
        Obligation("no formula", "(assert (< y"),
        Obligation("the same again", IMPOSSIBLE),
    ]
    found = [(doubt.solver, doubt.seed, doubt.name) for doubt in disagreements(asked)]
    assert found == list(product(SOLVERS, (0, 1), ("it can", "no formula")))
    first, second, *_ = map(str, disagreements(asked, solvers=["z3"], seeds=[3]))
    assert first == "z3 (seed 3) says sat to: it can"
    assert second.startswith("z3 (seed 3) says an error: Z3Exception")


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_solver_whose_process_ends_is_begun_anew(solver):
    with checking._Worker(solver, 5.0) as worker:
        assert worker.answer(IMPOSSIBLE, 0) == "unsat"
        worker._process.kill()
        worker._process.wait()
        assert worker.answer(IMPOSSIBLE, 0) == "nothing: its process ended"
        assert worker.answer(IMPOSSIBLE, 0) == "unsat"


def test_a_solver_that_takes_too_long_is_ended(monkeypatch):
    monkeypatch.setattr(checking, "_GRACE", 0.0)
    with checking._Worker("z3", 0.0) as worker:
        assert worker.answer(IMPOSSIBLE, 0) == "nothing in time"


def test_a_script_that_asks_is_run_once(tmp_path):
    """The processes of the solvers do not run it again, though it has no guard."""
    script = tmp_path / "script.py"
    script.write_text(
        "from analysis.proofs.checking import disagreements\n"
        "from analysis.proofs.obligations import Obligation\n"
        f"print('doubts:', disagreements([Obligation('never', {IMPOSSIBLE!r})]))\n"
    )
    said = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert (said.stdout, said.stderr) == ("doubts: []\n", "")
