"""What counts as right: the wanted output, at the horizon or where the program stops, and nothing else."""

import numpy as np
import pytest

from analysis.program.block import Block, Constant, Guard, Operation
from analysis.program.certificate import Counterexample
from analysis.program.program import Edge, Program, Register
from analysis.verification import check_exhaustive, check_random, check_sizes, first_wrong, wrong_cells
from analysis.verification.stopping import claim_of
from nram_env.machine import Gate, MachineConfig
from nram_env.tasks import get_task

ACCESS = get_task("access")

READ_TWICE = (Operation(Gate.READ, (0,)), Operation(Gate.READ, (1,)), Operation(Gate.WRITE, (0, 2)))
"""mem[r0] = mem[mem[r0]]: Access, where r0 is 0."""


def access_that_then(guard: Guard, target: int | None) -> Program:
    """Gives Access's output in its only step, and then leaves r0 as 1 in state `target`."""
    block = Block((*READ_TWICE, Constant(1)), ((0, 4),))
    edge = Edge(0, guard, block, target)
    return Program("access", (Register("r0", 0),), ("S0",), (edge,), "machine", MachineConfig(1))


STOPS = access_that_then(Guard(), None)
MEETS_THE_UNSEEN = access_that_then(Guard(((1, 1),)), 0)


def test_the_output_where_a_program_stops_by_itself_is_what_counts():
    batch = ACCESS.sample(np.random.default_rng(0), 5, 8, 16)
    assert not wrong_cells(STOPS, batch, np.full(16, 9)).any()
    assert check_random(STOPS, ACCESS, 16, 200, seed=0).verdict == "TESTED"
    assert check_exhaustive(STOPS, ACCESS).verdict == "EXHAUSTIVE"


def test_an_unseen_situation_is_wrong_whatever_the_memory_holds_there():
    batch = ACCESS.sample(np.random.default_rng(0), 5, 8, 16)
    assert np.array_equal(wrong_cells(MEETS_THE_UNSEEN, batch, np.full(16, 2)), batch.mask)
    assert first_wrong(MEETS_THE_UNSEEN, ACCESS, batch) == Counterexample(
        tuple(batch.memory[0].tolist()), ACCESS.horizon(5), 2, None, None, None
    )
    (record,) = check_sizes(MEETS_THE_UNSEEN, ACCESS, [5], 16, seed=0)
    assert record["exact_error"] == record["cell_error"] == 1


@pytest.mark.parametrize("check", ["random", "exhaustive"])
def test_every_check_refutes_a_program_that_meets_an_unseen_situation(check):
    if check == "random":
        certificate = check_random(MEETS_THE_UNSEEN, ACCESS, 16, 200, seed=0)
    else:
        certificate = check_exhaustive(MEETS_THE_UNSEEN, ACCESS)
    assert (certificate.check, certificate.verdict) == (check, "REFUTED")
    assert certificate.claim == claim_of(must_stop=False)
    assert "unseen situation at step 2" in certificate.counterexample


def test_before_the_unseen_situation_the_output_is_judged_as_ever():
    batch = ACCESS.sample(np.random.default_rng(0), 5, 8, 16)
    assert not wrong_cells(MEETS_THE_UNSEEN, batch, np.ones(16, dtype=np.int64)).any()
    assert wrong_cells(MEETS_THE_UNSEEN, batch, np.zeros(16, dtype=np.int64)).any()
