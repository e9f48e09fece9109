"""No mutant is both proved and wrong: the short form of benchmarks/prove_mutants.py."""

from itertools import islice
from pathlib import Path

import pytest

from analysis import find_program
from analysis.proofs.claims import Stops
from analysis.proofs.proof import Proof
from analysis.proofs.setting import Setting
from analysis.verification.mutation import mutants
from benchmarks.prove_mutants import judge
from nram_env import get_task
from nram_env.tasks.spec import n
from nram_env.tasks.terms import Number

ROOT = Path(__file__).parents[3]
COPY, ACCESS = str(ROOT / "examples/copy.json"), str(ROOT / "tests/data/proof_of_access.json")


@pytest.mark.parametrize(
    ("name", "steps", "every"), [(COPY, n + 2, 14), (ACCESS, Number(2), 4)], ids=["copy", "access"]
)
def test_no_mutant_is_proved_and_wrong(name, steps, every):
    program = find_program(name)
    task = get_task(program.task)
    original = Proof(Setting(program, task), Stops(steps), {})
    chosen = islice(mutants(program), 0, 4 * every + 1, every)
    rows = [judge(name, mutant, task, original, seconds=10.0) for mutant in chosen]
    assert not [row for row in rows if row.is_hole]
    wrong = [row for row in rows if row.refuted is not None]
    assert len(wrong) > 2
    assert {row.verdict for row in wrong} <= {"REFUTED", "UNKNOWN"}
    assert all(row.counterexample for row in rows if row.verdict == "REFUTED")
