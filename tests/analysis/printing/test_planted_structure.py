"""Loops and branches that were planted come out of the states again, and do the same."""

from collections.abc import Iterator

import numpy as np

from analysis.machine.vm import run
from analysis.printing.lowering import nested_code
from analysis.printing.nested import Body, Choice, Repeat, items, leaves, run_nested
from tests.analysis.structured import REGISTERS, planted_program

STEPS = 400


def branchings(body: Body) -> Iterator[Choice]:
    """Branches of which more than one goes on: what else there is ends a loop or the run."""
    for item in items(body):
        if isinstance(item, Choice) and sum(not leaves(branch) for _, branch in item.branches) > 1:
            yield item


def found_structure(body: Body) -> tuple[int, int]:
    """The number of loops and of branches."""
    return sum(isinstance(item, Repeat) for item in items(body)), len(list(branchings(body)))


def test_the_loops_and_branches_of_50_planted_programs_are_recovered():
    rng, recovered = np.random.default_rng(0), 0
    for seed in range(50):
        program, loops, branches = planted_program(seed)
        body = nested_code(program)
        if body is None:
            continue
        for size in (7, 9, 12, 13):
            memory = rng.integers(size, size=size).tolist()
            result = run(program, memory, STEPS)
            assert run_nested(body, REGISTERS, memory, STEPS) == (result.memory, result.steps)
        recovered += found_structure(body) == (loops, branches)
    assert recovered >= 45
