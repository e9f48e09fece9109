"""What a study of the usual recipes counted, in a few words for a table of something else."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from analysis.studies.summary import Summary
from analysis.studies.trial import Result, named, read_rows

SEEDS_FILE = "seeds.jsonl"
"""Rows of the study of a plain `nram train TASK`, beside its report and the page of results."""


def shares_beside(page: Path) -> dict[str, str]:
    """For every task of the study beside a page how many of its runs succeeded; nothing if there is none.

    Example:
        >>> shares_beside(Path("no/such/results.md"))
        {}

    Raises:
        FileError: A line of its rows is no row.
    """
    rows = page.with_name(SEEDS_FILE)
    found: dict[str, list[Result]] = defaultdict(list)
    for identity, result in (read_rows(rows) if rows.exists() else {}).items():
        task, _, settings = named(identity)
        if not settings:
            found[task].append(result)
    return {task: _words(Summary(tuple(results), ())) for task, results in found.items()}


def _words(summary: Summary) -> str:
    low, high = summary.interval
    return f"{summary.good} of {len(summary.results)} ({low:.0%} to {high:.0%})"
