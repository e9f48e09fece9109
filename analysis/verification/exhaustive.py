"""All instances of the smallest sizes, none left out."""

from __future__ import annotations

from analysis.program.certificate import Certificate
from analysis.program.program import Program
from analysis.verification.correctness import first_wrong, small_instances
from analysis.verification.stopping import claim_of, stops_by_itself
from nram_env.tasks import Task

LIMIT = 20_000
"""Instances that are tried at most, in the order of M and again n by n."""


def check_exhaustive(
    program: Program, task: Task, limit: int = LIMIT, must_stop: bool | None = None
) -> Certificate:
    """Run a program on every instance of the smallest sizes.

    Args:
        program: The program.
        task: Gives instances, oracle and horizon.
        limit: Sizes are added, each in full, as long as there are no more instances than this: once in the
            order of M, and once n by n.
        must_stop: Whether the program has to stop by itself; default: whether it does.

    Returns:
        EXHAUSTIVE with the sizes and the count, or REFUTED by an instance of the smallest wrong size.
    """
    must_stop = stops_by_itself(program, task) if must_stop is None else must_stop
    claim = claim_of(must_stop)
    count = 0
    sizes: dict[int, int] = {}
    for batch in small_instances(task, limit):
        count += batch.batch_size
        found = first_wrong(program, task, batch, must_stop)
        if found is not None:
            return Certificate("exhaustive", claim, "REFUTED", f"{count:,} instances", count, str(found))
        difficulty = int(batch.difficulty[0])
        sizes[difficulty] = max(sizes.get(difficulty, 0), batch.memory_size)
    if not count:
        return Certificate("exhaustive", claim, "UNKNOWN", "no instance: the task has no enumerator", 0)
    reached = ", ".join(f"n = {n}: M <= {size}" for n, size in sorted(sizes.items()))
    return Certificate("exhaustive", claim, "EXHAUSTIVE", f"{reached} ({count:,} instances)", count)
