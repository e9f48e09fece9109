"""The report of a study: shares of success with intervals, times, and what each setting does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from analysis.studies.progress import Standings
from analysis.studies.summary import Summary, by_task, counts, effects
from analysis.studies.trial import row_of
from nram_env.support import write_atomically

_HEAD = """# {title}

    {call}

{finished} of {trials} trials are finished, {open} open, {given_up} given up.
A success is {successes}.
Shares have Wilson's interval, 95 %. Times are seconds of training until the success, the reading and checking
of programs included; quartiles are those of Kaplan and Meier: a trial that ended without success might have
had it later, and "-" stands where too few succeeded. Attempts are populations that were begun.

![share of trials without success against time]({picture})

| task | succeeded | share | first quarter s | median s | third quarter s | attempts | seeds without success |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""

_SUCCESSES = {
    "solved": "a member without any error on held-out sizes",
    "halting": "a member that stops by itself with the right output on all held-out sizes",
    "checked": "a program that passes every check, as a plain `nram train` asks",
    "proved": "a program that is proved right",
}


def page(standings: Standings, title: str, call: str, picture: str) -> str:
    """The report as Markdown."""
    wanted = dict.fromkeys(found.trial.goal.success for found in standings.values())
    successes = "; or ".join(_SUCCESSES[name] for name in wanted)
    head = _HEAD.format(title=title, call=call, successes=successes, picture=picture, **counts(standings))
    rows = [_line(task, Summary.of(found)) for task, found in by_task(standings).items()]
    sections = [*_effects(standings), *_given_up(standings)]
    return head + "\n".join([*filter(None, rows), *sections]) + "\n"


def _line(task: str, summary: Summary) -> str:
    if not summary.results:
        return ""
    attempts = ", ".join(str(result.attempts) for result in summary.results)
    pairs = zip(summary.seeds, summary.results, strict=True)
    failed = ", ".join(str(seed) for seed, result in pairs if not result.success) or "none"
    return _cells(task, *summary.share(), *summary.times(), attempts, failed)


def _cells(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _effects(standings: Standings) -> Iterator[str]:
    lines = [
        _cells(task, name, value, *summary.share(), summary.times()[1])
        for task, name, value, summary in effects(standings)
        if summary.results
    ]
    if lines:
        yield "\n## What each setting does\n"
        yield _cells("task", "setting", "value", "succeeded", "share", "median s")
        yield _cells(*["---"] * 6)
        yield from lines


def _given_up(standings: Standings) -> Iterator[str]:
    lines = [f"- {key}: {found.error}" for key, found in standings.items() if found.is_given_up]
    if lines:
        yield "\n## Given up\n"
        yield from lines


def write_report(standings: Standings, file: Path, title: str, call: str) -> None:
    """Write the report, a picture and the rows of all finished trials, which differ in the file's suffix.

    Raises:
        OSError: The disk is full or cannot be written.
    """
    from analysis.studies.curves import survival_curves

    steps = {task: Summary.of(found) for task, found in by_task(standings).items()}
    picture = file.with_suffix(".png")
    survival_curves({task: found for task, found in steps.items() if found.results}, picture)
    rows = (row_of(found.trial, found.result) for found in standings.values() if found.result is not None)
    write_atomically(file.with_suffix(".jsonl"), "".join(json.dumps(row) + "\n" for row in rows))
    write_atomically(file, page(standings, title, call, picture.name))
