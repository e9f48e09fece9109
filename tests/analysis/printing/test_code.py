"""Programs as code: how loops end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.printing.code import as_code
from analysis.printing.page import listing
from analysis.simplification.program import simplify_program
from analysis.verification import check_stops
from nram_env.tasks import get_task
from tests.analysis.programs import CASES, program_of, stopping_at_zero

REVERSE = get_task("reverse")
NEVER = program_of(CASES["reverse"])
STOPS = simplify_program(stopping_at_zero(NEVER, register=2))


def test_a_loop_that_one_of_two_branches_leaves_has_its_condition_at_the_head():
    code = as_code(STOPS, REVERSE)
    assert code.lines == (
        "r0 = mem[0]",
        "r2 = 1",
        "while r2 != 0:",
        "    mem[r0 + r0 - r2 - 1] = mem[r2]",
        "    r2 = r2 + 1",
        "mem[r0 + r0 - 1] = mem[0]",
        "stop",
    )
    assert code.runs == "48 runs to their stop"


def test_code_of_a_program_that_never_stops_repeats_until_t():
    code = as_code(simplify_program(NEVER), REVERSE)
    assert "repeat until T:" in code.lines
    assert code.runs == "48 runs of T(n) steps"


@pytest.mark.parametrize(
    ("program", "words"),
    [(STOPS, "stops by itself after step M + 1; TESTED"), (NEVER, "does not stop by itself: T(n) has to")],
)
def test_the_listing_says_first_how_a_program_ends(program, words):
    program = replace(program, task="reverse").with_certificates(check_stops(program, REVERSE, 0))
    lines = listing(program).splitlines()
    (ends,) = (number for number, line in enumerate(lines) if line.startswith("  ends"))
    assert words in lines[ends]
    assert lines[ends + 2].startswith("  correct")
