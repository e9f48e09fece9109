"""`nram demo`: a program that was learned in this very run, or none."""

import json

import pytest
import torch

from analysis.cli import main
from analysis.program_file import load_program
from analysis.verify import check_sizes
from nram_env.tasks import get_task


@pytest.fixture(autouse=True)
def keep_threads():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_the_demo_learns_prints_checks_and_saves_a_program(tmp_path, capsys):
    assert main(["demo", "--seed", "1", "--run", str(tmp_path / "demo")]) == 0
    said = capsys.readouterr().out
    summary = json.loads((tmp_path / "demo" / "summary.json").read_text())
    assert (summary["task"], summary["controller"]) == ("copy", "lstm")
    assert summary["train_seconds"] > 0
    assert summary["program"] in said
    assert [check["n"] for check in summary["checks"]] == [8, 32, 100, 500]
    largest = summary["checks"][-1]
    assert (largest["mode"], largest["memory_size"], largest["examples"]) == ("program", 1001, 100)
    assert all(check["exact_error"] == 0 for check in summary["checks"])
    program = load_program(tmp_path / "demo" / "program.json")
    fresh = check_sizes(program, get_task("copy"), [3, 200], 20, seed=77)
    assert [check["exact_error"] for check in fresh] == [0, 0]


def test_a_demo_without_time_says_so_and_prints_no_program(tmp_path, capsys):
    assert main(["demo", "--minutes", "0", "--run", str(tmp_path / "demo"), "--json"]) == 1
    said = capsys.readouterr()
    assert "No program passed every check" in said.err
    summary = json.loads(said.out)
    assert summary["program"] is None
    assert summary["checks"] == []


def test_a_demo_replaces_an_earlier_one_but_nothing_else(tmp_path, capsys):
    folder = tmp_path / "demo"
    for _ in range(2):
        assert main(["demo", "--minutes", "0", "--run", str(folder)]) == 1
    (tmp_path / "thesis.tex").write_text("years of work")
    assert main(["demo", "--minutes", "0", "--run", str(tmp_path)]) == 2
    assert "holds something else than an earlier demo" in capsys.readouterr().err
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
