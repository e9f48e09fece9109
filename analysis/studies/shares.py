"""What a study of the usual recipes counted, in a few words for a table of something else."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from analysis.studies.driver import MOST_ROWS_BYTES
from analysis.studies.statistics import wilson
from analysis.studies.trial import ROW
from nram_env.files import read_json_lines

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
    found: dict[str, list[bool]] = defaultdict(list)
    for name, result in read_json_lines(rows, ROW, MOST_ROWS_BYTES) if rows.exists() else ():
        task, _, _, settings = json.loads(name)
        if not settings:
            found[task].append(result.success)
    return {task: _words(sum(good), len(good)) for task, good in found.items()}


def _words(good: int, runs: int) -> str:
    low, high = wilson(good, runs)
    return f"{good} of {runs} ({low:.0%} to {high:.0%})"
