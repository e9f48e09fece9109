"""What a portfolio learned on tasks that have no recipe: reads the trials of a study, writes a page.

    nram search docs/beyond.toml --local 2 --run runs/beyond
    python benchmarks/beyond.py runs/beyond [--settings N] [--quick] [--rows FILE] [--page FILE]

A row says which generic settings it is of: those that hold now, `SETTINGS`, or those that are named.
Of a program it notes how many timesteps it takes, shortens it, counts its lines, and looks for a proof of it
and, where there is none, of the short one. Of a trial without a program it notes what the best member does
wrong. What is in the rows already is not looked at again, unless that was --quick, without short forms and
proofs.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

from agents.checkpoint import Agent, load_agent
from agents.hard import hard_failures
from analysis.extraction.resolve import PROGRAM_FILE
from analysis.printing.code import short_code
from analysis.program.file import load_program
from analysis.program.program import Program
from analysis.proofs.prover import prove
from analysis.rewriting.search import shorten
from analysis.studies.progress import Standing, standings
from analysis.studies.statistics import wilson
from analysis.studies.table import Table, trial_folder
from analysis.verification.steps import stops_after
from nram_env.support import write_atomically
from nram_env.tasks import Task, caps, draw_plan, get_task

SETTINGS = 5
"""The generic settings of 2026-11-27 are number 1, those of 2026-11-28 numbers 2 to 5 (`agents.generic`)."""

EXAMPLES = 200
"""Instances of each size on which a member without a program is run."""

PROOF_MINUTES = 0.5
"""How long to look for each proof."""

PROOFS = ("PROVED", "short", "UNKNOWN", "not tried")
"""What is known of a program, the best first."""

HEAD = """# Beyond the ten

What `nram train TASK` learns on tasks for which there is no recipe: the portfolio of generic settings,
{minutes:g} minutes of one core a trial, seeds from 0. *Solved* is a program that stops by itself and passes
every check. {summary}

## By the settings last tried

Shares have Wilson's interval, 95 %; seconds are those of training until solved, seed by seed, the reading
and checking of programs included; islands are those that were first. Steps are those of the programs as
learned until they stop. Lines are those of the shortest program once shortened, and proofs hold for every
legal memory of every size, both of trials with any settings: "short" where that of the short program was
found and not that of the other; UNKNOWN is no proof of either, each within {proof:g} minutes; where it is
not tried, neither is shortening.

| task | settings | solved | share | seconds | islands | lines | steps | proofs |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""

HISTORY = """
## By all settings

Solved, of so many tried, and the median of the seconds of those solved. What settings are is in
`agents.generic`; those of before are in the learning log. A dash: not tried.

"""

CLOSING = """
## What was known when settings were fixed

- Settings 1, 2026-11-27, were chosen with x-max, x-sum, x-last, x-length, x-shiftleft, x-find and
  x-prefixsums; x-shiftright, x-differences and x-contains were written only after that.
- Settings 2, 2026-11-28, add sharp tests, and that smaller examples count. They had been tried on x-max,
  x-sum, x-find, x-prefixsums, x-min, x-count, x-replace, x-contains, x-differences, x-rotate,
  x-removezeros, x-insert and x-listlength; x-clip, x-double and x-findlast were written after. The examples
  of x-contains changed as well: v had occurred too often.
- Settings 3, the same day, add sharp registers, levels that rise at an error of 0.3, half the examples an
  update, and an island of settings 2. All tasks but x-prefixmax, x-binarysearch, x-listreverse,
  x-shiftright, x-clip and x-findlast had been tried, for a minute or two each; x-addto, x-pairmax and
  x-listlast were written after, and first run once the islands' turns had been changed, for x-insert, so
  that levels no longer count.
- Settings 4, the same day, add noise of registers on the largest sizes. They had been tried on x-max,
  x-sum, x-find, x-prefixsums, x-findlast, x-contains, x-insert, x-differences, x-count, x-replace and
  x-rotate.
- Settings 5, the same day, let M exceed the smallest legal size by 0 to 8 cells instead of 0 to 2 on the
  second island, for x-double. The first island is that of settings 4.

Made by `benchmarks/beyond.py` from the study docs/beyond.toml; a row a trial in beyond.jsonl.
"""


