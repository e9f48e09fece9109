"""States split by what was done last, and tests chosen anew, keep what a program does."""

import numpy as np
import pytest

from agents import zoo
from analysis import load_program
from analysis.extraction.resolve import SHORT_FILE
from analysis.machine.vm import run
from analysis.rewriting.cases import Judge
from analysis.rewriting.locations import retested, split
from nram_env.tasks import draw_plan, get_task, most_steps


@pytest.mark.parametrize("name", ["merge", "listsearch"])
def test_split_and_retested_programs_take_the_same_steps(name):
    program = load_program(zoo.PLACE / name / SHORT_FILE)
    task, rng = get_task(name), np.random.default_rng(1)
    judge = Judge(task, program, 0)
    seen = judge.seen(program)
    once, twice = split(program, seen, 1), split(program, seen, 2)
    others = [once, twice, retested(program, seen), retested(once, judge.seen(once))]
    assert len(program.states) <= len(once.states) <= len(twice.states)
    for batch in draw_plan(task, rng, [2, 3, 5], 3).batches(task, rng):
        for memory in batch.memory.tolist():
            expected = run(program, memory, most_steps(task, len(memory)))
            for other in others:
                found = run(other, memory, most_steps(task, len(memory)))
                assert (found.memory, found.steps) == (expected.memory, expected.steps)
