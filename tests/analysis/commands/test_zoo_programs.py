"""The programs that ship with the zoo are those of the controllers beside them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from agents import zoo
from analysis.commands.cli import main
from analysis.extraction.adapters import HardenedAgent
from analysis.extraction.fidelity import compare
from analysis.extraction.inputs import training_inputs
from analysis.extraction.pipeline import extract
from analysis.extraction.resolve import PROGRAM_FILE, find_program
from analysis.measurement.results_file import FIGURES
from analysis.measurement.results_page import page
from analysis.program.certificate import FAR, PROOF, is_equal
from analysis.program.file import dump_program, load_program
from analysis.proofs.certify import CHECKED, evidence_file, standing, with_proof
from analysis.simplification.canonical import canonical_hash
from analysis.studies.judged import refuted_checks
from analysis.studies.shares import shares_beside
from analysis.verification import check_random, stops_by_itself
from analysis.verification.ladder import MUST_HOLD
from nram_env.files import read_json
from nram_env.tasks import get_task

ROOT = Path(__file__).parents[3]
NAMES = list(zoo.entries())
FAST = ("access", "access-feedforward")
"""Entries whose extraction takes a second or two."""


@pytest.mark.parametrize("name", NAMES)
def test_every_controller_ships_with_its_program(name: str) -> None:
    entry = zoo.find_entry(name)
    file = entry.place / PROGRAM_FILE
    program = find_program(f"zoo:{name}")
    assert file.read_text() == dump_program(program), "as this version writes it"
    assert program.task == entry.agent.task
    assert program.machine == entry.agent.machine
    assert {found.check for found in program.certificates} >= {*MUST_HOLD, "effects"}
    assert is_equal(program.certificates)
    assert ("table" in {found.check for found in program.certificates}) == (program.kind == "table")


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_program_stops_by_itself_and_is_right(name: str) -> None:
    program = find_program(f"zoo:{name}")
    assert stops_by_itself(program, get_task(program.task))
    found = {certificate.check: certificate for certificate in program.certificates}
    assert "REFUTED" not in {certificate.verdict for check, certificate in found.items() if check != FAR}
    for check in ("stops", "random", "time"):
        assert found[check].error_below is not None


def test_the_controllers_that_leave_their_programs_far_out_are_those_of_which_the_documentation_says_so() -> (
    None
):
    programs = {name: find_program(f"zoo:{name}") for name in NAMES}
    watched = {name: c for name, program in programs.items() for c in program.certificates if c.check == FAR}
    assert set(watched) == {
        name for name in NAMES if zoo.find_entry(name).agent.controller.spec.kind == "lstm"
    }
    left = {name: found.counterexample for name, found in watched.items() if found.verdict == "REFUTED"}
    told = {"increment": 241, "listk": 203, "reverse": 1361}
    assert {name: f"first: step {told[name]} on" in text for name, text in left.items()} == dict.fromkeys(
        told, True
    )
    assert "at step 241, listk's at 203, reverse's at 1361" in (ROOT / "docs" / "proofs.md").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_record_calls_exact_only_what_no_check_refutes(name: str) -> None:
    refuted = refuted_checks(find_program(f"zoo:{name}"))
    assert zoo.find_recipe(name).records["population"]["exact"] == (not refuted)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_program_does_step_by_step_what_its_controller_does(name: str) -> None:
    agent, program = zoo.find_entry(name).agent, find_program(f"zoo:{name}")
    inputs = training_inputs(get_task(agent.task), 12, 32, np.random.default_rng(17))
    found = compare(program, HardenedAgent(agent), inputs)
    assert (found.runs, found.first) == (32, None)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_program_is_proved_with_its_evidence(name: str) -> None:
    file = zoo.PLACE / name / PROGRAM_FILE
    found = next(found for found in load_program(file).certificates if found.check == PROOF)
    assert (found.verdict, found.claim.startswith("it stops by itself")) == ("PROVED", True)
    assert evidence_file(file).stat().st_size <= 2_000_000
    assert standing(load_program(file), evidence_file(file)) == CHECKED


def test_the_page_of_results_says_of_every_program_what_is_proved() -> None:
    docs = Path(__file__).parents[3] / "docs"
    rows = read_json(docs / "results.json", FIGURES)["rows"]
    assert page(rows.values(), shares_beside(docs / "results.md")) == (docs / "results.md").read_text()
    for name in NAMES:
        program, row = find_program(f"zoo:{name}"), rows[name]["proof"]
        found = next(found for found in program.certificates if found.check == PROOF)
        assert row["program"] == canonical_hash(program)
        assert (row["statement"], row["obligations"]) == (f"{found.domain}: {found.claim}", found.count)
        assert row["seconds"] < 600


@pytest.mark.parametrize("name", FAST)
def test_a_shipped_program_is_what_extraction_gives_now(name: str) -> None:
    entry = zoo.find_entry(name)
    file = entry.place / PROGRAM_FILE
    now = with_proof(extract(entry.agent), evidence_file(file))
    assert file.read_text() == dump_program(now), "nram reproduce --programs makes them anew"


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_certificate_says_what_a_check_finds_now(name: str) -> None:
    program = find_program(f"zoo:{name}")
    (shipped,) = (found for found in program.certificates if found.check == "random")
    found = check_random(program, get_task(program.task), 16, 128, seed=23)
    assert shipped.verdict in (found.verdict, "REFUTED"), "the shipped one was tried on more"


def test_one_command_makes_shipped_programs_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    source, place = zoo.PLACE / "access-feedforward", tmp_path / "access-feedforward"
    place.mkdir()
    for file in source.iterdir():
        (place / file.name).write_bytes(b"{}" if file.name == PROGRAM_FILE else file.read_bytes())
    monkeypatch.setattr(zoo, "PLACE", tmp_path)
    assert main(["reproduce", "--programs", "--json"]) == 0
    (hash_of_it,) = json.loads(capsys.readouterr().out)["programs"].values()
    assert (place / PROGRAM_FILE).read_bytes() == (source / PROGRAM_FILE).read_bytes()
    assert load_program(place / PROGRAM_FILE).name == "access"
    assert len(hash_of_it) == 16
