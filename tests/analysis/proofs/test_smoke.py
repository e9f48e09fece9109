"""What a proof assumes can happen, and what it says holds in runs that it was not made from."""

import numpy as np
import pytest

from analysis.proofs.checking import ask_z3
from analysis.proofs.claims import Stops, Window
from analysis.proofs.runs import locations, record
from analysis.proofs.system import System
from nram_env.tasks import draw_range_plan
from nram_env.tasks.spec import M, n
from nram_env.tasks.terms import Number
from tests.analysis.proofs.settings import attempted

CLAIMS = {"access": Stops(Number(2)), "increment": Window(n, M + 1), "copy": Window(n + 1, M + 1)}
"""By the name of a program of the zoo."""


@pytest.fixture(scope="module", params=CLAIMS)
def found(request):
    """Invariants of a program, as far as they are kept; whether the claim follows is another matter."""
    return attempted(request.param, CLAIMS[request.param], hasty=False)


def unseen_runs(setting):
    """Random runs of sizes beyond those that facts are guessed from."""
    task, rng = setting.task, np.random.default_rng(77)
    plan = draw_range_plan(task, rng, 5, 20, 120)
    memories = [memory for batch in plan.batches(task, rng) for memory in batch.memory.tolist()]
    limits = [task.horizon(task.difficulty_of(memory)) + len(memory) for memory in memories]
    return record(setting.program, setting.spec, memories, np.array(limits))


def test_runs_never_leave_the_locations_and_their_facts(found):
    """Runs of larger memories, of which the prover has seen none."""
    met = locations(unseen_runs(found.setting), found.setting)
    assert set(met) <= set(found.invariants)
    for place, rows in met.items():
        assert len(found.invariants[place]) > 0
        assert all(rows.holds(fact) for fact in found.invariants[place]), place


def test_what_is_assumed_at_a_location_is_no_contradiction(found):
    """Else everything would follow there."""
    system = System(found.setting)
    for place, facts in found.invariants.items():
        asserted = [f"(assert {fact})" for fact in system.assumptions(place, facts)]
        assert ask_z3("\n".join([*system.declarations, *asserted]), 0, 3.0) != "unsat", place


def test_every_edge_of_these_programs_is_taken(found):
    taken = {place.next for place in locations(unseen_runs(found.setting), found.setting)}
    assert set(range(len(found.setting.program.edges))) <= taken
