"""A program that stops by itself is run without a horizon and judged where it stops."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from analysis import find_program
from analysis.machine.vm import run
from analysis.simplification.program import simplify_program
from analysis.verification import (
    check_exhaustive,
    check_random,
    check_sizes,
    check_stops,
    check_window,
    stops_by_itself,
    wrong_cells,
)
from analysis.verification.formula import equation_of
from analysis.verification.ladder import verify
from analysis.verification.stopping import limits
from analysis.verification.sweep import sweep
from nram_env.tasks import get_task
from tests.analysis.programs import CASES, endless_where_the_first_value_is_1, program_of, stopping_at_zero

ACCESS, REVERSE = get_task("access"), get_task("reverse")
NEVER = simplify_program(program_of(CASES["reverse"]))
"""The paper's Reverse: p = mem[0]; i = 1; repeat mem[2p - i - 1] = mem[i]; i = i + 1."""

COUNTER = next(r for r, register in enumerate(NEVER.registers) if register.source == 2)

WHOLE = stopping_at_zero(NEVER, COUNTER)
"""Stops when i has come round: after M + 1 steps, many times T(n) where M is large."""


def test_most_runs_decide_whether_a_program_stops_by_itself():
    assert stops_by_itself(WHOLE, REVERSE)
    assert not stops_by_itself(NEVER, REVERSE)


def test_a_program_that_stops_is_judged_there_however_late_that_is():
    batch = REVERSE.sample(np.random.default_rng(0), 3, 90, 8)
    caps = limits(REVERSE, batch, must_stop=True)
    assert (caps > 91).all()
    assert (limits(REVERSE, batch, must_stop=False) == 7).all()
    assert not wrong_cells(WHOLE, batch, caps, must_stop=True).any()
    assert np.array_equal(wrong_cells(WHOLE, batch, np.full(8, 90), must_stop=True), batch.mask)
    found = {certificate.check: certificate for certificate in verify(WHOLE, REVERSE, largest=20)}
    assert found["stops"].claim == "stops by itself after step M + 1"
    assert {certificate.verdict for certificate in found.values()} == {"TESTED", "EXHAUSTIVE"}
    assert (
        found["random"].claim == found["exhaustive"].claim == "output right where the program stops by itself"
    )
    assert all(record["exact_error"] == 0 for record in check_sizes(WHOLE, REVERSE, [1, 9], 48, seed=0))


def test_a_program_that_never_stops_says_that_t_has_to_come_from_outside_and_is_not_refuted():
    found = check_stops(NEVER, REVERSE, seed=0)
    assert (found.verdict, found.claim) == (
        "TESTED",
        "does not stop by itself: T(n) has to come from outside",
    )
    assert check_random(NEVER, REVERSE, 8, 200, seed=0).claim.startswith("output right after T(n) steps")


@pytest.mark.parametrize("check", [check_random, check_exhaustive, check_window, check_stops])
def test_a_run_without_an_end_is_wrong_where_most_others_stop(check):
    endless = endless_where_the_first_value_is_1()
    arguments = {check_random: (8, 2_000, 0), check_exhaustive: (2_000,)}.get(check, (0,))
    found = check(endless, ACCESS, *arguments)
    assert found.verdict == "REFUTED"
    shown = re.search(r"mem = (\[.*?\]): does not stop by itself in (\d+) steps", found.counterexample)
    memory, cap = json.loads(shown[1]), int(shown[2])
    assert run(endless, memory, 10 * cap).outcome == "horizon"


def test_the_sweep_says_where_it_judged():
    for program, stops in ((WHOLE, True), (NEVER, False)):
        found = sweep(program, REVERSE, [1, 3], 8)
        assert (found["stops"], found["wrong"]) == (stops, 0)


def test_an_edit_that_keeps_a_program_from_stopping_is_wrong_for_one_that_has_to():
    endless = replace(WHOLE, edges=(*WHOLE.edges[:-1], replace(WHOLE.edges[-1], target=1)))
    assert check_random(endless, REVERSE, 8, 64, seed=0).verdict == "TESTED"
    found = check_random(endless, REVERSE, 8, 64, seed=0, must_stop=True)
    assert found.counterexample.endswith("steps")
    assert "does not stop by itself" in found.counterexample


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (lambda n, m, k: 0 * n + 6, "6"),
        (lambda n, m, k: n + 2, "n + 2"),
        (lambda n, m, k: 2 * k + 3, "2k + 3"),
        (lambda n, m, k: m - n + 1, "M - n + 1"),
        (lambda n, m, k: n + k, "n + k"),
        (lambda n, m, k: n * n, None),
    ],
)
def test_steps_are_told_by_the_equation_that_holds_for_every_run(values, words):
    rng = np.random.default_rng(0)
    n, k = rng.integers(1, 30, (2, 200))
    memory_size = 2 * n + rng.integers(0, 17, 200)
    found = equation_of({"n": n, "k": k, "M": memory_size}, values(n, memory_size, k))
    assert (None if found is None else str(found)) == words


def test_steps_may_follow_what_the_task_itself_names_in_a_memory():
    found = check_stops(find_program("zoo:listsearch"), get_task("listsearch"), seed=0)
    assert found.claim == "stops by itself after step 2s + 3, as nram tasks listsearch names it"
