"""Exported sources mean what the program means, in Python and in C, and say clearly what they refuse."""

import ast
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn.functional import one_hot

from analysis import source
from analysis.batch import run_batch
from analysis.block import Block, Constant, Guard, Operation, ProgramError
from analysis.circuits import CircuitMachine, circuit_block
from analysis.export import EXPORTS, to_c, to_python
from analysis.names import name_registers
from analysis.program import Edge, Program, Register
from analysis.reduce import simplify_program
from analysis.vm import run, steps
from nram_env.machine import PAPER_GATES, Gate, MachineConfig, MachineState, hard_step, step
from nram_env.tasks import get_task
from tests.analysis.exported import (
    COMPILER,
    compiled,
    dump_block,
    dumping_after,
    load,
    refresh_block,
)
from tests.analysis.programs import CASES, program_of, random_choices, random_program

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler here")


def simplified(case):
    return name_registers(simplify_program(program_of(case)))


def wide_program():
    """Long names, wide guards and deep terms: whatever makes lines long."""
    rng, machine = np.random.default_rng(6), MachineConfig(12, PAPER_GATES * 3)
    program = random_program(machine, 4, rng)
    odd = rng.choice(range(1, 4096, 2), 30, replace=False).tolist()
    cubes = (tuple((4095, pattern) for pattern in {4095, *odd}), ((1, 0),))
    edges = program.edges_of_state[0]
    first = [replace(edge, guard=Guard(chosen)) for edge, chosen in zip(edges, cubes, strict=True)]
    others = [edge for edge in program.edges if edge.source]
    names = tuple(Register(f"counter{register}"[-8:], register) for register in range(12))
    return replace(program, registers=names, edges=(*first, *others))


# the same as the program


@every_case
def test_exported_python_reproduces_every_row_of_the_paper_s_tables(case):
    program, memory = program_of(case), case.rows[0]["memory"]
    module = load(program)
    for time, row in enumerate(case.rows):
        assert module.run(memory, time) == row["memory"], row
        dumped = load(dumping_after(program, time, len(memory))).run(memory)
        assert dumped[: len(row["registers"])] == row["registers"], row


@needs_compiler
@every_case
def test_exported_c_reproduces_every_row_of_the_paper_s_tables(case, tmp_path):
    program, memory = program_of(case), case.rows[0]["memory"]
    binary = compiled(program, tmp_path)
    for time, row in enumerate(case.rows):
        assert binary(memory, time) == row["memory"], row
    last = len(case.rows) - 1
    dumped = compiled(dumping_after(program, last, len(memory)), tmp_path)(memory)
    assert dumped[: len(case.rows[last]["registers"])] == case.rows[last]["registers"]


def chain(machine, size, choices, rng):
    """Circuits one after another; after each its registers are stored, and the state is made random again."""
    dump, states = dump_block(machine.num_registers, size), 3 * len(choices)
    blocks = [refresh_block(machine.num_registers, size, rng)]
    for chosen in choices:
        blocks += [circuit_block(machine, chosen), dump, refresh_block(machine.num_registers, size, rng)]
    edges = tuple(Edge(state, Guard(), block, state + 1) for state, block in enumerate(blocks[:-1]))
    names = tuple(f"S{state}" for state in range(states + 1))
    registers = tuple(Register(f"r{r}", r) for r in range(machine.num_registers))
    return Program("chain", registers, names, edges, "unrolled", machine, min_size=min(size, 2))


def soft_step(machine, registers, memory, choices):
    """The differentiable machine on certainties; returns its distributions as they are."""
    size = memory.shape[1]
    state = MachineState(
        *(one_hot(torch.from_numpy(values), size).double() for values in (registers, memory)),
        torch.ones(len(memory), dtype=torch.float64),
    )
    return step(machine, state, torch.from_numpy(machine.layout.one_hot(choices)))


