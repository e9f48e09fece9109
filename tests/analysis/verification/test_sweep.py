"""`nram sweep`: every slack of M at many n."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from agents import zoo
from analysis.commands.cli import main
from analysis.machine.vm import run
from analysis.measurement.results_file import FIGURES
from analysis.program.file import load_program
from analysis.verification.sweep import DENSE_SLACK, sweep, sweep_table
from nram_env.files import read_json
from nram_env.tasks import get_task

WRONG = str(Path(__file__).parents[2] / "data/wrong_at_one_slack.json")
"""Merge as it was shipped once."""


def test_a_program_that_is_wrong_at_one_slack_is_counted_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", WRONG, "--json"]) == 1
    captured = capsys.readouterr()
    found = json.loads(captured.out)["programs"][WRONG]
    slacks = [size["memory_size"] - (2 * size["n"] + 5) for size in found["wrong_sizes"]]
    assert {3, 5} <= set(slacks) <= set(range(3, DENSE_SLACK + 1))
    assert slacks.count(3) >= 5
    assert found["wrong"] == sum(size["wrong"] for size in found["wrong_sizes"])
    assert f"is wrong: {found['wrong_sizes'][0]['wrong']} of 200 at n = " in captured.err


def test_the_first_wrong_instance_replays() -> None:
    program, task = load_program(WRONG), get_task("merge")
    first = sweep(program, task)["first"]
    text = re.fullmatch(
        r"mem = (\[.*?\]), T = (\d+): cell (\d+) holds (\d+) after step \d+, wanted (\d+)", first
    )
    memory, horizon, cell, got, wanted = json.loads(text[1]), *map(int, text.groups()[1:])
    assert horizon == task.horizon(task.difficulty_of(memory))
    assert run(program, memory, horizon).memory[cell] == got != wanted == task.oracle(memory)[cell]


def test_a_right_program_is_tried_at_every_slack_of_every_size(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["sweep", "zoo:access", "--sizes", "1", "20", "--examples", "5"]
    assert main(arguments) == 0
    pairs = {(n, n + 2 + s) for n in (1, 20) for s in (*range(DENSE_SLACK + 1), n + 2, 2 * (n + 2))}
    assert (
        f"| zoo:access | where it stops | {len(pairs)} | {5 * len(pairs)} | 0 | 0 |"
        in capsys.readouterr().out
    )


def test_sizes_that_the_task_does_not_have_are_left_out() -> None:
    found = sweep(load_program(WRONG), get_task("merge"), sizes=(1, 2), examples=3)
    assert found["sizes"] == DENSE_SLACK + 1  # n = 2 alone; twice and three times 9 are among the slacks
    assert "merge is wrong" not in sweep_table({"merge": found})


def test_no_examples_and_no_program_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", "zoo:access", "--examples", "0"]) == 2
    assert "must be at least 1" in capsys.readouterr().err
    assert main(["sweep", "zoo:nothing"]) == 2


def test_the_page_of_results_holds_what_the_sweep_of_the_zoo_prints() -> None:
    shown = (Path(__file__).parents[3] / "docs/results.md").read_text()
    rows = read_json(Path(__file__).parents[3] / "docs/results.json", FIGURES)["rows"]
    assert sweep_table({f"zoo:{name}": row["sweep"] for name, row in rows.items()}) in shown
    assert {name: row["sweep"]["wrong"] for name, row in rows.items()} == dict.fromkeys(zoo.entries(), 0)
    assert all(row["sweep"]["stops"] for row in rows.values())
