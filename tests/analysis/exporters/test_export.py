"""What exported sources look like, how large their inputs may be, and what they refuse."""

import ast
import os
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from analysis.exporters import EXPORTS, source, to_c, to_python
from analysis.machine.vm import steps
from analysis.program.block import Block, Constant, Guard, Operation, ProgramError
from analysis.program.program import Edge, Program, Register
from analysis.simplification.program import simplify_program
from nram_env.machine import Gate, MachineConfig
from nram_env.tasks import draw_plan, get_task
from tests.analysis.exported import (
    COMPILER,
    compiled,
    load,
    simplified,
    wide_program,
)
from tests.analysis.programs import (
    CASES,
    endless_where_the_first_value_is_1,
    program_of,
    random_program,
    stopping_at_zero,
)

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler here")


STOPS = replace(stopping_at_zero(program_of(CASES["reverse"]), register=2), task="reverse")
"""The paper's Reverse, until its counter has come round."""

# what the source looks like


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A folder of exported Python files: the paper's, raw and simplified, random ones, and a wide one."""
    folder, rng = tmp_path_factory.mktemp("exported"), np.random.default_rng(5)
    programs = [make(case) for case in CASES.values() for make in (program_of, simplified)]
    programs += [random_program(MachineConfig(int(rng.integers(1, 9))), 3, rng) for _ in range(8)]
    programs += [
        wide_program(),
        STOPS,
        replace(simplified(CASES["copy"]), task="copy", origin={"note": '"""\\ */'}),
    ]
    for number, program in enumerate(programs):
        (folder / f"program{number}.py").write_text(to_python(program))
    return folder


