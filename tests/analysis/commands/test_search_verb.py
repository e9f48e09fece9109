"""`nram search`: what it prints, writes and returns."""

import json
import shutil
import sys

import pytest

from analysis.commands.cli import main
from analysis.studies.driver import driven, plan
from analysis.studies.table import TABLE_FILE, Event
from tests.analysis.studies.small import SETTINGS, trial

WORDS = ["--success", "solved", "--settings", *(f"{name}={value}" for name, value in SETTINGS.items())]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A finished study of two trials on two processes."""
    folder = tmp_path_factory.mktemp("studies") / "small"
    words = ["search", "--tasks", "access", "--seeds", "0", "1", "--updates", "20", "--run", str(folder)]
    assert main([*words, *WORDS, "--local", "2"]) == 0
    return folder


@pytest.fixture
def study(done, tmp_path):
    return shutil.copytree(done, tmp_path / "small")


def report(capsys) -> dict:
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_a_study_leaves_run_folders_that_other_verbs_take_and_a_report(study, capsys):
    folders = sorted((study / "trials").iterdir())
    assert [folder.name.rpartition("-")[0] for folder in folders] == ["access-0", "access-1"]
    assert main(["eval", str(folders[0]), "--sizes", "2", "--examples", "5", "--json"]) == 0
    assert main(["train", "--run", str(folders[0]), "--resume", "--updates", "21"]) == 1
    assert "2 of 2 trials are finished" in (study / "report.md").read_text()
    assert {path.suffix for path in study.glob("report.*")} == {".jsonl", ".md", ".png"}


def test_status_trains_nothing_and_needs_only_the_folder(study, capsys):
    before = (study / TABLE_FILE).read_bytes()
    assert main(["search", "--run", str(study), "--status", "--json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert (found["trials"], found["finished"], found["open"]) == (2, 2, 0)
    assert found["tasks"]["access"]["finished"] == 2
    assert "access" in said.err
    assert (study / TABLE_FILE).read_bytes() == before


def test_a_finished_study_gets_more_trials_from_a_file(study, tmp_path, capsys):
    file = tmp_path / "more.toml"
    settings = "\n".join(f"{name} = {value}" for name, value in SETTINGS.items())
    file.write_text(f'tasks = ["access"]\nsuccess = "solved"\nupdates = 20\n[settings]\n{settings}\n')
    words = ["search", str(file), "--seeds", "1", "2", "--run", str(study), "--local", "1", "--json"]
    assert main(words) == 0
    assert (found := report(capsys))["trials"] == found["finished"] == 3


def test_results_are_taken_over_instead_of_trained(study, tmp_path, capsys):
    words = ["search", "--tasks", "access", "--seeds", "0", "1", "2", "--updates", "20", *WORDS]
    words += ["--run", str(tmp_path / "other"), "--take", str(study / "report.jsonl"), "--status", "--json"]
    assert main([*words, "--report", str(tmp_path / "page.md")]) == 0
    said = capsys.readouterr()
    assert "2 results taken over, 0 rows are of no trial" in said.err
    assert json.loads(said.out)["open"] == 1
    assert "2 of 3 trials are finished, 1 open" in (tmp_path / "page.md").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name the file of a study, --tasks, or the folder of a study with --run"),
        (["--tasks", "copyy", "--local", "1"], "unknown task 'copyy'"),
        (["none.toml", "--local", "1"], "there is no file none.toml"),
        (["--tasks", "copy", "--settings", "polulation=3", "--local", "1"], "polulation is unknown"),
        (["--tasks", "copy", "--local", "0"], "local must be at least 1, got 0"),
        (["--tasks", "copy", "--local", "1", "--address", "auto"], "name one"),
        (["--tasks", "copy", "--at-once", "0"], "at_once must be at least 1, got 0"),
        (["--tasks", "copy", "--processors", "0"], "processors must be more than 0"),
        (["--run", "nothing", "--local", "1"], "there is no study in nothing"),
        (["--run", "nothing", "--status"], "nothing holds no study"),
    ],
)
def test_nothing_is_made_before_all_is_known_to_be_right(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["search", *words]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not list(tmp_path.iterdir())


def test_status_says_whether_a_driver_is_at_work(study, capsys):
    with driven(study) as table:
        plan(table, [trial(9)])
        table.add([Event(trial(9).key, "begun")])
        assert main(["search", "--run", str(study), "--status"]) == 0
        assert f"\n {trial(9).key} " in capsys.readouterr().out
    assert main(["search", "--run", str(study), "--status"]) == 0
    assert "No driver is at work." in capsys.readouterr().out


def test_proofs_are_not_asked_for_where_nothing_can_prove(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "z3", None)
    words = [
        "search",
        "--tasks",
        "access",
        "--success",
        "proved",
        "--local",
        "1",
        "--run",
        str(tmp_path / "s"),
    ]
    assert main(words) == 2
    assert "proofs need the solvers" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_trial_that_is_given_up_fails_the_study_and_is_named(study, capsys):
    with driven(study) as table:
        plan(table, [trial(9)])
        table.add([Event(trial(9).key, "failed", {"error": "ValueError: no"})] * 3)
    assert main(["search", "--run", str(study), "--local", "1"]) == 1
    assert f"given up: {trial(9).key}: ValueError: no" in capsys.readouterr().out
