"""The ladder of checks: right programs pass, wrong ones are refuted by an input that replays."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from analysis import verify
from analysis.extraction.fidelity import compare
from analysis.extraction.names import name_registers
from analysis.machine.vm import run
from analysis.printing.code import as_code
from analysis.printing.lowering import nested_code
from analysis.printing.nested import run_nested
from analysis.program.block import Block, Constant, Guard
from analysis.program.certificate import Certificate
from analysis.program.program import Edge, Program, Register
from analysis.simplification.program import simplify_program
from analysis.verification import (
    check_effects,
    check_exhaustive,
    check_mutants,
    check_random,
    check_sizes,
    check_window,
    first_wrong,
    mutants,
    wrong_cells,
)
from analysis.verification.mutation import _edited_edges, _edited_instructions
from analysis.verification.random_inputs import shrink
from analysis.verification.window import describe, find_windows
from nram_env.machine import MachineConfig
from nram_env.tasks import get_task
from tests.analysis.planted import PlantedNetwork
from tests.analysis.programs import CASES, program_of, random_program
from tests.analysis.recovery import random_inputs


def _program(name: str) -> Program:
    return name_registers(simplify_program(program_of(CASES[name])))


def _with_constant(program: Program, edge: int, old: int, new: int) -> Program:
    block = program.edges[edge].block
    code = tuple(Constant(new) if i == Constant(old) else i for i in block.instructions)
    edges = list(program.edges)
    edges[edge] = replace(edges[edge], block=replace(block, instructions=code))
    return replace(program, edges=tuple(edges))


def test_the_paper_s_reverse_is_right_at_every_size_up_to_500():
    checks = check_sizes(_program("reverse"), get_task("reverse"), [1, 20, 500], 100, seed=0)
    assert [(c["n"], c["memory_sizes"][0], c["exact_error"]) for c in checks] == [
        (1, 3, 0),
        (20, 41, 0),
        (500, 1001, 0),
    ]
    assert 2_000 < checks[-1]["memory_sizes"][1] <= 3_003
    assert {c["mode"] for c in checks} == {"program"}


def test_exhaustive_checking_counts_every_instance_of_a_size():
    found = check_exhaustive(_program("reverse"), get_task("reverse"), limit=200)
    assert found.verdict == "EXHAUSTIVE"
    # M^n values for n = 1 (M = 3 to 7) and n = 2 (M = 5 to 7), in the order in which M grows; then n = 1 to
    # slack 12, and n = 2 as far as there are no more than 200 again
    by_memory_size = 3 + 4 + (5 + 25) + (6 + 36) + (7 + 49)
    assert found.count == by_memory_size + sum(range(8, 16)) + 64
    assert str(found).startswith("EXHAUSTIVE to n = 1: M <= 15, n = 2: M <= 8 (")


def test_a_wrong_program_is_refuted_by_a_small_input_that_replays():
    wrong = _with_constant(_program("reverse"), 1, -1, 1)
    for found in (
        check_random(wrong, get_task("reverse"), 32, 500, seed=0),
        check_exhaustive(wrong, get_task("reverse")),
    ):
        assert found.verdict == "REFUTED"
        text = re.search(r"mem = (\[.*?\]), T = (\d+): cell (\d+) holds (\d+)", found.counterexample)
        memory, horizon, cell, got = json.loads(text[1]), int(text[2]), int(text[3]), int(text[4])
        assert len(memory) <= 5
        assert run(wrong, memory, horizon).memory[cell] == got != get_task("reverse").oracle(memory)[cell]


def test_a_hard_wired_destination_passes_at_its_own_size_and_is_refuted_at_others():
    reverse, task = _program("reverse"), get_task("reverse")
    load, loop = reverse.edges
    wired = Block((Constant(4), Constant(1)), ((0, 2), (1, 3)))
    program = replace(reverse, edges=(replace(load, block=wired), loop))
    assert check_sizes(program, task, [3], 100, seed=0)[0]["exact_error"] == 0
    assert check_sizes(program, task, [4], 100, seed=0)[0]["exact_error"] > 0.9
    assert check_random(program, task, 16, 200, seed=0).verdict == "REFUTED"


@pytest.mark.parametrize(
    ("name", "claim"),
    [
        ("copy", "output right from T = 2n on, and as long as it was run (T(n) + 3 M)"),
        ("increment", "output right from T = n on, to T = M (beyond, it is destroyed)"),
        ("reverse", "output right from T = n + 1 on, and as long as it was run (T(n) + 3 M)"),
        ("access", "output right from T = 2 on, and as long as it was run (T(n) + 3 M)"),
    ],
)
def test_the_time_window_of_the_paper_s_programs_is_found(name, claim):
    assert describe(find_windows(_program(name), get_task(name), seed=0)) == claim


def test_the_window_of_the_paper_s_copy_and_increment_does_not_hold_our_horizon():
    """They need 2n steps, or end after M; T(n) is n + 3, and n + 2 where M may be n + 1."""
    for name, words in (
        ("copy", r"n = 4, M = 9: right from T = 8 to 34 alone, T\(n\) = 7; mem"),
        ("increment", ""),
    ):
        found = check_window(_program(name), get_task(name), seed=0)
        assert found.verdict == "REFUTED"
        assert re.search(words, found.counterexample)
    for name in ("reverse", "access"):
        found = check_window(_program(name), get_task(name), seed=0)
        assert found.verdict == "TESTED"
        assert found.error_below == pytest.approx(3 / found.count)


def test_a_program_that_changes_other_cells_says_which_and_is_not_refuted():
    found = check_effects(_program("swap"), get_task("swap"), seed=0)
    assert found.verdict == "TESTED"
    words = "also changes cells 0..1, 4..20, which are not output (allowed by the task), in "
    assert re.fullmatch(re.escape(words) + r"\d+ of them: cell \d+ of mem = \[.*\] becomes \d+", found.claim)
    found = check_effects(_program("access"), get_task("access"), seed=0)
    assert (found.verdict, found.claim) == ("TESTED", "only output cells are changed")


def test_every_single_edit_of_increment_is_refuted():
    """Judged after n + 2 steps where M is 12: the paper's Increment is right for n <= T <= M."""
    program = _program("increment")
    batch = get_task("increment").sample(np.random.default_rng(0), 3, 12, 64)

    def judged(mutant: Program) -> Certificate:
        wrong = wrong_cells(mutant, batch, np.full(64, 5)).any()
        return Certificate("random", "right", "REFUTED" if wrong else "TESTED", "64 instances", 64)

    assert judged(program).verdict == "TESTED"
    certificate, survivors = check_mutants(program, judged)
    assert survivors == ()
    assert certificate.verdict == "TESTED"
    assert certificate.count == len(list(mutants(program))) > 25


