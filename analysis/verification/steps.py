"""After how many steps does a program stop by itself? Counted at many sizes, told as a formula."""

from __future__ import annotations

import numpy as np

from analysis.machine.batch import run_batch
from analysis.program.certificate import Certificate, rule_of_three
from analysis.program.program import Program
from analysis.verification.correctness import counterexample
from analysis.verification.formula import Linear, ceiling_of, equation_of
from analysis.verification.stopping import PROBES, limits, stops_by_itself
from analysis.verification.window import sizes_of
from nram_env.tasks import MixedBatch, Task, grid_plan, join
from nram_env.tasks.spec import TaskSpec

NEVER = "does not stop by itself: T(n) has to come from outside"
STOPS = "stops by itself"

_EXAMPLES, _FEW = 32, 200


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
    batch = join(task, list(plan.batches(task, rng)))
    caps = limits(task, batch, must_stop=True)
    result = run_batch(program, batch.memory, caps, batch.memory_sizes)
    count = batch.batch_size
    domain = (
        f"{count:,} random instances of {plan.pairs:,} sizes, n to {plan.difficulty.max():,}, "
        f"M to {plan.memory_size.max():,}"
    )
    if not result.halted.all():
        row = int(np.argmin(result.halted))
        memory = batch.memory[row, : batch.memory_sizes[row]]
        endless = counterexample(program, task, memory, int(caps[row]), must_stop=True)
        return Certificate("stops", STOPS, "REFUTED", domain, count, str(endless))
    claim = f"{STOPS} {_when(task, batch, result.steps)}"
    return Certificate("stops", claim, "TESTED", domain, count, error_below=rule_of_three(count))


def stops_after(program: Program) -> str:
    """After how many steps a program was seen to stop, as in "n + 2": what its certificate says of them."""
    claim = next(found.claim for found in program.certificates if found.check == "stops")
    return claim.removeprefix(f"{STOPS} after ").removeprefix("step ").partition(",")[0]


def _when(task: Task, batch: MixedBatch, steps: np.ndarray) -> str:
    """As in "after step n + 2", or "after at most 3n + 1 steps"."""
    exact = equation_of(_sizes(batch), steps)
    if exact is not None:
        return f"after step {exact}"
    own = None if task.spec is None else _own_equation(task.spec, batch, steps)
    if own is not None:
        return f"after step {own}, as nram tasks {task.name} names it"
    most: dict[tuple[int, int], int] = {}
    sizes = zip(batch.difficulty.tolist(), batch.memory_sizes.tolist(), strict=True)
    for size, count in zip(sizes, steps.tolist(), strict=True):
        most[size] = max(most.get(size, 0), count)
    ceiling = ceiling_of(list(most), list(most.values()))
    if ceiling is None:
        return f"after at most {steps.max()} steps on these, by no formula in n and M"
    return f"after at most {ceiling} steps"


def _own_equation(spec: TaskSpec, batch: MixedBatch, steps: np.ndarray) -> Linear | None:
    """An equation with what the task's specification names in a memory; tried on a few runs first."""
    few = np.arange(0, len(steps), max(1, len(steps) // _FEW))
    found = equation_of(_named(spec, batch, few), steps[few])
    everything = np.arange(len(steps))
    return found if found is not None and found.holds(_named(spec, batch, everything), steps) else None


def _named(spec: TaskSpec, batch: MixedBatch, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The integers that a specification names in the memories of some rows, then n and M."""
    memories = (batch.memory[row, : batch.memory_sizes[row]].tolist() for row in rows)
    values = [spec.values(memory) for memory in memories]
    own = {name: np.array([value[name] for value in values]) for name in spec.params if name != "n"}
    return own | {name: size[rows] for name, size in _sizes(batch).items()}


def _sizes(batch: MixedBatch) -> dict[str, np.ndarray]:
    return {"n": batch.difficulty, "M": batch.memory_sizes}
