"""Every slack of M at many n: how many instances of each size are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analysis.program.program import Program
from analysis.verification.correctness import first_wrong, wrong_cells
from analysis.verification.stopping import limits, stops_by_itself
from nram_env.tasks import MixedBatch, Task, grid_plan

SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 16, 32)
"""The n's that are swept unless others are asked for, as far as the task has them."""

DENSE_SLACK = 25
"""Slacks from 0 to this one are swept one by one; then M is twice and three times the needed size."""

EXAMPLES = 200
"""Random instances of every size unless told otherwise."""


def sweep(
    program: Program, task: Task, sizes: Sequence[int] = SIZES, examples: int = EXAMPLES, seed: int = 0
) -> dict[str, Any]:
    """Run a program on random instances of every n and slack of M.

    Args:
        program: The program.
        task: Gives instances, oracle and horizon.
        sizes: Difficulties n; those below the task's smallest are left out.
        examples: How many instances of each n and M.
        seed: Seed of the instances.

    Returns:
        JSON values: task, stops (whether the program stops by itself, and is judged where it does; otherwise
        at T(n)), sizes (how many (n, M)), instances, wrong (how many of them), wrong_sizes (n,
        memory_size, wrong and instances of each with a wrong one), and first, the wrong instance of the
        smallest M with what comes out, None if there is none.
    """
    rng = np.random.default_rng([seed, 7])
    plan = grid_plan(task, [n for n in sizes if n >= task.smallest_difficulty], examples, DENSE_SLACK)
    must_stop = stops_by_itself(program, task)
    wrong_sizes: list[dict[str, int]] = []
    first = None
    for batch in plan.mixed(task, rng):
        wrong = wrong_cells(program, batch, limits(task, batch, must_stop), must_stop).any(1)
        wrong_sizes += _wrong_sizes(batch, wrong.reshape(-1, examples).sum(1), examples)
        if wrong_sizes and first is None:
            first = str(first_wrong(program, task, batch, must_stop))
    return {
        "task": task.name,
        "stops": must_stop,
        "sizes": plan.pairs,
        "instances": plan.pairs * examples,
        "wrong": sum(size["wrong"] for size in wrong_sizes),
        "wrong_sizes": wrong_sizes,
        "first": first,
    }


def _wrong_sizes(batch: MixedBatch, wrong: np.ndarray, examples: int) -> list[dict[str, int]]:
    """The sizes of a batch that have so many wrong instances; `examples` rows in a row are of one size."""
    return [
        {
            "n": int(batch.difficulty[index * examples]),
            "memory_size": int(batch.memory_sizes[index * examples]),
            "wrong": int(wrong[index]),
            "instances": examples,
        }
        for index in np.flatnonzero(wrong)
    ]


def sweep_table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """What sweeps gave, by name, as a Markdown table with the wrong sizes below it."""
    lines = [
        "| program | judged | sizes (n, M) | instances | wrong | sizes with a wrong one |",
        "| --- " * 6 + "|",
    ]
    for name, result in found.items():
        judged = "where it stops" if result["stops"] else "at T(n)"
        numbers = (result["sizes"], result["instances"], result["wrong"], len(result["wrong_sizes"]))
        lines.append(f"| {name} | {judged} | " + " | ".join(f"{number:,}" for number in numbers) + " |")
    for name, result in found.items():
        if result["wrong"]:
            places = (
                f"{size['wrong']} of {size['instances']} at n = {size['n']}, M = {size['memory_size']}"
                for size in result["wrong_sizes"]
            )
            lines += ["", f"{name} is wrong: {'; '.join(places)}.", f"First: {result['first']}."]
    return "\n".join(lines) + "\n"
