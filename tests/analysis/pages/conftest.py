"""Reports of the zoo, and a browser to open them in."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from analysis.pages import learning
from analysis.pages.report import report_page
from analysis.pages.subject import Subject, find_subject
from analysis.program.certificate import NOT_AT_HAND
from analysis.proofs.certify import CHECKED
from tests.browser import Browser, opened_browser

Written = Callable[[Subject], Path]


def believe_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Solvers take a minute, and have tests of their own."""
    held = lambda program, evidence: CHECKED if evidence.is_file() else NOT_AT_HAND  # noqa: E731
    monkeypatch.setattr("analysis.explanation.at_hand.standing", held)


@pytest.fixture
def evidence_believed(monkeypatch):
    believe_evidence(monkeypatch)


@pytest.fixture
def nothing_measured(monkeypatch):
    monkeypatch.setattr(learning, "_hardening", lambda subject: iter(()))


@pytest.fixture(scope="session")
def browser(tmp_path_factory) -> Iterator[Browser]:
    """One for all tests of a process."""
    with opened_browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="session")
def written(tmp_path_factory) -> Written:
    """Writes the report of a subject to a file."""

    def write(subject: Subject) -> Path:
        page = tmp_path_factory.mktemp("report") / "report.html"
        page.write_text(report_page(subject), encoding="utf-8")
        return page

    return write


@pytest.fixture(scope="session")
def zoo_report(written) -> Callable[[str], Path]:
    """The report of an entry of the zoo, with what is measured of its network."""

    @cache
    def report(name: str) -> Path:
        with pytest.MonkeyPatch.context() as monkeypatch:
            believe_evidence(monkeypatch)
            return written(find_subject(f"zoo:{name}"))

    return report
