"""Random instances of many sizes; a wrong one is made small before it is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from analysis.program.certificate import Certificate, Counterexample, rule_of_three
from analysis.program.program import Program
from analysis.verification.correctness import first_wrong_of, wrong_cells
from analysis.verification.stopping import claim_of, limits, stops_by_itself
from nram_env.tasks import SizePlan, Task, draw_plan, grid_plan
from nram_env.tasks.sizes import GROUP

_SHRUNK = 64


def check_sizes(
    program: Program, task: Task, sizes: Iterable[int], examples: int, seed: int
) -> list[dict[str, Any]]:
    """Errors of a program on random instances of the given n, in memories of many sizes.

    A program that stops by itself is judged where it stops, wrong where it does not; any other at T(n).

    Args:
        program: The program.
        task: Gives instances, oracle and horizon.
        sizes: Difficulties n.
        examples: How many instances of each n.
        seed: Seed of sizes and instances.

    Returns:
        One record an n: mode ("program"), n, memory_sizes (the smallest and the largest M), examples,
        exact_error (share of instances with any wrong output cell) and cell_error (share of wrong cells).

    Example:
        >>> from analysis import find_program
        >>> from nram_env import get_task
        >>> found = check_sizes(find_program("zoo:copy"), get_task("copy"), [8, 100], examples=40, seed=0)
        >>> [(record["n"], record["exact_error"]) for record in found]
        [(8, 0.0), (100, 0.0)]
    """
    rng = np.random.default_rng([seed, 3])
    must_stop = stops_by_itself(program, task)
    return [_size_record(program, task, draw_plan(task, rng, [n], examples), rng, must_stop) for n in sizes]


def _size_record(
    program: Program, task: Task, plan: SizePlan, rng: np.random.Generator, must_stop: bool
) -> dict[str, Any]:
    wrong = exact = cells = 0
    for batch in plan.mixed(task, rng):
        found = wrong_cells(program, batch, limits(task, batch, must_stop), must_stop)
        wrong, exact = wrong + int(found.sum()), exact + int(found.any(1).sum())
        cells += int(batch.mask.sum())
    examples = int(plan.examples.sum())
    return {
        "mode": "program",
        "n": int(plan.difficulty[0]),
        "memory_sizes": (int(plan.memory_size.min()), int(plan.memory_size.max())),
        "examples": examples,
        "exact_error": exact / examples,
        "cell_error": wrong / cells,
    }


def check_random(
    program: Program, task: Task, largest: int, examples: int, seed: int, must_stop: bool | None = None
) -> Certificate:
    """Test a program on random instances; n, the slack of M and everything else drawn independently.

    Args:
        program: The program.
        task: Gives instances, oracle and horizon.
        largest: Largest difficulty n.
        examples: How many instances; every four have an n and an M of their own.
        seed: Seed of sizes and instances.
        must_stop: Whether the program has to stop by itself; default: whether it does.
    """
    must_stop = stops_by_itself(program, task) if must_stop is None else must_stop
    rng = np.random.default_rng([seed, 4])
    plan = draw_plan(task, rng, _difficulties(task, largest, -(-examples // GROUP), rng), GROUP)
    found, tried = first_wrong_of(program, task, plan, rng, must_stop)
    if found is not None:
        shown = str(shrink(program, task, found, rng))
        return Certificate(
            "random", claim_of(must_stop), "REFUTED", f"{tried:,} random instances", tried, shown
        )
    domain = (
        f"{tried:,} random instances of {plan.pairs:,} sizes, n to {plan.difficulty.max():,}, "
        f"M to {plan.memory_size.max():,}"
    )
    return Certificate(
        "random", claim_of(must_stop), "TESTED", domain, tried, error_below=rule_of_three(tried)
    )


def shrink(program: Program, task: Task, found: Counterexample, rng: np.random.Generator) -> Counterexample:
    """The smallest wrong instance that a random search from small sizes upward finds, or the given one."""
    first = task.smallest_difficulty
    plan = grid_plan(task, range(first, first + 9), _SHRUNK)
    small = plan.groups(plan.memory_size <= len(found.memory))
    smaller, _ = first_wrong_of(program, task, small, rng, found.must_stop)
    return replace(smaller or found, shrunk=True)


def _difficulties(task: Task, largest: int, count: int, rng: np.random.Generator) -> np.ndarray:
    """n's from the smallest to the largest, spread evenly over the logarithm of how far up they are."""
    low = task.smallest_difficulty
    choices = max(largest - low, 0) + 1
    drawn = np.exp(rng.uniform(0, np.log(choices + 1), count)).astype(np.int64)
    return low - 1 + np.minimum(drawn, choices)
