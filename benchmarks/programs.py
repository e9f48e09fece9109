"""Speed of the analysis: extraction, the batched machine, exported Python. Prints one JSON object.

    python benchmarks/programs.py RUN ...

RUN is a run folder or an agent's file; without one, extraction is not measured.
"""

from __future__ import annotations

import json
import sys
import time
import tracemalloc
from dataclasses import replace
from typing import Any

sys.path.pop(0)  # the folder of this file, which is called like a package that it imports

import numpy as np
import torch

from agents.checkpoint import load_agent
from analysis.exporters import to_python
from analysis.extraction.pipeline import extract
from analysis.machine.batch import run_batch
from analysis.program.block import Block, Constant, Guard, Operation
from analysis.program.program import Edge, Program, Register
from analysis.simplification.canonical import canonical_hash
from analysis.verification import check_sizes
from nram_env.machine import Gate, MachineConfig
from nram_env.tasks import get_task

BATCH, LARGEST = 4096, 10_000


def copy_program() -> Program:
    """dst = mem[0]; src = 1; repeat: mem[dst] = mem[src]; both + 1."""
    load = Block((Constant(0), Operation(Gate.READ, (2,)), Constant(1)), ((0, 3), (1, 4)))
    move = Block(
        (
            Operation(Gate.READ, (1,)),
            Operation(Gate.WRITE, (0, 2)),
            Constant(1),
            Operation(Gate.ADD, (0, 4)),
            Operation(Gate.ADD, (1, 4)),
        ),
        ((0, 5), (1, 6)),
    )
    registers = (Register("dst", 0), Register("src", 1))
    edges = (Edge(0, Guard(), load, 1), Edge(1, Guard(), move, 1))
    return Program("copy", registers, ("S0", "S1"), edges, "machine", MachineConfig(2))


def batched_machine() -> dict[str, Any]:
    """Example-steps a second of the batched machine, best of three."""
    task, steps = get_task("copy"), 200
    memories = task.sample(np.random.default_rng(0), 40, 100, BATCH).memory
    best = min(_seconds(lambda: run_batch(copy_program(), memories, steps)) for _ in range(3))
    return {
        "what": "batched machine",
        "batch": BATCH,
        "example_steps_per_second": round(BATCH * steps / best),
    }


def exported_python() -> dict[str, Any]:
    """Seconds in which the exported Python copies half a million cells, and the peak of the process."""
    cells = 500_000
    module: dict[str, Any] = {}
    exec(compile(to_python(replace(copy_program(), task="copy")), "copy.py", "exec"), module)
    memory = get_task("copy").sample(np.random.default_rng(0), cells, 2 * cells + 1).memory[0].tolist()
    seconds = _seconds(lambda: module["run"](memory, module["horizon"](cells)))
    tracemalloc.start()
    after = module["run"](memory, module["horizon"](cells))
    peak = tracemalloc.get_traced_memory()[1]
    return {
        "what": "exported Python",
        "cells": cells,
        "memory_size": len(memory),
        "right": after[cells + 1 :] == memory[1 : cells + 1],
        "seconds": round(seconds, 2),
        "peak_mb": round(peak / 1e6, 1),
    }


def extraction(place: str) -> dict[str, Any]:
    """Seconds to extract a program, without and with judging it, and its error at n = 10,000."""
    agent = load_agent(place)
    start, stages = time.perf_counter(), {}

    def note(text: str) -> None:
        stages[text] = time.perf_counter() - start

    program = extract(agent, progress=note)
    seconds = time.perf_counter() - start
    check = check_sizes(program, get_task(agent.task), [LARGEST], 10, seed=0)[0]
    return {
        "what": "extraction",
        "task": agent.task,
        "controller": agent.controller.spec.kind,
        "extract_seconds": round(stages["comparing on held-out runs"], 2),
        "extract_and_judge_seconds": round(seconds, 2),
        "hash": canonical_hash(program),
        "check": check,
    }


def _seconds(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(places: list[str]) -> None:
    """Measure and print; one thread."""
    torch.set_num_threads(1)
    print(json.dumps({"results": [batched_machine(), exported_python(), *map(extraction, places)]}, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
