"""On a GPU: what a step of the optimiser and runs of hardened stacks take, and whether the processor agrees.

    python -m benchmarks.cuda_kernels

Half a minute. Bytes are those of the arrays that an update has to read and to write; a second reading of the
gradient, for its norm, may come from a cache. Hardened stacks are fresh ones, most of which never stop, on
Merge's examples at several sizes; of some members the processor, in float64, tells the same failures.
"""

from dataclasses import replace
from functools import partial
from time import perf_counter

import numpy as np
import torch

from agents import Controller, TrainConfig, optimiser
from agents.cuda import hard as kernel
from agents.hard import hard_failures
from agents.population import Population, start
from nram_env.tasks import caps, draw_plan

GPU = torch.device("cuda")
CONFIG = TrainConfig(task="merge")
COMPARED = 8
TOUCHED = 7  # arrays: gradient, and parameters, momentum and variance, read and written


def seconds(call, device, repeats=5):
    """The shortest of some calls, each with all that the device does for it."""
    found = []
    for _ in range(repeats + 1):
        begin = perf_counter()
        call()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        found.append(perf_counter() - begin)
    return min(found[1:])


def stepped(members, device):
    """A line of the table of updates."""
    population = start(CONFIG, members, torch.Generator().manual_seed(0))
    population = Population(*(values.to(device) for values in vars(population).values()))
    gradient = torch.randn_like(population.parameters)
    took = {
        backend: seconds(partial(optimiser.step, population, gradient, 1.0, (1, 2), backend), device)
        for backend in ("auto", "reference")[: 2 if members <= 1024 else 1]
    }
    speed = 4 * TOUCHED * gradient.numel() / took["auto"] / 1e9
    columns = (f"{members:,}", f"{gradient.shape[1]:,}", f"{1e3 * took['auto']:.3f}", f"{speed:,.0f}")
    return (*columns, f"{1e3 * took['reference']:.1f}" if "reference" in took else "not run")


def hardened(members, top, examples, device):
    """A line of the table of hardened stacks."""
    rng, task = np.random.default_rng(0), CONFIG.task_object
    sizes = range(task.smallest_difficulty, top + 1)
    batches = list(draw_plan(task, rng, list(sizes), examples).mixed(task, rng))
    limits = [caps(task, batch.difficulty, batch.memory_sizes) for batch in batches]
    weights = CONFIG.spec.initialise(torch.Generator().manual_seed(1), torch.full((members,), 3.0))
    stack = Controller(CONFIG.spec, weights.to(device))

    def run():
        pairs = zip(batches, limits, strict=True)
        return [kernel.hard_failures(stack, batch, limit, True) for batch, limit in pairs]

    took, found = seconds(run, device), run()
    steps = sum(int(taken.sum()) for _, taken in found)
    few, differ, compared = replace(stack, parameters=stack.parameters[:COMPARED].cpu()), 0, 0
    for (ours, _), batch, limit in zip(found, batches, limits, strict=True):
        theirs, _ = hard_failures(few, batch, limit, True)
        differ += int((ours[:COMPARED].cpu().numpy() != theirs).sum())
        compared += theirs.size
    count = sum(batch.batch_size for batch in batches)
    columns = (f"{members:,}", f"{count}", f"{steps:,}", f"{1e3 * took:.1f}", f"{1e9 * took / steps:.2f}")
    return (*columns, f"{differ} of {compared}")


def table(title, columns, rows):
    print(f"\n## {title}\n\n| {' | '.join(columns)} |\n| {' | '.join(['---'] * len(columns))} |")
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)


def main(device=GPU, populations=(64, 1024, 4096, 16384), top=8, examples=32):
    columns = ("members", "parameters each", "ms", "GB/s", "torch, ms")
    table("One step of the optimiser", columns, (stepped(members, device) for members in populations))
    columns = (
        "members",
        "examples",
        "timesteps",
        "ms",
        "ns a timestep",
        "other failures than by the processor",
    )
    rows = (hardened(members, top, examples, device) for members in populations)
    table("Hardened stacks on held-out sizes", columns, rows)


if __name__ == "__main__":
    main()