@dataclass(frozen=True)
class Row:
    """A trial, and what is known of what it left.

    Attributes:
        task: Its task.
        seed: Its seed.
        solved: Whether it has a program.
        seconds: Of training.
        island: Which island was the best, from 1.
        attempts: Populations that it begun.
        settings: Which generic settings it had.
        lines: Of the program once shortened; None where it could not be, or where there is none.
        steps: After how many timesteps it stops, in words.
        proof: "PROVED", "short" or "UNKNOWN"; None without a program.
        fault: What the best member does wrong, where there is no program.
    """

    task: str
    seed: int
    solved: bool
    seconds: float
    island: int
    attempts: int
    settings: int = 1
    lines: int | None = None
    steps: str | None = None
    proof: str | None = None
    fault: str | None = None


def row_of(study: Path, key: str, standing: Standing, settings: int, quick: bool) -> Row:
    """Look at what a finished trial left."""
    result, folder, config = standing.result, trial_folder(study, key), standing.trial.config
    assert result is not None, "finished"
    came = (result.success, result.seconds, result.island, result.attempts)
    known = (config.task, config.seed, *came, settings)
    if not result.success:
        return Row(*known, fault=fault_of(load_agent(folder)))
    task, program = get_task(config.task), load_program(folder / PROGRAM_FILE)
    if quick:
        return Row(*known, steps=stops_after(program))
    short = shortened(program, task)
    lines = 0 if short is None else len(short_code(short))
    return Row(
        *known,
        lines or None,
        stops_after(program),
        proof_of(program, short, task),
    )


def shortened(program: Program, task: Task) -> Program | None:
    """The program, shortened; None where that is refused."""
    try:
        return shorten(program, task)
    except ValueError as error:
        print(f"  not shortened: {error}")
        return None


def proof_of(program: Program, short: Program | None, task: Task) -> str:
    """How far it is proved."""
    if prove(program, task, minutes=PROOF_MINUTES).verdict == "PROVED":
        return "PROVED"
    if short is not None and prove(short, task, minutes=PROOF_MINUTES).verdict == "PROVED":
        return "short"
    return "UNKNOWN"


def fault_of(agent: Agent) -> str:
    """What a member does wrong, hardened and with all the time that it wants: from which n, and how."""
    task, top = get_task(agent.task), agent.trained_to
    sizes = list(range(task.smallest_difficulty, top + 1))
    found = dict(_failures(agent, task, sizes))
    wrong = [n for n in sizes if found[n][0]]
    level = f"level {min(agent.info['level'], top)} of {top}"
    if not wrong:
        return f"{level}; hardened right on {EXAMPLES} instances of each n to {top}, not everywhere beyond"
    share, endless = found[top]
    how = "does not stop" if endless > share / 2 else "wrong cells"
    return f"{level}; hardened wrong from n = {wrong[0]}; at n = {top} on {share:.0%}, mostly {how}"


def _failures(agent: Agent, task: Task, sizes: Sequence[int]) -> Iterator[tuple[int, tuple[float, float]]]:
    """By n: the share of instances on which it is wrong, and of those on which it does not stop."""
    rng, found = np.random.default_rng(0), defaultdict(list)
    for batch in draw_plan(task, rng, sizes, EXAMPLES).mixed(task, rng, rows=1):
        limit = caps(task, batch.difficulty, batch.memory_sizes)
        failed, steps = hard_failures(agent.controller, batch, limit, True)
        for n, bad, late in zip(batch.difficulty, failed[0], steps[0] >= limit, strict=True):
            found[int(n)].append((bool(bad), bool(late)))
    for n, pairs in found.items():
        bad, late = np.array(pairs).mean(axis=0)
        yield n, (float(bad), float(late))


def read_rows(file: Path) -> list[Row]:
    """What is known already."""
    text = file.read_text() if file.exists() else ""
    return [Row(**json.loads(line)) for line in text.splitlines()]


