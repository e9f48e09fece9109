"""What is printed fits the page: the terminal, COLUMNS, or a page's usual width where there is neither."""

from __future__ import annotations

import pytest

from agents import zoo
from analysis.commands.cli import main
from analysis.extraction.resolve import find_program, find_short
from analysis.printing.page import Short, listing
from analysis.program.text import WIDTH, hanging
from analysis.proofs import certify
from analysis.proofs.certify import CHECKED
from analysis.proofs.evidence import load_evidence
from analysis.proofs.recheck import Recheck

PROGRAMS = sorted(zoo.entries())


@pytest.fixture(autouse=True)
def no_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Evidence is read and compared with the claim, but no solver is asked: what it says is known."""
    monkeypatch.setattr(certify, "recheck", lambda path, *_, **__: Recheck(load_evidence(path), 0, ()))


def widest(text: str) -> int:
    return max(map(len, text.splitlines()))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_listing_keeps_within_its_width_and_says_the_same(name: str) -> None:
    program = find_program(f"zoo:{name}")
    said = listing(program).split()
    for width in (60, 80, 200):
        shown = listing(program, width)
        assert widest(shown) <= width
        assert shown.split() == said


@pytest.mark.parametrize("columns", ["80", "200"])
@pytest.mark.parametrize(
    "words",
    [
        ["show", "zoo:listsearch"],
        ["show", "zoo:listsearch", "--view", "choices"],
        ["show", "zoo:listsearch", "--view", "circuit"],
        ["show", "zoo:listsearch", "--view", "machine"],
        ["verify", "zoo:access", "--n", "8"],
        ["zoo"],
        ["tasks"],
        ["eval", "zoo:access", "--hardening", "--examples", "4", "--sizes", "1", "2", "3", "4", "5", "6"],
    ],
)
def test_a_verb_keeps_within_the_columns_that_there_are(
    words: list[str], columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert main(words) == 0
    assert widest(capsys.readouterr().out) <= int(columns)


def test_a_wide_terminal_is_used(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    shown = {}
    for columns in ("80", "200"):
        monkeypatch.setenv("COLUMNS", columns)
        assert main(["show", "zoo:merge"]) == 0
        shown[columns] = capsys.readouterr().out
    assert widest(shown["200"]) > 150
    assert shown["200"].count("\n") < shown["80"].count("\n")


@pytest.mark.parametrize("columns", ["", "0", "-5", "many"])
def test_where_nothing_says_how_wide_a_page_is_it_has_its_usual_width(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("sys.__stdout__", None)
    assert main(["show", "zoo:copy"]) == 0
    program = find_program("zoo:copy")
    short = Short(find_short("zoo:copy", program)[0], CHECKED)
    assert capsys.readouterr().out.rstrip("\n") == listing(program, WIDTH, CHECKED, short).rstrip("\n")


def test_a_word_that_is_wider_than_the_page_stays_whole() -> None:
    assert hanging("a " + "b" * 50, 40, 2) == "a\n  " + "b" * 50
