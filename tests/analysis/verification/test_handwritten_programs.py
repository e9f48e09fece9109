"""The further tasks can be solved: a program written by hand stops within T(n), with the wanted output."""

from itertools import islice

import numpy as np
import pytest

from analysis.verification.correctness import small_instances, wrong_cells
from nram_env.tasks import draw_range_plan, get_task, horizons, task_names
from tests.handwritten import handwritten, program_of

PROGRAMS = handwritten()


def test_every_further_task_has_a_program():
    assert tuple(PROGRAMS) == task_names("NRAM-X")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_written_by_hand_solves_its_task_within_the_horizon(name):
    task, rng = get_task(name), np.random.default_rng(7)
    program = program_of(name, PROGRAMS[name])
    plan = draw_range_plan(task, rng, task.smallest_difficulty, 24, 600)
    tried = 0
    for batch in (*islice(small_instances(task, 1000), 40), *plan.mixed(task, rng)):
        horizon = horizons(task, batch.difficulty)
        wrong = wrong_cells(program, batch, horizon, must_stop=True).any(1)
        assert not wrong.any(), batch.memory[wrong][0]
        tried += batch.batch_size
    assert tried > 650