def test_the_edits_of_a_guard_change_one_of_its_cubes_and_keep_the_others():
    cubes = ((0b01, 0b01), (0b11, 0b10))
    edge = Edge(0, Guard(cubes), Block((), ()), 0)
    registers = (Register("r0", 0), Register("r1", 1))
    program = Program("guarded", registers, ("S0",), (edge,), "machine", MachineConfig(2))
    edited = [edit.guard.cubes for what, edit in _edited_edges(program, edge) if what.startswith("guard")]
    assert edited == [
        ((0b01, 0b00), cubes[1]),
        ((0b11, 0b01), cubes[1]),
        (cubes[0], (0b11, 0b11)),
        (cubes[0], (0b11, 0b00)),
    ]


def test_the_edits_of_a_constant_are_its_neighbours():
    edits = [edit for _, edit in _edited_instructions(Constant(5), 2)]
    assert edits == [Constant(4), Constant(6)]


def test_a_large_counterexample_is_made_small():
    wrong, task = _with_constant(_program("reverse"), 1, -1, 1), get_task("reverse")
    batch = task.sample(np.random.default_rng(0), 20, 41, 8)
    large = first_wrong(wrong, task, batch)
    small = shrink(wrong, task, large, np.random.default_rng(0))
    assert len(large.memory) == 41
    assert len(small.memory) <= 5
    assert small.shrunk


def test_fidelity_shows_the_first_step_that_differs():
    planted = program_of(CASES["increment"])
    wrong = _with_constant(simplify_program(planted), 0, 1, 2)
    found = compare(wrong, PlantedNetwork(planted), random_inputs(0))
    assert found.first.time == 1
    assert found.mismatches == found.runs
    assert str(found.certificate()).startswith("REFUTED by 160 of 160 runs")


def test_fidelity_reports_unseen_situations():
    planted = program_of(CASES["reverse"])
    simple = simplify_program(planted)
    partial = replace(simple, edges=simple.edges[:1])
    found = compare(partial, PlantedNetwork(planted), random_inputs(0))
    assert found.unseen == found.mismatches == found.runs
    assert found.first.time == 2


def test_fidelity_refuses_a_program_of_another_machine():
    with pytest.raises(ValueError, match="the program is of a machine with 4 registers"):
        compare(_program("copy"), PlantedNetwork(program_of(CASES["access"])), [])


def test_structured_code_takes_the_same_steps_as_the_machine():
    rng = np.random.default_rng(0)
    structured = 0
    for _ in range(200):
        program = simplify_program(random_program(MachineConfig(3), int(rng.integers(1, 4)), rng))
        code = nested_code(program)
        if code is None:
            continue
        structured += 1
        for _ in range(5):
            memory = rng.integers(6, size=6).tolist()
            result = run(program, memory, 15)
            assert (result.memory, result.steps) == run_nested(code, program.num_registers, memory, 15)
    assert structured > 50


def test_the_paper_s_copy_as_code():
    code = as_code(_program("copy"), get_task("copy"))
    assert code.lines == (
        "p = mem[0] - 1",
        "prev = 0",
        "i = 1",
        "repeat until T:",
        "    mem[p + i] = mem[i]",
        "    prev, i = i, min(p, prev + 1)",
    )


@pytest.mark.parametrize("largest", [0, -3, True, 2.5, "x"])
def test_a_largest_size_that_is_none_is_refused(largest):
    with pytest.raises(ValueError, match="largest must be an integer of at least 1, got"):
        verify(_program("swap"), "swap", largest=largest)
