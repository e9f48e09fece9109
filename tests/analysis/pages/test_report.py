"""A report says what the certificates say, fits into one file, and lets no text become markup."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from agents import zoo
from agents.checkpoint import AGENT_FILE
from agents.metrics import METRICS_FILE
from analysis import find_program
from analysis.commands.cli import main
from analysis.explanation.at_hand import AtHand
from analysis.pages.claims import claims_of, headline, not_claimed
from analysis.pages.markup import data_block
from analysis.pages.report import report_page
from analysis.pages.subject import Subject, find_subject
from analysis.program.certificate import NOT_AT_HAND, Certificate
from analysis.program.file import save_program
from nram_env.markup import tag
from nram_env.tasks import get_task
from tests.analysis.programs import CASES, program_of

ELEMENTS_WITHOUT_END = {"meta", "input", "br", "hr"}
NAME = "</script><b>x"


class Elements(HTMLParser):
    """What a page is made of; fails where elements do not nest."""

    def __init__(self, page):
        super().__init__()
        self.open, self.names, self.ids, self.attributes, self.text = [], [], [], [], {}
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, name, attributes):
        self.names.append(name)
        self.attributes += [(name, *pair) for pair in attributes]
        self.ids += [value for key, value in attributes if key == "id"]
        if name not in ELEMENTS_WITHOUT_END and not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append(name)

    def handle_startendtag(self, name, attributes):
        self.handle_starttag(name, attributes)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, data):
        self.text[self.open[-1] if self.open else ""] = data


def subject_of(program, task=None, standing=None):
    evidence = Path("nowhere.proof.zip")
    return Subject("p.json", AtHand(program, evidence, standing), task=task and get_task(task))


@pytest.mark.parametrize("name", zoo.entries())
def test_the_report_of_a_zoo_entry_is_one_small_file_that_asks_for_nothing(
    name, evidence_believed, nothing_measured
):
    page = report_page(find_subject(f"zoo:{name}"))
    assert len(page.encode()) < 1_000_000
    found = Elements(page)
    assert len(found.ids) == len(set(found.ids))
    assert not {"link", "img", "iframe", "object", "base"} & set(found.names)
    assert not [item for item in found.attributes if item[1] == "src" or item[1].startswith("on")]
    links = {value for _, key, value in found.attributes if key == "href"}
    assert links
    assert all(link.startswith("#") and link[1:] in found.ids for link in links)
    assert "http:" not in page
    assert "https:" not in page


def test_a_badge_and_the_exact_statement_stand_for_every_claim(evidence_believed, nothing_measured):
    subject = find_subject("zoo:copy")
    page = report_page(subject)
    for form in (subject.long, subject.short):
        for certificate in form.program.certificates:
            assert certificate.claim in page
            bound = tag("p", str(certificate).removeprefix(f"{certificate.verdict} "))
            assert bound.removeprefix("<p>").removesuffix("</p>") in page
    assert "Of the program copy (program.json) and the task copy it is claimed," in page
    assert "To be trusted: the specification above" in page


def test_a_proof_without_its_evidence_is_not_called_proved():
    program = find_program("zoo:copy")
    badges = {claim.title: claim.badge for claim in claims_of(AtHand(program, Path("x"), NOT_AT_HAND))}
    assert badges["Right on every legal memory of every size"] == "NOT AT HAND"
    said = not_claimed(subject_of(program, "copy", NOT_AT_HAND))
    assert (
        said[0]
        == f"That the program is right at every size: no proof of that was seen to hold here ({NOT_AT_HAND})."
    )


def test_a_refutation_is_a_badge_with_its_instance():
    found = Certificate(
        "random", "output right", "REFUTED", "100 instances", 100, "mem = [2, 1, 0]: cell 2 holds 0"
    )
    page = report_page(subject_of(program_of(CASES["copy"]).with_certificates(found)))
    assert '<span class="badge refuted">REFUTED</span>' in page
    assert "by mem = [2, 1, 0]: cell 2 holds 0" in page


def test_what_was_never_checked_is_said_not_to_be_claimed():
    page = report_page(subject_of(program_of(CASES["copy"])))
    assert "Nothing was checked yet." in page
    assert "That the program is the hardened network in every case: the two were not compared." in page
    assert "That it stops by itself." in page


def test_no_text_becomes_markup():
    program = replace(program_of(CASES["copy"]), name=NAME, states=(NAME, "<!--"), origin={"note": NAME})
    page = report_page(subject_of(program, "copy"))
    assert "<b>" not in page
    assert page.count("</script>") == 2
    assert "<!--" not in page
    assert tag("p", NAME) in page or f"Program {tag('p', NAME)[3:-4]}" in page
    Elements(page)


def test_data_comes_back_as_it_went_in():
    data = {"name": NAME, "numbers": [1, 2.5, None], "more": "\u2028<!--"}
    block = str(data_block("x", data))
    text = re.fullmatch(r'<script type="application/json" id="x">([^<]*)</script>', block)
    assert text
    assert json.loads(text[1]) == data


def test_the_verb_writes_the_page_of_a_program_s_file(tmp_path, capsys):
    save_program(replace(program_of(CASES["reverse"]), task="reverse"), tmp_path / "reverse.json")
    assert main(["report", str(tmp_path / "reverse.json"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["file"] == str(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert found["bytes"] == len(page.encode())
    assert "The network is not at hand, so nothing is measured of it here." in page


def test_the_report_of_a_run_folder_shows_its_learning_curves(tmp_path, nothing_measured, evidence_believed):
    for path in (zoo.PLACE / "copy").glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / AGENT_FILE).write_bytes((zoo.PLACE / "copy" / AGENT_FILE).read_bytes())
    entry = {"level": 3, "error": None, "loss": 2.5, "solved": 0, "restarts": 0, "seconds": 1.0}
    lines = [
        entry | {"update": 1},
        entry | {"update": 2, "error": 0.5},
        entry | {"update": 1000, "error": 0.25},
    ]
    (tmp_path / METRICS_FILE).write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    page = report_page(find_subject(str(tmp_path)))
    Elements(page)
    title = "exact error at the highest level, best member"
    assert f'aria-label="{title} over 3 updates: 0.5 at first, 0.25 at last"' in page
    assert page.count('class="curve"') == 4  # no run says what an output cell loses
    assert "No record of its training is at hand." not in page


def test_a_place_that_cannot_be_written_is_an_error(capsys):
    assert main(["report", "zoo:access", "--out", "/dev/null/report.html"]) == 2
    assert "/dev/null" in capsys.readouterr().err


def test_a_network_that_leaves_its_program_is_told_among_the_claims_and_not_in_the_headline():
    subject = find_subject("zoo:increment")
    told = {claim.title: claim.badge for claim in claims_of(subject.long)}
    assert told["The same as the hardened network, on runs far longer than all others"] == "REFUTED"
    assert "REFUTED" not in headline(subject)
    assert "PROVED" in headline(subject)
