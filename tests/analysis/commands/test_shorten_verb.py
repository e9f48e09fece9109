"""`nram shorten`, and the short form where a program is shown."""

import json
import shutil

import pytest

from agents import zoo
from analysis import load_program
from analysis.commands.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    shutil.copy(zoo.PLACE / "access" / "program.json", "program.json")
    return tmp_path


def test_a_program_is_shortened_proved_and_shown(folder, capsys):
    assert main(["shorten", "program.json", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["proof"] == "PROVED"
    assert report["after"] == {"registers": 0, "states": 1, "blocks": 1}
    assert (folder / "short.proof.zip").is_file()
    assert main(["show", "program.json"]) == 0
    shown = capsys.readouterr().out
    assert "(shortened to the same output: PROVED" in shown
    assert "        mem[0] = mem[mem[0]]\n        stop\n" in shown


def test_without_a_proof_it_is_tested(folder, capsys):
    assert main(["shorten", "program.json", "--minutes", "0", "--out", "own.json"]) == 0
    assert "no proof is looked for: --minutes 0" in capsys.readouterr().err
    assert {found.check for found in load_program("own.json").certificates} >= {"random", "exhaustive"}
    assert not (folder / "own.proof.zip").exists()


def test_what_is_no_program_is_not_written_over(folder, capsys):
    (folder / "notes.json").write_text("mine")
    assert main(["shorten", "program.json", "--minutes", "0", "--out", "notes.json"]) == 2
    assert (folder / "notes.json").read_text() == "mine"


def test_a_short_form_of_the_zoo_has_a_name(capsys):
    assert main(["show", "zoo:listk/short.json"]) == 0
    assert "p = mem[p]" in capsys.readouterr().out


def test_a_short_form_is_explained(capsys):
    assert main(["show", "zoo:listk", "--explain"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Proved: ")
    assert "node = mem[node]" in shown


def test_what_does_not_nest_is_not_explained(folder, capsys):
    shutil.copy(zoo.PLACE / "swap" / "program.json", "program.json")
    assert main(["show", "program.json", "--explain"]) == 2
    assert "the states of program swap do not nest; nram shorten may help" in capsys.readouterr().err
