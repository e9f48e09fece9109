"""Every counterexample that a check shows happens in the environment too, driven by the edges' witnesses."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.rollout import make_envs
from analysis.circuits import HardStep, circuit_block
from analysis.labels import live_selectors
from analysis.program import START, Program
from analysis.reduce import simplify_program
from analysis.verify import check_effects, check_exhaustive, check_random
from nram_env.tasks import Task, get_task, instance_of
from tests.analysis.programs import CASES, program_of


def _edits(name: str, rng: np.random.Generator, count: int) -> Iterator[Program]:
    """The paper's program with another choice in one live selector of one edge."""
    program = program_of(CASES[name])
    live = frozenset(register.source for register in simplify_program(program).registers)
    for _ in range(count):
        number = int(rng.integers(len(program.edges)))
        edge, machine = program.edges[number], program.machine
        selector = int(rng.choice(live_selectors(machine, HardStep(edge.witness), live)))
        witness = list(edge.witness)
        witness[selector] = int(rng.integers(machine.layout.choice_counts[selector]))
        edges = list(program.edges)
        edges[number] = replace(edge, witness=tuple(witness), block=circuit_block(machine, witness))
        yield simplify_program(replace(program, edges=tuple(edges)))


def _shown(text: str) -> tuple[list[int], int]:
    found = re.search(r"mem = (\[.*?\]), T = (\d+): ", text)
    return json.loads(found[1]), int(found[2])


def _replay(program: Program, task: Task, memory: list[int], horizon: int) -> tuple[list[int] | None, int]:
    """Drive the environment in hard mode by the witnesses of the edges that its own zeros select.

    Returns:
        The memory at the end, None where no edge matched, and the step of which that is true.
    """
    envs = make_envs(task, program.machine, 1, hard=True, dtype="float64")
    instance = instance_of(task, [tuple(memory)])
    zeros, _ = envs.reset(options={"instance": instance, "horizon": horizon})
    state, step = START, 0
    while state is not None and not envs.finished.all():
        step += 1
        pattern = sum(int(zeros[0, r.source] > 0.5) << bit for bit, r in enumerate(program.registers))
        edge = next((e for e in program.edges_of_state[state] if e.guard.matches(pattern)), None)
        if edge is None:
            return None, step
        halting = 10.0 if edge.target is None else -10.0
        action = np.append(program.machine.layout.one_hot(edge.witness), halting)
        zeros, *_ = envs.step(torch.from_numpy(action)[None])
        state = edge.target
    return envs.state.memory[0].argmax(-1).tolist(), step


def _replayed(program: Program, task: Task, memory: list[int], horizon: int) -> str:
    """What came out, in the words of a counterexample."""
    after, step = _replay(program, task, memory, horizon)
    if after is None:
        return f"unseen situation at step {step}"
    wanted = task.oracle(memory)
    cell = min(cell for cell, value in wanted.items() if after[cell] != value)
    return f"cell {cell} holds {after[cell]} after step {step}, wanted {wanted[cell]}"


@pytest.mark.parametrize("name", CASES)
def test_a_counterexample_of_a_wrong_program_replays_in_the_environment(name):
    task, refuted = get_task(name), 0
    for program in _edits(name, np.random.default_rng(0), 12):
        for found in (check_random(program, task, 8, 128, seed=0), check_exhaustive(program, task, 500)):
            if found.verdict == "REFUTED":
                refuted += 1
                said = found.counterexample
                assert said.endswith(": " + _replayed(program, task, *_shown(said)))
    assert refuted >= 10


def test_a_stop_too_early_replays_in_the_environment():
    program, task = simplify_program(program_of(CASES["reverse"])), get_task("reverse")
    load, loop = program.edges
    stopping = replace(program, edges=(load, replace(loop, target=None)))
    said = check_exhaustive(stopping, task, 500).counterexample
    assert said.endswith(": " + _replayed(stopping, task, *_shown(said)))
    assert "after step 2" in said


def test_an_unseen_situation_replays_in_the_environment():
    program, task = simplify_program(program_of(CASES["reverse"])), get_task("reverse")
    partial = replace(program, edges=program.edges[:1])
    said = check_random(partial, task, 8, 64, seed=0).counterexample
    assert said.endswith("unseen situation at step 2")
    assert said.endswith(": " + _replayed(partial, task, *_shown(said)))


def test_a_clobbered_cell_is_clobbered_in_the_environment():
    program, task = simplify_program(program_of(CASES["swap"])), get_task("swap")
    said = re.search(r"cell (\d+) of mem = (\[.*\]) becomes (\d+)", str(check_effects(program, task, seed=0)))
    cell, memory, value = int(said[1]), json.loads(said[2]), int(said[3])
    after, _ = _replay(program, task, memory, task.horizon(task.difficulty_of(memory)))
    assert after[cell] == value != memory[cell]