@pytest.fixture
def without_hash(monkeypatch):
    """The hash is slow to compute for long programs, and only printed."""
    monkeypatch.setattr(source, "canonical_hash", lambda program: "left out")


CHAIN = 10


def test_10_000_random_circuits_mean_the_same_in_every_machine_and_in_exported_python(without_hash):
    rng = np.random.default_rng(0)
    for index in range(1000):
        gates = PAPER_GATES * int(rng.integers(1, 3))
        machine, size = MachineConfig(int(rng.integers(1, 6)), gates), 1 + index % 8
        choices = np.array([random_choices(machine, rng) for _ in range(CHAIN)])
        program = chain(machine, size, choices, rng)
        initial = rng.integers(size, size=size).tolist()
        trail = run_by_reference(program, initial)
        exported = load(program).run
        for time, (_, _, memory) in enumerate(trail, start=1):
            assert exported(initial, time) == memory
        if index % 5 == 0:  # slow; the batched form of every circuit comes below
            check_batched_program(program, initial, trail)
        before = np.array([trail[3 * k + 1][0] for k in range(CHAIN)])
        memory = np.array([trail[3 * k][2] for k in range(CHAIN)])
        after = [list(trail[3 * k + 1][1]) for k in range(CHAIN)]
        stored = [trail[3 * k + 1][2] for k in range(CHAIN)]
        check_single_steps(machine, choices, before, memory, after, stored)


def run_by_reference(program, initial):
    """Registers before, registers after, and memory after every timestep."""
    cells = list(initial)
    return [(moment.registers, moment.after, list(cells)) for moment in steps(program, cells, 3 * CHAIN)]


def check_batched_program(program, initial, trail):
    batch = run_batch(program, np.array([initial] * len(trail)), np.arange(1, len(trail) + 1))
    assert batch.memory.tolist() == [memory for _, _, memory in trail]
    assert batch.registers.tolist() == [list(after) for _, after, _ in trail]


def check_single_steps(machine, choices, before, memory, after, stored):
    hard = hard_step(machine, before, memory, choices)
    assert (hard[0].tolist(), hard[1].tolist()) == (after, stored)
    raw = CircuitMachine(machine, memory)
    raw.registers = before.copy()
    raw.advance(choices, np.ones(len(choices), dtype=bool))
    assert (raw.registers.tolist(), raw.memory.tolist()) == (after, stored)
    if memory.shape[1] > 1:  # the soft machine has no smaller memory
        soft = soft_step(machine, before, memory, choices)
        for exact, found in ((after, soft.registers), (stored, soft.memory)):
            assert np.abs(np.eye(memory.shape[1])[exact] - found.numpy()).max() < 1e-12


def test_random_programs_run_alike_in_the_integer_machine_and_in_exported_python():
    rng = np.random.default_rng(1)
    for _ in range(40):
        program = random_program(MachineConfig(int(rng.integers(1, 5))), int(rng.integers(1, 6)), rng)
        program = simplify_program(program) if rng.random() < 0.5 else program
        module = load(program)
        assert program.can_halt == module.HALTS
        for _ in range(10):
            size = int(rng.integers(max(2, module.SMALLEST_SIZE), 12))
            memory = rng.integers(size, size=size).tolist()
            for limit in (0, 1, 7, 50):
                assert tuple(module.run(memory, limit)) == run(program, memory, limit).memory


@needs_compiler
def test_random_programs_run_alike_in_the_integer_machine_and_in_exported_c(tmp_path):
    rng = np.random.default_rng(2)
    for program in (random_program(MachineConfig(3), 4, rng), random_program(MachineConfig(2), 2, rng)):
        binary = compiled(program, tmp_path)
        for limit in (1, 2, 5, 40):
            size = int(rng.integers(2, 12))
            memory = rng.integers(size, size=size).tolist()
            assert tuple(binary(memory, limit)) == run(program, memory, limit).memory


