"""States split by what was done last, and tests chosen anew, keep what a program does."""

import numpy as np
import pytest

from agents import zoo
from analysis import load_program
from analysis.extraction.resolve import SHORT_FILE
from analysis.machine.vm import run
from analysis.program.block import Block, Guard, Operation
from analysis.program.program import Edge
from analysis.rewriting.cases import Judge
from analysis.rewriting.locations import retested, shortcut, split
from nram_env.machine import Gate
from nram_env.tasks import draw_plan, get_task, most_steps
from tests.analysis.programs import program_with


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


STORE = Block((Operation(Gate.WRITE, (0, 1)),), ())
LOAD = Block((Operation(Gate.READ, (1,)),), ((0, 2),))


@pytest.mark.parametrize(("block", "target"), [(STORE, 0), (LOAD, 1)])
def test_an_edge_leads_past_a_state_in_which_nothing_is_done_when_it_comes_from_there(block, target):
    """State 1 does nothing where register 0 is 0, as it is at the start and until it is loaded."""
    is_zero, is_not = Guard(((1, 1),)), Guard(((1, 0),))
    edges = (Edge(0, Guard(), block, 1), Edge(1, is_zero, Block(), 0), Edge(1, is_not, STORE, None))
    assert [edge.target for edge in shortcut(program_with(*edges)).edges] == [target, 0, None]