@pytest.mark.parametrize("width", ["88", "110"])
def test_a_formatter_has_nothing_to_change(sources, width):
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--check", "--line-length", width]
    done = subprocess.run([*command, sources], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_exported_python_imports_nothing_and_loops_over_nothing_but_timesteps(sources):
    for path in sorted(sources.iterdir()):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        assert not [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
        assert sum(isinstance(node, ast.While) for node in nodes) <= 1
        loops = (ast.For, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.AsyncFor)
        assert not [node for node in nodes if isinstance(node, loops)]


class CountingList(list):
    """A memory that counts how often it is touched."""

    touched = 0

    def __getitem__(self, index):
        CountingList.touched += 1
        return super().__getitem__(index)

    def __setitem__(self, index, value):
        CountingList.touched += 1
        super().__setitem__(index, value)


def test_a_timestep_touches_the_memory_no_more_often_than_its_block_does():
    rng = np.random.default_rng(6)
    for _ in range(20):
        program = simplify_program(random_program(MachineConfig(3), 4, rng))
        module, size = load(program), max(9, program.min_size)
        module.list = CountingList
        memory = rng.integers(size, size=size).tolist()
        taken = [moment.edge.block for moment in steps(program, list(memory), 30)]
        CountingList.touched = 0
        module.run(memory, len(taken))
        assert CountingList.touched <= sum(block.num_accesses for block in taken)


def test_the_source_says_what_it_is_and_what_was_checked():
    program = replace(simplified(CASES["copy"]), task="copy", origin={"controller": "lstm", "seed": 3})
    for text in (to_python(program), to_c(program)):
        assert "Program copy" in text
        assert "controller lstm, seed 3" in text
        assert get_task("copy").__doc__.split("\n")[0].split(" (")[0] in text
    assert to_python(program) == to_python(program)


def test_words_of_the_two_languages_and_odd_names_are_no_register_names():
    for names in (("lambda", "i"), ("int", "i"), ("memory", "i"), ("t0", "i"), ("a b", "i"), ("next", "I")):
        registers = tuple(Register(name, number) for number, name in enumerate(names))
        program = replace(program_of(CASES["access"]), registers=registers)
        assert source.register_names(program) == ("r0", "r1")
    assert source.register_names(simplified(CASES["copy"])) != ("r0", "r1", "r2")


# the horizon


def test_the_horizon_of_every_task_is_the_task_s(monkeypatch):
    from nram_env.tasks import task_names

    for name in task_names():
        module, task = load(replace(program_of(CASES["copy"]), task=name)), get_task(name)
        for n in (task.smallest_difficulty, 7, 1000):
            assert module.horizon(n) == task.horizon(n)


def test_a_horizon_that_is_no_parabola_cannot_be_exported(monkeypatch):
    monkeypatch.setattr(type(get_task("copy")), "horizon", lambda self, n: n * (n + 1) // 2)
    with pytest.raises(ProgramError, match="not of the form a n n \\+ b n \\+ c"):
        to_python(replace(program_of(CASES["copy"]), task="copy"))


def test_without_a_task_there_is_no_horizon():
    with pytest.raises(ValueError, match="pass max_steps"):
        load(program_of(CASES["copy"])).horizon(3)


# large memories


def copying_a_cell_a_step():
    """i, j = mem[0], 1; then mem[i] = mem[j] and both go on by one."""
    first = Block((Constant(0), Operation(Gate.READ, (2,)), Constant(1)), ((0, 3), (1, 4)))
    advance = [Operation(Gate.ADD, (register, 4)) for register in (0, 1)]
    move = (Operation(Gate.READ, (1,)), Operation(Gate.WRITE, (0, 2)), Constant(1), *advance)
    edges = (Edge(0, Guard(), first, 1), Edge(1, Guard(), Block(move, ((0, 5), (1, 6))), 1))
    registers = (Register("i", 0), Register("j", 1))
    return Program("copy", registers, ("S0", "S1"), edges, "machine", MachineConfig(2))


def test_copying_half_a_million_cells_takes_memory_for_one_copy_of_them():
    program, n = copying_a_cell_a_step(), 500_000
    memory = list(range(2 * n + 1))
    memory[0], memory[n + 1 :] = n + 1, [0] * n
    exported = load(program).run
    tracemalloc.start()
    result = exported(memory, n + 1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result[n + 1 :] == memory[1 : n + 1]
    assert peak < 200_000_000


# bad input

COPY = program_of(CASES["copy"])


@pytest.mark.parametrize(
    ("memory", "max_steps", "problem"),
    [
        ([3, 1, 5, 0, 0], 4, r"cell 2 holds 5, not in 0\.\.4"),
        ([3, -1, 2, 0, 0], 4, r"cell 1 holds -1, not in 0\.\.4"),
        ([0], 4, "memory has 1 cells; 2 are needed"),
        ([], 4, "memory has 0 cells"),
        ([3, 1.0, 2, 0, 0], 4, "plain int, got float"),
        ([3, True, 2, 0, 0], 4, "plain int, got bool"),
        (["3", 1, 2, 0, 0], 4, "plain int, got str"),
        ([3, 1, 2, 0, 0], -1, "max_steps must be an int of at least 0, got -1"),
        ([3, 1, 2, 0, 0], 4.0, r"max_steps must be an int of at least 0, got 4\.0"),
        ([3, 1, 2, 0, 0], None, "does not stop by itself; pass max_steps"),
    ],
)
def test_exported_python_refuses_bad_input_with_one_clear_error(memory, max_steps, problem):
    with pytest.raises(ValueError, match=problem):
        load(COPY).run(memory, max_steps)


def test_exported_python_leaves_its_argument_alone():
    memory = [3, 1, 2, 0, 0]
    load(COPY).run(memory, 6)
    assert memory == [3, 1, 2, 0, 0]


BAD_INPUTS = (
    ("3 1 5 0 0", ["4"], "cell 2 holds a value that is not in 0..M-1"),
    ("3 x 5 0 0", ["4"], "x is not an integer"),
    ("3 99999999999999999999999 5 0 0", ["4"], "99999999999999999999999 is not an integer"),
    ("3", ["4"], "too few cells"),
    ("3 1 2 0 0", [], "does not stop by itself"),
    ("3 1 2 0 0", ["-4"], "a number of timesteps"),
    ("3 1 2 0 0", ["4", "4"], "at most one argument"),
)


@needs_compiler
def test_exported_c_refuses_bad_input_with_one_clear_error(tmp_path):
    binary = compiled(COPY, tmp_path)
    for text, arguments, problem in BAD_INPUTS:
        done = binary.started(text, *arguments)
        assert (done.returncode, done.stdout) == (2, ""), text
        assert problem in done.stderr


SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover")


def _can_sanitize() -> bool:
    command = [COMPILER, *SANITIZERS, "-x", "c", "-", "-o", os.devnull]
    done = COMPILER and subprocess.run(
        command, input="int main(void){return 0;}", text=True, capture_output=True
    )
    return bool(done) and done.returncode == 0


@pytest.mark.skipif(not _can_sanitize(), reason="there is no C compiler with sanitizers here")
def test_exported_c_frees_what_it_allocates_on_every_exit(tmp_path):
    binary = compiled(COPY, tmp_path, *SANITIZERS)
    stuck = replace(COPY, edges=(replace(COPY.edges[0], guard=Guard(((1, 0),))), *COPY.edges[1:]))
    (tmp_path / "stuck").mkdir()
    unseen = compiled(stuck, tmp_path / "stuck", *SANITIZERS)
    runs = [(binary, text, arguments, 2) for text, arguments, _ in BAD_INPUTS]
    runs += [(binary, "3 1 2 0 0", ["4"], 0), (unseen, "3 1 2 0 0", ["4"], 1)]
    for program, text, arguments, code in runs:
        done = program.started(text, *arguments)
        assert "Sanitizer" not in done.stderr, done.stderr
        assert done.returncode == code


@needs_compiler
def test_exported_c_reports_an_unseen_situation(tmp_path):
    edge = Edge(0, Guard(((1, 1),)), Block((Operation(Gate.READ, (0,)),), ((0, 1),)), 0)
    program = Program("load", (Register("a", 0),), ("S0",), (edge,), "machine", MachineConfig(1))
    done = compiled(program, tmp_path).started("3 0 0 0", "9")
    assert (done.returncode, done.stdout) == (1, "")
    assert "never seen" in done.stderr
    with pytest.raises(RuntimeError, match="timestep 2: unseen in state S0"):
        load(program).run([3, 0, 0, 0], 9)


def test_what_a_language_cannot_hold_is_an_error():
    long = replace(COPY, states=tuple(f"S{number}" for number in range(1001)))
    with pytest.raises(ProgramError, match="1001 states are too many for Python"):
        to_python(long)


def test_every_kind_of_export_gives_text():
    assert set(EXPORTS) == {"python", "c", "javascript", "svg"}
    for write in EXPORTS.values():
        assert "copy" in write(COPY)


# the end


def test_exported_python_of_a_program_that_stops_needs_no_number_of_steps():
    module, task, rng = load(STOPS), get_task("reverse"), np.random.default_rng(0)
    assert module.HALTS
    assert not hasattr(module, "horizon")
    for batch in draw_plan(task, rng, [1, 5, 30], 8).batches(task, rng):
        after = np.array([module.run(row) for row in batch.memory.tolist()])
        assert np.array_equal(after[batch.mask], batch.target[batch.mask])


@needs_compiler
def test_exported_c_of_a_program_that_stops_needs_no_number_of_steps(tmp_path):
    binary = compiled(STOPS, tmp_path)
    assert binary([4, 5, 6, 1, 0, 0, 0]) == [4, 5, 6, 1, 1, 6, 5]
    assert binary([4, 5, 6, 1, 0, 0, 0], 3) == [4, 5, 6, 1, 0, 6, 5]


def test_a_run_without_an_end_is_cut_at_the_cap_and_says_so():
    module = load(endless_where_the_first_value_is_1())
    assert module.run([2, 3, 1, 0])[0] == 1
    with pytest.raises(RuntimeError, match=f"did not stop by itself in {10 * 4 + 3 * 5 + 50} passes"):
        module.run([2, 1, 3, 0, 0])


@needs_compiler
def test_a_run_of_exported_c_without_an_end_is_cut_and_says_so(tmp_path):
    done = compiled(endless_where_the_first_value_is_1(), tmp_path).started("2 1 3 0 0")
    assert (done.returncode, done.stderr) == (1, "no end\n")
