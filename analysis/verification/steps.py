"""After how many steps does a program stop by itself? Counted at many sizes, told as a formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.machine.batch import run_batch
from analysis.program.certificate import Certificate, rule_of_three
from analysis.program.program import Program
from analysis.verification.correctness import counterexample
from analysis.verification.formula import ceiling_of, equation_of
from analysis.verification.stopping import PROBES, limits, stops_by_itself
from analysis.verification.window import sizes_of
from nram_env.tasks import MixedBatch, Task, grid_plan

NEVER = "does not stop by itself: T(n) has to come from outside"
STOPS = "stops by itself"

_EXAMPLES = 32


def check_stops(program: Program, task: Task, seed: int, must_stop: bool | None = None) -> Certificate:
    """Whether a program stops by itself, and after how many steps.

    Args:
        program: The program.
        task: Gives the instances.
        seed: Seed of the instances.
        must_stop: Whether it has to; default: whether most of its runs do.

    Returns:
        TESTED with what was found, or, where some runs stop and others do not, REFUTED by one that does not.
    """
    must_stop = stops_by_itself(program, task) if must_stop is None else must_stop
    if not must_stop:
        domain = f"{PROBES} random instances, run to 10 T(n) + 3 M + 50 steps"
        return Certificate("stops", NEVER, "TESTED", domain, PROBES)
    rng = np.random.default_rng([seed, 8])
    plan = grid_plan(task, sizes_of(task), _EXAMPLES)
    seen = [_watch(program, task, batch) for batch in plan.mixed(task, rng)]
    count = sum(len(part.steps) for part in seen)
    domain = (
        f"{count:,} random instances of {plan.pairs:,} sizes, n to {plan.difficulty.max():,}, "
        f"M to {plan.memory_size.max():,}"
    )
    endless = [part.endless for part in seen if part.endless]
    if endless:
        return Certificate("stops", STOPS, "REFUTED", domain, count, endless[0])
    claim = f"{STOPS} {_when(seen)}"
    return Certificate("stops", claim, "TESTED", domain, count, error_below=rule_of_three(count))


@dataclass(frozen=True)
class _Seen:
    """How the runs of a batch ended: n, M and the step after which each stopped, and one that did not."""

    difficulty: np.ndarray
    memory_size: np.ndarray
    steps: np.ndarray
    endless: str | None


def _watch(program: Program, task: Task, batch: MixedBatch) -> _Seen:
    caps = limits(task, batch, must_stop=True)
    result = run_batch(program, batch.memory, caps, batch.memory_sizes)
    rows = np.flatnonzero(~result.halted)
    endless = None
    if rows.size:
        memory = batch.memory[rows[0], : batch.memory_sizes[rows[0]]]
        endless = str(counterexample(program, task, memory, int(caps[rows[0]]), must_stop=True))
    return _Seen(batch.difficulty, batch.memory_sizes, result.steps, endless)


def _when(seen: Sequence[_Seen]) -> str:
    """As in "after step n + 2", or "after at most 3n + 1 steps"."""
    n, memory, steps = (
        np.concatenate([getattr(part, name) for part in seen])
        for name in ("difficulty", "memory_size", "steps")
    )
    exact = equation_of({"n": n, "M": memory}, steps)
    if exact is not None:
        return f"after step {exact}"
    most: dict[tuple[int, int], int] = {}
    for size, count in zip(zip(n.tolist(), memory.tolist(), strict=True), steps.tolist(), strict=True):
        most[size] = max(most.get(size, 0), count)
    return f"after at most {ceiling_of(list(most), list(most.values())) or steps.max()} steps"
