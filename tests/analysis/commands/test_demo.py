"""`nram demo`: a program that was learned in this very run, or none."""

import json

import pytest
import torch
from filelock import FileLock

from agents.config import TrainConfig
from agents.run import LOCK_FILE, POPULATION_FILE, Budget, start_run
from analysis.commands.cli import main
from analysis.program.file import load_program
from analysis.program.text import WIDTH
from analysis.verification import check_sizes
from nram_env.tasks import get_task


@pytest.fixture(autouse=True)
def keep_threads():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_the_demo_learns_prints_checks_and_saves_a_program(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(WIDTH))  # of the listing in the summary
    assert main(["demo", "--run", str(tmp_path / "demo")]) == 0
    said = capsys.readouterr().out
    summary = json.loads((tmp_path / "demo" / "summary.json").read_text())
    assert (summary["task"], summary["controller"]) == ("copy", "lstm")
    assert summary["train_seconds"] > 0
    assert summary["program"] in said
    assert [check["n"] for check in summary["checks"]] == [8, 32, 100, 500]
    largest = summary["checks"][-1]
    assert (largest["mode"], largest["memory_sizes"][0], largest["examples"]) == ("program", 1001, 100)
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


@pytest.fixture
def demo(tmp_path):
    """The folder of an earlier demo, with all files that one may have."""
    folder = tmp_path / "demo"
    assert main(["demo", "--minutes", "0", "--run", str(folder)]) == 1
    start_run(folder, TrainConfig(population=1, max_level=5), Budget(updates=1), lambda *_: None)
    return folder


def test_a_demo_replaces_an_earlier_one_and_leaves_alone_what_else_is_there(demo, capsys):
    (demo / "thesis.txt").write_text("years of work")
    assert main(["demo", "--minutes", "0", "--run", str(demo)]) == 1
    assert f"Left as it was in {demo}: thesis.txt" in capsys.readouterr().err
    assert (demo / "thesis.txt").read_text() == "years of work"
    assert not (demo / POPULATION_FILE).exists()
    assert main(["demo", "--minutes", "0", "--run", str(demo)]) == 1, (
        "also after a demo that was killed early"
    )


FOREIGN = {
    "no summary": ("notes.txt", "mine"),
    "another program's summary": ("summary.json", '{"title": "a thesis"}'),
    "a summary of other values": (
        "summary.json",
        '{"task": "copy", "controller": 1, "train_seconds": 0.0, "program": null, "checks": []}',
    ),
    "a summary that is no JSON": ("summary.json", "Chapter 1"),
}


@pytest.mark.parametrize(("name", "content"), FOREIGN.values(), ids=FOREIGN)
def test_a_folder_is_not_a_demos_because_of_the_names_in_it(name, content, tmp_path, capsys):
    (tmp_path / name).write_text(content)
    (tmp_path / "thesis.txt").write_text("years of work")
    before = snapshot(tmp_path)
    assert main(["demo", "--minutes", "0", "--run", str(tmp_path)]) == 2
    assert "holds something else than an earlier demo; name another folder" in capsys.readouterr().err
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("name", ["config.json", "metrics.jsonl", "population.safetensors", "program.json"])
def test_a_file_that_cannot_be_read_back_is_not_replaced_nor_is_any_beside_it(demo, name, capsys):
    (demo / name).write_text('{"mine": 1}\n')
    before = snapshot(demo)
    assert main(["demo", "--minutes", "0", "--run", str(demo)]) == 2
    assert f"{name} cannot be read back" in capsys.readouterr().err
    assert snapshot(demo) == before


def test_a_folder_in_which_a_demo_is_at_work_is_not_cleared(demo, capsys):
    before = snapshot(demo)
    with FileLock(demo / LOCK_FILE):
        assert main(["demo", "--minutes", "0", "--run", str(demo)]) == 2
    assert "another process is training in" in capsys.readouterr().err
    assert snapshot(demo) == before


@pytest.mark.parametrize("words", [["--minutes", "nan"], ["--minutes", "-1"], ["--seed", "-1"]])
def test_a_demo_that_cannot_be_run_clears_nothing(demo, words):
    before = snapshot(demo)
    assert main(["demo", "--run", str(demo), *words]) == 2
    assert snapshot(demo) == before


def snapshot(folder):
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
