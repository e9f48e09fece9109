"""`nram zoo`, `nram reproduce` and the table of results."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents import zoo
from agents.checkpoint import load_agent
from agents.run import Budget, Outcome, start_run
from analysis.commands.cli import main
from analysis.measurement.results import PAPER, Effort, measure
from analysis.measurement.results_page import page
from nram_env.tasks import get_task


def test_the_zoo_lists_every_entry(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zoo", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["entries"]
    assert [row["name"] for row in rows] == list(zoo.entries())
    assert all(row["kilobytes"] <= 200 for row in rows)


def test_a_program_of_the_zoo_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "zoo:copy"]) == 0
    assert "program copy" in capsys.readouterr().out


def test_access_is_trained_anew_from_its_recipe(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce", "access", "--run", str(tmp_path / "run"), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["exact"]
    assert record["solved"] * 2 >= record["members"]
    assert load_agent(tmp_path / "run").task == "access"


def test_reproduce_without_a_name_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reproduce"]) == 2
    assert "access" in capsys.readouterr().err


def test_the_table_has_a_row_for_what_was_measured(tmp_path: Path) -> None:
    out = tmp_path / "results.md"
    arguments = ["--entries", "access", "--examples", "20", "--far-examples", "3", "--out", str(out)]
    assert main(["reproduce", "--table", *arguments]) == 0
    assert main(["reproduce", "--table", *arguments]) == 0  # replaces the row, does not add another
    (row,) = json.loads(out.with_suffix(".json").read_text())["rows"].values()
    assert (row["examples"], row["far_examples"], row["program"]["examples"]) == (20, 3, 500)
    assert row["errors"]["200"] == {"soft": 0, "hard": 0}
    assert out.read_text().count("\n| access |") == 3  # errors, training, the paper


def test_the_table_may_leave_out_the_soft_runs_that_take_longest(tmp_path: Path) -> None:
    out = tmp_path / "results.md"
    arguments = ["--examples", "20", "--soft-examples", "4", "--far-examples", "0", "--out", str(out)]
    assert main(["reproduce", "--table", "--entries", "access", *arguments]) == 0
    (row,) = json.loads(out.with_suffix(".json").read_text())["rows"].values()
    assert row["errors"]["200"] == {"hard": 0}
    assert "| not run |" in out.read_text()


@pytest.mark.parametrize(
    ("name", "message"),
    [("results.md", "is no table of results"), ("results.json", "is 'mine'; must be an object")],
)
def test_the_table_does_not_replace_a_file_that_is_none_of_ours(
    name: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_text('"mine"')
    assert main(["reproduce", "--table", "--out", str(tmp_path / "results.md")]) == 2
    assert message in capsys.readouterr().err
    assert [path.read_text() for path in tmp_path.iterdir()] == ['"mine"']


def test_errors_are_never_rounded_to_nothing() -> None:
    row = measure(zoo.find_entry("access"), Effort(4, 4, 4), lambda text: None)
    row |= {"records": zoo.find_recipe("access").records, "easy_share": 0.5}
    row["errors"]["50"] = {"soft": 1.0, "hard": 0.1}
    del row["errors"]["200"]["soft"]
    shown = page([row], {"access": "8 of 8 (68% to 100%)"})
    assert "| 8 of 8 (68% to 100%) |" in shown
    assert "| not run | 0 |" in shown
    assert "| 100.00% | 10.00% |" in shown
    assert "| 50% |" in shown


def test_every_task_of_the_paper_has_its_row() -> None:
    assert [get_task(name).name for name in PAPER] == list(PAPER)
    assert len(PAPER) == 10


def test_files_made_from_the_zoo_stay_out_of_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(zoo.PLACE.rglob("*"))
    assert main(["extract", "zoo:access", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["file"] == "zoo-access/program.json"
    assert (tmp_path / "zoo-access" / "program.json").is_file()
    assert sorted(zoo.PLACE.rglob("*")) == before


@pytest.mark.parametrize(("reason", "code"), [("updates", 1), ("interrupted", 130)])
def test_nothing_is_kept_of_a_run_that_was_broken_off(
    reason: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = zoo.PLACE / "access"
    monkeypatch.setattr(zoo, "PLACE", tmp_path / "zoo")
    recipe = zoo.load_recipe(source / zoo.RECIPE_FILE)
    settings = {**recipe.settings, "population": 2, "max_level": 5}
    zoo.save_recipe(tmp_path / "zoo/access" / zoo.RECIPE_FILE, zoo.Recipe(settings, Budget(updates=2)))

    def run(*arguments: Any, **more: Any) -> Outcome:
        return replace(start_run(*arguments, **more), reason=reason)

    monkeypatch.setattr("analysis.commands.zoo.start_run", run)
    assert main(["reproduce", "access", "--keep", "--run", str(tmp_path / "run")]) == code
    assert bool(zoo.find_recipe("access").records) == (reason == "updates")


def test_the_zoo_can_be_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "zoo:access", "--sizes", "8", "--examples", "20", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["errors"][0]["exact_error"] == 0
