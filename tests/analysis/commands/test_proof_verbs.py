"""`nram prove` and `nram recheck`, as they are called."""

import json
import shutil
import sys
from dataclasses import replace

import pytest

from analysis import listing, load_program, save_program
from analysis.commands.cli import main
from analysis.machine.vm import run
from analysis.program.certificate import NOT_AT_HAND
from analysis.proofs.certify import CHECKED, evidence_file, standing
from nram_env import get_task
from tests.analysis.proofs.settings import DATA, kept


@pytest.fixture
def access(tmp_path, monkeypatch):
    """A folder with a program for Access, in which the test works."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(DATA / "proof_of_access.json", tmp_path / "program.json")
    return tmp_path


def test_a_proof_is_saved_beside_the_program_whose_file_then_says_so(access, capsys):
    assert main(["prove", "program.json", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["verdict"] == "PROVED"
    assert result["evidence"] == "program.proof.zip"
    program = load_program("program.json")
    assert [found.verdict for found in program.certificates if found.check == "proof"] == ["PROVED"]
    assert standing(program, evidence_file("program.json")) == CHECKED
    assert standing(program, None) == NOT_AT_HAND
    assert standing(replace(program, certificates=()), None) is None

    main(["show", "program.json"])
    shown = " ".join(capsys.readouterr().out.split())
    claim = "it stops by itself after at most 2 steps, and the output is then right"
    domain = "PROVED for every M >= 3, every n and every legal memory"
    assert f"proof {domain} (evidence checked); {claim}" in shown
    assert all(f"{word}: " in shown for word in ("TESTED", "EXHAUSTIVE", "PROVED"))
    assert f"{domain} (evidence not at hand)" in " ".join(listing(program).split())

    assert main(["verify", "program.json", "--n", "8"]) == 0
    assert f"proof {domain} (evidence checked); {claim}" in " ".join(capsys.readouterr().out.split())

    assert main(["recheck", "program.proof.zip", "--program", "program.json", "--seeds", "0"]) == 0
    assert "PROVED: all agree; 17 obligations, z3 and cvc5, seeds 0" in capsys.readouterr().out

    assert (
        main(["recheck", "program.proof.zip", "--program", str(DATA / "proof_of_copy.json"), "--seeds", "0"])
        == 1
    )
    assert "NOT CONFIRMED" in capsys.readouterr().out


def test_a_program_that_is_not_the_one_that_was_proved_is_not_believed(access):
    assert main(["prove", "program.json"]) == 0
    program = load_program("program.json")
    other = replace(program, min_size=program.min_size + 1)
    assert "another program" in standing(other, evidence_file("program.json"))
    claim = replace(program.certificates[-1], claim="it stops by itself after at most 1 steps")
    assert standing(program.with_certificates(claim), evidence_file("program.json")) == (
        "the evidence is of another claim"
    )
    evidence_file("program.json").write_bytes(b"no evidence")
    assert standing(program, evidence_file("program.json")).startswith(
        "evidence not checked: program.proof.zip"
    )


def test_what_cannot_be_proved_in_time_is_unknown_and_says_what_was_tried(access, capsys):
    save_program(kept("copy"), "program.json")
    assert main(["prove", "program.json", "--minutes", "0.001"]) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("UNKNOWN after")
    assert "out of time" in printed
    assert not evidence_file("program.json").exists()


def test_a_wrong_program_is_refuted(access, capsys):
    right = kept("increment")
    edge = replace(right.edges[0], block=replace(right.edges[0].block, assignments=()))
    save_program(replace(right, edges=(edge, *right.edges[1:])), "program.json")
    assert main(["prove", "program.json"]) == 1
    assert "REFUTED" in capsys.readouterr().out


def test_the_merge_that_passed_every_test_is_refuted_by_an_instance_that_replays(access, capsys):
    assert main(["prove", str(DATA / "wrong_merge.json"), "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert (result["verdict"], result["evidence"]) == ("REFUTED", None)
    wrong, task = result["counterexample"], get_task("merge")
    after = run(load_program(DATA / "wrong_merge.json"), wrong["memory"], wrong["horizon"])
    assert task.oracle(wrong["memory"])[wrong["cell"]] == wrong["wanted"] != after.memory[wrong["cell"]]


@pytest.mark.parametrize("solver", ["z3", "cvc5"])
def test_without_a_solver_it_is_said_at_once_what_to_install(access, monkeypatch, capsys, solver):
    monkeypatch.setitem(sys.modules, solver, None)
    assert main(["prove", "program.json"]) == 2
    assert "pip install 'nram[prove]'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["prove", "program.json", "--minutes", "0"], "minutes must be more than 0, got 0.0"),
        (["recheck", "missing.zip"], "there is no file missing.zip"),
        (["recheck", "program.json"], "program.json: not a zip of texts"),
        (["recheck", "program.json", "--seeds"], "there must be at least one seed"),
    ],
)
def test_a_call_that_makes_no_sense_says_what_would_be_right(access, capsys, words, message):
    assert main(words) == 2
    assert message in capsys.readouterr().err
