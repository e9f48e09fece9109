"""Where t does not say how far a run is, a register that passes over the output may."""

from pathlib import Path

import numpy as np
import pytest

from analysis import find_program
from analysis.proofs.runs import instances, record
from analysis.proofs.sweeps import passes, sweeping
from analysis.proofs.timing import observe
from nram_env import get_task
from nram_env.tasks.terms import text
from tests.analysis.proofs.settings import kept, small_runs

DATA = Path(__file__).parents[2] / "data"


@pytest.mark.parametrize(
    ("source", "splits"),
    [
        ("zoo:merge", [["o <= r_i", "r_i < n + o"]]),
        (
            str(DATA / "merge_exchanging.json"),  # two registers pass over the output by turns
            [["o <= r_prev", "r_prev < n + o"], ["o <= r_j", "r_j < n + o"]],
        ),
    ],
)
def test_merge_is_split_where_a_register_enters_and_leaves_the_output(source, splits):
    program, task = find_program(source), get_task("merge")
    memories = instances(task, seed=0)[::5]
    timing = observe(program, task, task.spec, memories)
    runs = record(program, task.spec, memories, timing.tested)
    assert [list(map(text, found.splits)) for found in sweeping(program, task, runs)] == splits
    closest, *slower = passes(timing, task.spec)
    cells = timing.start.value(closest.steps)
    assert (timing.steps <= cells).all()
    assert [int((timing.start.value(claim.steps) - cells).max()) for claim in slower] == [1, 2]
    assert np.unique(timing.start.integers["M"] - timing.start.integers["o"]).size > 5


def test_nothing_sweeps_over_an_output_of_one_cell():
    program = kept("access")
    assert sweeping(program, get_task("access"), small_runs(program)) == []