def page(rows: Sequence[Row], minutes: float) -> str:
    """The tables, and what went wrong."""
    tasks: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        tasks[row.task].append(row)
    newest = {task: _newest(found) for task, found in tasks.items()}
    most = sum(2 * sum(row.solved for row in found) > len(found) for found in newest.values())
    proved = sum(any(row.proof in ("PROVED", "short") for row in found) for found in tasks.values())
    summary = (
        f"Trials so far: {len(rows)}; by the settings that each was last tried with, {most} of "
        f"{len(newest)} tasks were solved from most of their seeds. "
        f"Of {proved} tasks a learned program is proved."
    )
    lines = [_line(newest[task], found) for task, found in tasks.items()]
    faults = [
        f"- {row.task}, settings {row.settings}, seed {row.seed}: {row.fault}."
        for found in newest.values()
        for row in found
        if not row.solved
    ]
    wrong = ["", "## What the best member of the others does wrong", "", *(faults or ["None failed."])]
    head = HEAD.format(minutes=minutes, proof=PROOF_MINUTES, summary=summary)
    return head + "\n".join([*lines, *wrong, ""]) + HISTORY + _history(tasks) + CLOSING


def _newest(rows: Sequence[Row]) -> list[Row]:
    latest = max(row.settings for row in rows)
    return [row for row in rows if row.settings == latest]


def _line(rows: Sequence[Row], of_all: Sequence[Row]) -> str:
    """Of a task: what its last settings did, and what all its programs are."""
    good = [row for row in rows if row.solved]
    low, high = wilson(len(good), len(rows))
    verdicts = Counter(row.proof or "not tried" for row in of_all if row.solved)
    proofs = {proof: verdicts[proof] for proof in PROOFS if verdicts[proof]}
    cells = [
        rows[0].task,
        str(rows[0].settings),
        f"{len(good)} of {len(rows)}",
        f"{len(good) / len(rows):.0%} ({low:.0%} to {high:.0%})",
        ", ".join(f"{row.seconds:.0f}" if row.solved else "no" for row in rows),
        ", ".join(str(row.island) for row in good) or "-",
        str(min((row.lines for row in of_all if row.lines), default="-")),
        "; ".join(dict.fromkeys(row.steps or "" for row in good)) or "-",
        ", ".join(f"{count} {proof}" for proof, count in proofs.items()) or "-",
    ]
    return f"| {' | '.join(cells)} |"


def _history(tasks: Mapping[str, Sequence[Row]]) -> str:
    """A table of tasks and settings."""
    settings = range(1, SETTINGS + 1)
    lines = [
        f"| task | {' | '.join(f'settings {number}' for number in settings)} |",
        f"| --- | {' | '.join('---' for _ in settings)} |",
    ]
    for task, rows in tasks.items():
        cells = (_cell([row for row in rows if row.settings == number]) for number in settings)
        lines.append(f"| {task} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(rows: Sequence[Row]) -> str:
    seconds = [row.seconds for row in rows if row.solved]
    if not rows:
        return "-"
    return f"{len(seconds)} of {len(rows)}" + (f", {median(seconds):.0f} s" if seconds else "")


def main() -> None:
    """Look at what is new, and write rows and page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", type=Path)
    parser.add_argument("--settings", type=int, default=SETTINGS, help="which the study had")
    parser.add_argument("--quick", action="store_true", help="neither shorten nor prove")
    parser.add_argument("--rows", type=Path, default=Path("docs/beyond.jsonl"))
    parser.add_argument("--page", type=Path, default=Path("docs/beyond.md"))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows = {(row.task, row.settings, row.seed): row for row in read_rows(asked.rows)}
    with Table(asked.study) as table:
        found = standings(table.events())
    limit = next(iter(found.values())).trial.goal.minutes or 0
    order = list(
        dict.fromkeys([*(task for task, *_ in rows), *(s.trial.config.task for s in found.values())])
    )
    for key, standing in found.items():
        place = standing.trial.config.task, asked.settings, standing.trial.config.seed
        known = place in rows and (rows[place].proof or not rows[place].solved or asked.quick)
        if standing.result is not None and not known:
            rows[place] = row_of(asked.study, key, standing, asked.settings, asked.quick)
            print(rows[place], flush=True)
            _write(rows.values(), order, asked.rows)
    write_atomically(asked.page, page(read_rows(asked.rows), limit))


def _write(rows: Iterable[Row], order: Sequence[str], file: Path) -> None:
    """All rows, task by task, settings by settings and seed by seed."""
    ordered = sorted(rows, key=lambda row: (order.index(row.task), row.settings, row.seed))
    write_atomically(file, "".join(json.dumps(_kept(row)) + "\n" for row in ordered))


def _kept(row: Row) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if value is not None}


if __name__ == "__main__":
    main()
