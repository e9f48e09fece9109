"""Which of the solved members of a training ships."""

from __future__ import annotations

from dataclasses import dataclass, replace

from analysis.commands.fresh import best_candidate
from analysis.extraction.resolve import find_program
from analysis.program.certificate import FAR, Certificate
from analysis.program.program import Program

SHORT, LONG = find_program("zoo:copy"), find_program("zoo:listk")


@dataclass(frozen=True)
class Member:
    """What is looked at of a candidate."""

    program: Program
    faults: tuple[int, float] = (0, 0.0)


def member(program: Program, far: str, faults: int = 0) -> Member:
    found = Certificate(FAR, "c", far, "d", 4, "step 9" if far == "REFUTED" else None)
    return Member(replace(program, certificates=(found,)), (faults, 0.0))


def test_of_equally_good_members_one_that_stays_its_program_is_chosen_and_then_the_shortest():
    leaving, staying, longer = member(SHORT, "REFUTED"), member(SHORT, "TESTED"), member(LONG, "TESTED")
    assert best_candidate([leaving, longer]) is longer
    assert best_candidate([leaving, longer, staying]) is staying
    assert best_candidate([member(SHORT, "TESTED", faults=1), leaving]) is leaving
