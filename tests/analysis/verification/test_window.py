"""When an output is right, in words; what else a program changes."""

import json
import re
from dataclasses import replace

import pytest

from analysis.program.block import Block, Guard, Operation
from analysis.program.program import Edge, Program, Register
from analysis.verification import check_effects, check_window
from analysis.verification.formula import ceiling_of
from analysis.verification.ladder import verify
from analysis.verification.window import Window, _cells_text, describe
from nram_env.machine import Gate, MachineConfig
from nram_env.tasks import get_task

ACCESS = get_task("access")
CODE = (Operation(Gate.READ, (0,)), Operation(Gate.READ, (1,)), Operation(Gate.WRITE, (0, 2)))
"""mem[r0] = mem[mem[r0]]: Access, where r0 is 0."""


def program(*more: Operation) -> Program:
    """Access in one step, with more instructions behind; the first of them is value 4."""
    edge = Edge(0, Guard(), Block((*CODE, *more), ()), None)
    return Program("access", (Register("r0", 0),), ("S0",), (edge,), "machine", MachineConfig(1))


SIZES = [(n, 2 * n + slack) for n in (1, 2, 3, 5, 8) for slack in (1, 4)]


def windows(first=lambda n, m: 1, last=lambda n, m: None) -> list[Window]:
    """What was seen at ten sizes, by formulas in n and M."""
    return [Window(n, m, n + 3, first(n, m), last(n, m), n + 3 + 3 * m, None) for n, m in SIZES]


FORMULAS = {
    "0": lambda n, m: 0,
    "7": lambda n, m: 7,
    "n": lambda n, m: n,
    "n + 2": lambda n, m: n + 2,
    "2n - 1": lambda n, m: 2 * n - 1,
    "3n": lambda n, m: 3 * n,
    "4n + 1": lambda n, m: 4 * n + 1,
    "M": lambda n, m: m,
    "M - n": lambda n, m: m - n,
    "M + n - 1": lambda n, m: m + n - 1,
    "2M + 3": lambda n, m: 2 * m + 3,
}


@pytest.mark.parametrize("words", FORMULAS)
def test_times_that_follow_a_formula_are_told_by_it(words):
    formula = FORMULAS[words]
    told = f"output right from T = {words} on"
    assert describe(windows(formula)) == f"{told}, and as long as it was run (T(n) + 3 M)"
    assert describe(windows(formula), must_stop=True) == f"{told}, to where it stops by itself"
    ends = describe(windows(formula, last=formula))
    assert ends == f"{told}, to T = {words} (beyond, it is destroyed)"


def test_times_that_follow_no_formula_are_told_one_by_one():
    told = "1 (n = 1, M = 3), 1 (n = 1, M = 6), 4 (n = 2, M = 5), 4 (n = 2, M = 8)"
    assert describe(windows(lambda n, m: n * n)).startswith(f"output right from T = {told} on, and")
    stops = describe(windows(lambda n, m: n * n), must_stop=True)
    assert stops == "output right where it stops by itself"


def test_a_ceiling_is_told_where_times_stay_below_it_and_leave_more_and_more_room():
    assert str(ceiling_of(SIZES, [2 * n + n // 3 for n, _ in SIZES])) == "3n - 1"
    assert ceiling_of(SIZES, [n**3 for n, _ in SIZES]) is None


def test_a_ceiling_in_n_alone_is_not_told_of_what_grows_with_m():
    """At n + 2 <= M <= 3 (n + 2), M - n lies below 2n + 17."""
    sizes = [(n, n + 2 + slack) for n in (1, 2, 4, 8, 16, 32) for slack in (0, 5, 16, 2 * n + 4)]
    values = [memory - n - (n * memory) % 2 for n, memory in sizes]
    assert str(ceiling_of(sizes, values)) in ("M - 1", "M")
    assert str(ceiling_of(sizes, [2 * n - n % 3 for n, _ in sizes])) == "2n - 1"


def test_by_chance_a_few_outputs_are_right_too_early_or_too_long():
    seen = windows(lambda n, m: 2 * n, lambda n, m: m)
    lucky = [replace(window, first=window.first - 1, last=window.last + 1) for window in seen[:2]]
    assert describe([*lucky, *seen[2:]]) == describe(seen)
    many = [replace(window, first=window.first - 1) for window in seen[:3]]
    assert describe([*many, *seen[3:]]) != describe(seen)


def test_a_program_that_writes_outside_its_output_is_shown_doing_it_at_the_memory_s_own_size():
    writes_the_last_cell = program(Operation(Gate.DEC, (0,)), Operation(Gate.WRITE, (4, 4)))
    found = check_effects(writes_the_last_cell, ACCESS, seed=0)
    example = re.search(r"cell (\d+) of mem = (\[.*\]) becomes (\d+)$", found.claim)
    memory = json.loads(example[2])
    assert int(example[1]) == int(example[3]) == len(memory) - 1 != memory[-1]
    assert (found.count, found.error_below) == (512, None)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({4}, "cell 4, which is"),
        ({0, 1, 2, 5}, "cells 0..2, 5, which are"),
        ({0, 2, 4, 6}, "cells 0, 2, 4, 6, which are"),
        ({0, 2, 4, 6, 8, 9}, "cells 0, 2, 4, others up to 9, which are"),
    ],
)
def test_many_cells_are_told_in_short(cells, words):
    assert _cells_text(cells) == words


def test_a_program_that_writes_its_output_alone_changes_nothing_else():
    found = check_effects(program(), ACCESS, seed=0)
    assert found.claim == "only output cells are changed"
    assert (found.count, found.domain, found.error_below) == (512, "512 runs", pytest.approx(3 / 512))


def test_an_output_that_is_never_right_is_called_that():
    wrong = program(Operation(Gate.INC, (2,)), Operation(Gate.WRITE, (0, 4)))
    found = check_window(wrong, ACCESS, seed=0)
    assert found.verdict == "REFUTED"
    assert "n = 1, M = 3: never right; mem = [" in found.counterexample
    edges = tuple(replace(edge, target=0) for edge in wrong.edges)
    found = check_window(replace(wrong, edges=edges), ACCESS, seed=0)
    assert "n = 1, M = 3: never right, T(n) = 4; mem = [" in found.counterexample


def test_a_program_is_checked_against_the_task_that_is_given_or_that_it_names():
    nameless = program()
    with pytest.raises(ValueError, match="program access names no task; say by which one it is judged"):
        verify(nameless)
    with pytest.raises(ValueError, match="unknown task 'nothing'"):
        verify(nameless, "nothing")
    named = verify(replace(nameless, task="access"), largest=9)
    assert [found.check for found in named] == ["stops", "random", "exhaustive", "time", "effects"]
    assert named == verify(nameless, "access", largest=9) == verify(nameless, ACCESS, largest=9)
    assert "n to 9" in named[1].domain