def test_lines_that_would_get_too_long_are_split_without_changing_the_meaning():
    program = wide_program()
    assert max(map(len, to_python(program).split("\n"))) <= source.WIDTH
    module, rng = load(program), np.random.default_rng(4)
    outcomes = set()
    for _ in range(300):
        memory = rng.integers(14, size=14).tolist()
        expected = run(program, memory, 6)
        outcomes.add(expected.outcome)
        if expected.outcome == "unseen":
            with pytest.raises(RuntimeError, match=f"timestep {expected.steps + 1}: unseen in state"):
                module.run(memory, 6)
        else:
            assert tuple(module.run(memory, 6)) == expected.memory
    assert {"unseen", "horizon"} <= outcomes


def test_both_exports_take_constants_modulo_m_and_keep_the_order_of_the_memory():
    block = Block(
        (
            Constant(-3),
            Constant(12),
            Operation(Gate.READ, (0,)),
            Operation(Gate.WRITE, (0, 1)),
            Operation(Gate.READ, (0,)),
            Operation(Gate.SUB, (3, 5)),
        ),
        ((0, 6),),
    )
    edges = (Edge(0, Guard(), block, 1), Edge(1, Guard(), dump_block(1, 5), None))
    program = Program("odd", (Register("a", 0),), ("S0", "S1"), edges, "machine", MachineConfig(1))
    for size in (5, 7, 20):
        memory = [4] + [0] * (size - 1)
        assert tuple(load(program).run(memory)) == run(program, memory, 2).memory


# what the source looks like


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A folder of exported Python files: the paper's, raw and simplified, random ones, and a wide one."""
    folder, rng = tmp_path_factory.mktemp("exported"), np.random.default_rng(5)
    programs = [make(case) for case in CASES.values() for make in (program_of, simplified)]
    programs += [random_program(MachineConfig(int(rng.integers(1, 9))), 3, rng) for _ in range(8)]
    programs += [wide_program(), replace(simplified(CASES["copy"]), task="copy", origin={"note": '"""\\ */'})]
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
        assert sum(isinstance(node, ast.While) for node in nodes) == 1
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


def test_a_horizon_that_is_no_straight_line_cannot_be_exported(monkeypatch):
    monkeypatch.setattr(type(get_task("copy")), "horizon", lambda self, n: n * n)
    with pytest.raises(ProgramError, match="not of the form a n \\+ b"):
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


@needs_compiler
def test_exported_c_refuses_bad_input_with_one_clear_error(tmp_path):
    binary = compiled(COPY, tmp_path)
    for text, arguments, problem in (
        ("3 1 5 0 0", ["4"], "cell 2 holds a value that is not in 0..M-1"),
        ("3 x 5 0 0", ["4"], "x is not an integer"),
        ("3 99999999999999999999999 5 0 0", ["4"], "99999999999999999999999 is not an integer"),
        ("3", ["4"], "too few cells"),
        ("3 1 2 0 0", [], "does not stop by itself"),
        ("3 1 2 0 0", ["-4"], "a number of timesteps"),
        ("3 1 2 0 0", ["4", "4"], "at most one argument"),
    ):
        done = binary.started(text, *arguments)
        assert (done.returncode, done.stdout) == (2, ""), text
        assert problem in done.stderr


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
    edge = Edge(0, Guard(), Block((Constant(2**40),), ((0, 1),)), 0)
    program = Program("big", (Register("a", 0),), ("S0",), (edge,), "machine", MachineConfig(1))
    with pytest.raises(ProgramError, match="1099511627776 does not fit into exported C"):
        to_c(program)
    long = replace(program, states=tuple(f"S{number}" for number in range(1001)))
    with pytest.raises(ProgramError, match="1001 states are too many for Python"):
        to_python(long)


def test_every_kind_of_export_gives_text():
    assert set(EXPORTS) == {"python", "c", "svg"}
    for write in EXPORTS.values():
        assert "copy" in write(COPY)
