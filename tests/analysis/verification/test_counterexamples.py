"""Every counterexample that a check shows happens in the environment too, driven by the edges' witnesses."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.rollout import make_envs
from analysis.extraction.circuits import HardChoice, circuit_block
from analysis.extraction.fidelity import compare
from analysis.extraction.inputs import training_inputs
from analysis.extraction.labels import live_selectors
from analysis.extraction.network import HardNetwork
from analysis.extraction.record import Inputs
from analysis.machine.vm import run
from analysis.machine.vm import steps as steps_of
from analysis.program.program import START, Program
from analysis.simplification.dataflow import live_registers
from analysis.simplification.program import simplify_program
from analysis.verification import check_effects, check_exhaustive, check_random, check_window
from nram_env.tasks import Task, get_task, instance_of
from tests.analysis.planted import PlantedNetwork
from tests.analysis.programs import CASES, program_of


def _edits(name: str, rng: np.random.Generator, count: int) -> Iterator[Program]:
    """The paper's program with another choice in one live selector of one edge."""
    program = program_of(CASES[name])
    live = frozenset(register.source for register in simplify_program(program).registers)
    for _ in range(count):
        number = int(rng.integers(len(program.edges)))
        edge, machine = program.edges[number], program.machine
        selector = int(rng.choice(live_selectors(machine, HardChoice(edge.witness), live)))
        witness = list(edge.witness)
        witness[selector] = int(rng.integers(machine.layout.choice_counts[selector]))
        edges = list(program.edges)
        edges[number] = replace(edge, witness=tuple(witness), block=circuit_block(machine, witness))
        yield simplify_program(replace(program, edges=tuple(edges)))


def _shown(text: str) -> tuple[list[int], int]:
    """The instance, and T; of a program that stops by itself a horizon that it does not need."""
    found = re.search(r"mem = (\[.*?\])(?:, T = (\d+))?: ", text)
    return json.loads(found[1]), int(found[2] or 1_000)


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


def _played(
    network: HardNetwork, task: Task, memory: list[int], steps: int
) -> tuple[list[int], list[int], bool]:
    """Drive the environment in hard mode by a network that sees the environment's own zeros.

    Returns:
        The memory and all registers after so many steps, and whether the network stops with the last one.
    """
    machine = network.machine
    envs = make_envs(task, machine, 1, hard=True, dtype="float64")
    zeros, _ = envs.reset(options={"instance": instance_of(task, [tuple(memory)]), "horizon": steps})
    state, halts = network.initial_state(1), False
    for _ in range(steps):
        assert not envs.finished.any()
        output, state = network((zeros > 0.5).numpy(), state)
        halts = bool(output.halts[0])
        action = np.append(machine.layout.one_hot(output.choices[0]), 10.0 if halts else -10.0)
        zeros, *_ = envs.step(torch.from_numpy(action)[None])
    return envs.state.memory[0].argmax(-1).tolist(), envs.state.registers[0].argmax(-1).tolist(), halts


def _difference(
    program: Program, network: HardNetwork, task: Task, memory: list[int], steps: int
) -> str | None:
    """In the words of a mismatch, how the program differs from the network in the environment, if it does."""
    cells, registers, halts = _played(network, task, memory, steps)
    result = run(program, memory, steps)
    if result.outcome == "unseen":
        return "unseen situation: no edge of the program matches"
    if (result.outcome == "halted") != halts:
        stops, other = ("network", "program") if halts else ("program", "network")
        return f"the {stops} stops, the {other} does not"
    if list(result.memory) != cells:
        return "different cells are written"
    if halts:
        return None
    live = live_registers(program)[list(steps_of(program, list(memory), steps))[-1].edge.target]
    pairs = ((program.registers[r], result.registers[r]) for r in sorted(live))
    return next((f"register {r.name} differs" for r, value in pairs if registers[r.source] != value), None)


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


def _inputs(task: Task) -> Iterator[Inputs]:
    return training_inputs(task, 4, 64, np.random.default_rng(0))


def _assert_replays(program: Program, network: HardNetwork, task: Task) -> str:
    """That the first mismatch between them happens in the environment, and none before; returns its words."""
    first = compare(program, network, _inputs(task)).first
    memory = list(first.memory)
    assert _difference(program, network, task, memory, first.time) == first.what
    for steps in range(1, first.time):
        assert _difference(program, network, task, memory, steps) is None
    return first.what


@pytest.mark.parametrize("name", CASES)
def test_a_mismatch_of_fidelity_replays_in_the_environment(name):
    task, planted = get_task(name), PlantedNetwork(program_of(CASES[name]))
    edits = _edits(name, np.random.default_rng(1), 12)
    wrong = [program for program in edits if compare(program, planted, _inputs(task)).first]
    words = {_assert_replays(program, planted, task).split()[0] for program in wrong}
    assert len(wrong) >= 5
    assert words >= {"different", "register"} if name != "access" else {"different"}


def test_mismatches_of_stopping_and_unseen_situations_replay_in_the_environment():
    task, planted = get_task("reverse"), program_of(CASES["reverse"])
    program = simplify_program(planted)
    ending = (planted.edges[0], replace(planted.edges[1], target=None))
    stopping = replace(planted, edges=ending)
    partial = replace(program, edges=program.edges[:1])
    pairs = (
        (program, stopping, "the network stops, the program does not"),
        (simplify_program(stopping), planted, "the program stops, the network does not"),
        (partial, planted, "unseen situation: no edge of the program matches"),
    )
    for read, driving, words in pairs:
        assert _assert_replays(read, PlantedNetwork(driving), task) == words


@pytest.mark.parametrize("name", CASES)
def test_an_output_that_is_never_right_is_wrong_in_the_environment(name):
    task, refuted = get_task(name), 0
    for program in _edits(name, np.random.default_rng(2), 12):
        found = check_window(program, task, seed=0)
        if found.verdict == "REFUTED":
            refuted += 1
            assert re.search(
                r"(never right|right from T = \d+ to \d+ alone), T\(n\) = \d+; ", found.counterexample
            )
            said = found.counterexample
            assert said.endswith(": " + _replayed(program, task, *_shown(said)))
    assert refuted >= 3


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
    said = re.search(
        r"cell (\d+) of mem = (\[.*\]) becomes (\d+)", check_effects(program, task, seed=0).claim
    )
    cell, memory, value = int(said[1]), json.loads(said[2]), int(said[3])
    after, _ = _replay(program, task, memory, task.horizon(task.difficulty_of(memory)))
    assert after[cell] == value != memory[cell]
