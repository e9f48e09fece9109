"""Is a program proved and wrong? Every single edit of six programs is put to tests and to the prover.

    python benchmarks/prove_mutants.py [PROGRAM ...] [--every 1] [--seconds 20] [--out mutants.jsonl]

Each mutant is run on all small instances and on random ones. Then it is proved in two ways: by what the proof
of the original was found with (same claim, same knobs, facts guessed anew), where the tests' verdict is never
looked at; and by `nram prove` in full, in so many seconds. None may be both proved and refuted by a test: the
exit code is 1 if one is. What is REFUTED has an instance, which is replayed here. Lines that are in the file
already are not made again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from analysis import find_program
from analysis.machine.vm import run
from analysis.program.certificate import Counterexample
from analysis.program.program import Program
from analysis.proofs.attempt import attempt
from analysis.proofs.houdini import OutOfReachError, OutOfTimeError
from analysis.proofs.proof import Proof
from analysis.proofs.prover import prove
from analysis.proofs.runs import instances, record
from analysis.verification.exhaustive import check_exhaustive
from analysis.verification.mutation import Mutant, mutants
from analysis.verification.random_inputs import check_random
from nram_env.tasks import Task, get_task

PROGRAMS = ("access", "increment", "copy-feedforward", "reverse-feedforward", "listk", "walkbst")
"""Of the zoo; two of them walk lists or trees."""

SMALL_INSTANCES = 6000


@dataclass(frozen=True)
class Judged:
    """What came of a mutant.

    Attributes:
        program: What it was made from.
        edit: The edit, in words.
        refuted: The instance by which tests refute it, in words; None if they do not.
        as_original: Whether the original's claim follows by the knobs that it was proved with.
        verdict: What the prover says of it.
        counterexample: Its counterexample, in words.
        seconds: How long the prover took, both ways together.
    """

    program: str
    edit: str
    refuted: str | None
    as_original: bool
    verdict: str
    counterexample: str | None
    seconds: float

    @property
    def is_hole(self) -> bool:
        """Whether it is both proved and wrong."""
        return self.refuted is not None and self.is_proved

    @property
    def is_proved(self) -> bool:
        """Whether it is proved in one way or the other."""
        return self.as_original or self.verdict == "PROVED"


def judge(name: str, mutant: Mutant, task: Task, original: Proof, seconds: float) -> Judged:
    """Test a mutant and try to prove it."""
    refuted = tested(mutant.program, task)
    begun = time.monotonic()
    same = proved_as(original, mutant.program, task, seconds)
    found = prove(mutant.program, task, minutes=seconds / 60)
    if found.counterexample is not None:
        replay(mutant.program, task, found.counterexample)
    wrong = None if found.counterexample is None else str(found.counterexample)
    return Judged(name, mutant.edit, refuted, same, found.verdict, wrong, round(time.monotonic() - begun, 1))


def tested(program: Program, task: Task) -> str | None:
    """The instance that refutes a program among all small ones and some random ones, in words."""
    for found in (check_exhaustive(program, task, SMALL_INSTANCES), check_random(program, task, 64, 256, 0)):
        if found.verdict == "REFUTED":
            return found.counterexample
    return None


def proved_as(original: Proof, program: Program, task: Task, seconds: float) -> bool:
    """Whether another program is proved in the way in which one was; no test keeps the prover from it."""
    memories = instances(task, seed=0)
    horizon = [task.horizon(task.difficulty_of(memory)) + 3 * len(memory) for memory in memories]
    runs = record(program, original.setting.spec, memories, np.array(horizon))
    setting = replace(original.setting, program=program)
    try:
        return attempt(setting, [original.claim], runs, time.monotonic() + seconds).proved
    except (OutOfReachError, OutOfTimeError):
        return False


def replay(program: Program, task: Task, found: Counterexample) -> None:
    """Run a counterexample once more, by the machine and the oracle alone; fail if it is none."""
    task.check_memory(found.memory)
    after = run(program, found.memory, found.horizon)
    wanted = task.oracle(found.memory)
    wrong = any(after.memory[cell] != value for cell, value in wanted.items())
    assert wrong or after.outcome == "unseen" or (found.must_stop and after.outcome == "horizon")


HEADINGS = (
    "program", "mutants", "refuted by tests", "REFUTED", "UNKNOWN", "proved and wrong",
    "not refuted", "PROVED", "REFUTED", "UNKNOWN", "s",
)  # fmt: skip
"""The verdicts of those that tests refute, then of the others."""


def summary(rows: list[Judged]) -> str:
    """Counts by program, as a table in Markdown."""
    lines = [HEADINGS, ["---", *["---:"] * (len(HEADINGS) - 1)]]
    for name in dict.fromkeys(row.program for row in rows):
        mine = [row for row in rows if row.program == name]
        wrong = Counter(row.verdict for row in mine if row.refuted is not None)
        other = Counter("PROVED" if row.is_proved else row.verdict for row in mine if row.refuted is None)
        of_wrong = (wrong.total(), wrong["REFUTED"], wrong["UNKNOWN"], sum(row.is_hole for row in mine))
        of_others = (other.total(), other["PROVED"], other["REFUTED"], other["UNKNOWN"])
        lines.append([name, len(mine), *of_wrong, *of_others, round(sum(row.seconds for row in mine))])
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def judged_before(file: Path) -> list[Judged]:
    """Rows of an earlier call."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [Judged(**json.loads(line)) for line in lines]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("programs", nargs="*", default=PROGRAMS)
    parser.add_argument("--every", type=int, default=1, help="try one mutant in so many")
    parser.add_argument("--seconds", type=float, default=20.0, help="of the prover, each way")
    parser.add_argument("--out", type=Path, default=Path("mutants.jsonl"))
    arguments = parser.parse_args()
    rows = judged_before(arguments.out)
    done = {(row.program, row.edit) for row in rows}
    for name in arguments.programs:
        program = find_program(f"zoo:{name}")
        task = get_task(str(program.task))
        original = prove(program, task).proof
        if original is None:
            print(f"{name}: the original is not proved, so its mutants are left out")
            continue
        for mutant in islice(mutants(program), 0, None, arguments.every):
            if (name, mutant.edit) in done:
                continue
            rows.append(judge(name, mutant, task, original, arguments.seconds))
            with arguments.out.open("a", encoding="utf-8") as file:
                print(json.dumps(asdict(rows[-1])), file=file)
            print(f"{name}, {mutant.edit}: {rows[-1].verdict}", flush=True)
    print(summary(rows))
    holes = [row for row in rows if row.is_hole]
    for row in holes:
        print(f"PROVED AND WRONG: {row.program}, {row.edit}: {row.refuted}")
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
