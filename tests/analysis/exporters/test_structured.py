"""Programs that stop by themselves, exported as loops and branches that a person reads."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from agents import zoo
from analysis import load_program
from analysis.exporters import to_python
from analysis.extraction.resolve import SHORT_FILE
from analysis.machine.vm import run
from analysis.program.block import Block, Constant, Guard, Operation
from analysis.program.program import Edge
from nram_env.machine import Gate
from nram_env.tasks import draw_plan, get_task, most_steps
from tests.analysis.exported import load
from tests.analysis.programs import endless_where_the_first_value_is_1, program_with

SHORT = {name: load_program(entry.place / SHORT_FILE) for name, entry in zoo.entries().items()}
"""Shortened programs of the zoo."""

MOST_COMPLEX = 8

every_program = pytest.mark.parametrize("program", SHORT.values(), ids=SHORT)


def run_of(source: str) -> ast.FunctionDef:
    """The function `run` of an exported module."""
    functions = (node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    return next(function for function in functions if function.name == "run")


def complexity(function: ast.FunctionDef) -> int:
    """McCabe's number of a function: 1 and one more for each place where it may go two ways."""
    ways = (ast.If, ast.IfExp, ast.For, ast.While, ast.ExceptHandler, ast.comprehension, ast.Assert)
    nodes = list(ast.walk(function))
    ands_and_ors = sum(len(node.values) - 1 for node in nodes if isinstance(node, ast.BoolOp))
    return 1 + sum(isinstance(node, ways) for node in nodes) + ands_and_ors


def flags_in(function: ast.FunctionDef) -> set[str]:
    """The variables that nothing but comparisons, 0 and 1 are assigned to, some other than at the start."""
    assigned: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assigned.setdefault(node.targets[0].id, []).append(node.value)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            for target, value in zip(node.targets[0].elts, node.value.elts, strict=True):
                assigned.setdefault(target.id, []).append(value)
    return {name for name, values in assigned.items() if all(map(_is_bit, values))}


def _is_bit(value: ast.expr) -> bool:
    if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "int":
        return True
    return isinstance(value, ast.Constant) and value.value in (0, 1)


@every_program
def test_a_person_can_read_the_exported_function(program):
    function = run_of(to_python(program))
    assert complexity(function) <= MOST_COMPLEX
    assert not flags_in(function)
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    assert not names & {"state", "step", "zeros"}


def test_flags_and_complexity_are_seen():
    text = "def run(a):\n x = 0\n while a and x == 0:\n  x = int(a < 1)\n  y = 1 if a else 2\n"
    assert flags_in(run_of(text)) == {"x"}
    assert complexity(run_of(text)) == 4


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    folder = tmp_path_factory.mktemp("structured")
    for name, program in SHORT.items():
        (folder / f"exported_{name}.py").write_text(to_python(program))
    return folder


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "--isolated"),
        ("ruff", "format", "--isolated", "--check", "--line-length", "88"),
        ("ruff", "format", "--isolated", "--check", "--line-length", "110"),
        ("mypy", "--strict", "--config-file=", "--cache-dir=/dev/null"),
    ],
    ids=" ".join,
)
def test_checkers_have_nothing_to_say(sources, command):
    done = subprocess.run([sys.executable, "-m", *command, sources], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@every_program
def test_loops_and_branches_leave_the_memory_that_the_integer_machine_leaves(program):
    module, task, rng = load(program), get_task(program.task), np.random.default_rng(1)
    assert module.HALTS
    difficulties = [task.smallest_difficulty + step for step in range(9)]
    for batch in draw_plan(task, rng, difficulties, 4).batches(task, rng):
        for memory in batch.memory.tolist():
            limit = most_steps(task, len(memory))
            assert tuple(module.run(memory)) == run(program, memory, limit).memory


def test_a_run_on_a_memory_that_is_no_instance_ends_in_an_error():
    module = load(endless_where_the_first_value_is_1())
    with pytest.raises(RuntimeError, match="did not stop by itself in 105 passes of its loops"):
        module.run([2, 1, 3, 0, 0])
    with pytest.raises(ValueError, match=r"cell 1 holds 7, not in 0\.\.3"):
        module.run([2, 7, 3, 0])


def test_a_situation_that_no_branch_covers_is_an_error():
    load_first = Block((Constant(0), Operation(Gate.READ, (1,))), ((0, 2),))
    edges = (Edge(0, Guard(), load_first, 1), Edge(1, Guard(((1, 0),)), Block(), None))
    module = load(replace(program_with(*edges, registers=1), task="access"))
    assert module.run([2, 1, 3, 0]) == [2, 1, 3, 0]
    with pytest.raises(RuntimeError, match="never seen in"):
        module.run([0, 1, 3, 0])
