"""Counterexamples from unrolled runs: they agree with the integer machine, and find what tests miss."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from analysis import find_program
from analysis.machine.vm import run
from analysis.program.file import load_program
from analysis.proofs.counterexamples import (
    UndecidedError,
    counterexample_at,
    drawn_counterexample,
    search_unrolled,
    sizes,
    solution,
)
from analysis.proofs.grounding import Grounding
from analysis.proofs.readings import conjunction, negated
from analysis.proofs.unrolling import Unrolling
from analysis.verification.exhaustive import check_exhaustive
from analysis.verification.mutation import mutants
from nram_env.machine import MachineConfig
from nram_env.tasks import get_task
from tests.analysis.programs import random_program
from tests.env.test_tasks import NAMES, SMALL_SIZES

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests/data"
WRONG_MERGE = load_program(DATA / "wrong_merge.json")
"""The program that the zoo once had: wrong where M is 2n + 8 and n at least 4."""


def same(names, values):
    return conjunction([f"(= {name} {value})" for name, value in zip(names, values, strict=True)])


@pytest.mark.parametrize("seed", range(12))
def test_unrolled_runs_are_those_of_the_integer_machine(seed):
    rng = np.random.default_rng(seed)
    program, size = random_program(MachineConfig(3), 3, rng), int(rng.integers(2, 6))
    cells = [f"cell.{cell}" for cell in range(size)]
    runs = Unrolling(program, cells)
    memory = rng.integers(0, size, size).tolist()
    for steps in range(6):
        result = run(program, memory, steps)
        assert result.steps == runs.steps or result.outcome == "halted"
        true = [
            same(runs.memory, result.memory),
            runs.stopped if result.outcome == "halted" else negated(runs.stopped),
        ]
        declared = [f"(declare-fun {cell} () Int)" for cell in cells]
        given = f"(assert {same(cells, memory)})"
        wrong = f"(assert {negated(conjunction(true))})"
        assert solution("\n".join([*declared, *runs.commands, given, wrong]), cells, 20.0) is None
        runs.step()


def facts_at(task, difficulty, memory_size, *more):
    ground = Grounding(task.spec, difficulty, memory_size)
    commands = [*ground.declarations(), *(f"(assert {fact})" for fact in (*ground.facts(), *more))]
    return solution("\n".join(commands), ground.cells, 20.0)


@pytest.mark.parametrize("name", NAMES)
def test_the_memories_of_one_size_are_the_legal_ones(name):
    """Those that the solver makes up are legal; of legal ones and changed ones it accepts the legal ones."""
    task, rng = get_task(name), np.random.default_rng(1)
    difficulty, memory_size = SMALL_SIZES[name][-1]
    cells, met = Grounding(task.spec, difficulty, memory_size).cells, []
    for _ in range(8):
        met.append(facts_at(task, difficulty, memory_size, *(negated(same(cells, old)) for old in met)))
        task.check_memory(met[-1])
        assert task.difficulty_of(met[-1]) == difficulty
    for memory in task.sample(rng, difficulty, memory_size, 12).memory.tolist():
        assert facts_at(task, difficulty, memory_size, same(cells, memory)) == memory
        memory[int(rng.integers(memory_size))] = int(rng.integers(memory_size))
        found = facts_at(task, difficulty, memory_size, same(cells, memory))
        assert (found is not None) == is_legal(task, memory, difficulty), memory


def is_legal(task, memory, difficulty):
    try:
        task.check_memory(memory)
    except ValueError:
        return False
    return task.difficulty_of(memory) == difficulty


@pytest.mark.parametrize(
    ("name", "first", "step"),
    [
        (f"{DATA}/proof_of_access.json", 0, 3),
        (f"{DATA}/proof_of_increment.json", 0, 9),
        (f"{DATA}/proof_of_copy.json", 0, 9),
        ("zoo:listk", 2, 1),
        ("zoo:walkbst", 0, 1),
    ],
    ids=["access", "increment", "copy", "listk", "walkbst"],
)
def test_a_mutant_that_tests_refute_has_a_counterexample_that_replays(name, first, step):
    program = find_program(name)
    task, refuted = get_task(program.task), 0
    for mutant in islice(mutants(program), first, first + 6 * step, step):
        if check_exhaustive(mutant.program, task, limit=3000).verdict == "REFUTED":
            refuted += 1
            found = search_unrolled(mutant.program, task, must_stop=False, seconds=300.0).counterexample
            task.check_memory(found.memory)
            assert found.got != found.wanted or found.cell is None
    assert refuted > 2


def test_a_right_program_is_cleared_size_by_size():
    program, task = load_program(DATA / "proof_of_copy.json"), get_task("copy")
    assert counterexample_at(program, task, (2, 6), must_stop=False, seconds=20.0) is None


def test_the_zoos_old_merge_is_wrong_at_one_slack():
    task = get_task("merge")
    found = counterexample_at(WRONG_MERGE, task, (4, 16), must_stop=False, seconds=300.0)
    task.check_memory(found.memory)
    assert (len(found.memory), found.step) == (16, 16)
    assert run(WRONG_MERGE, found.memory, 16).memory[found.cell] == found.got != found.wanted
    assert task.oracle(found.memory)[found.cell] == found.wanted
    assert (4, 16) in islice(sizes(task), 30)
    drawn = drawn_counterexample(WRONG_MERGE, task, must_stop=False)
    assert task.oracle(drawn.memory)[drawn.cell] == drawn.wanted != drawn.got


def test_a_program_that_never_stops_is_caught():
    """Where a program has to stop, its runs are followed up to the cap."""
    program, task = load_program(ROOT / "examples/copy.json"), get_task("copy")
    assert search_unrolled(program, task, must_stop=True, seconds=1.0).counterexample is None
    edges = (*program.edges[:-1], replace(program.edges[-1], target=1))
    found = search_unrolled(replace(program, edges=edges), task, must_stop=True, seconds=300.0)
    assert found.counterexample.endless


def test_what_the_solver_cannot_decide_in_time_is_said():
    with pytest.raises(UndecidedError):
        counterexample_at(WRONG_MERGE, get_task("merge"), (6, 20), must_stop=False, seconds=0.3)


def test_a_task_without_a_specification_is_refused():
    task = type("Silent", (type(get_task("copy")),), {"spec": None})()
    with pytest.raises(ValueError, match="task copy has no specification"):
        counterexample_at(find_program("zoo:copy"), task, (2, 6), must_stop=False, seconds=1.0)
