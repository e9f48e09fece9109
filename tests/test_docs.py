"""Blocks of code in README, CONTRIBUTING and docs: Python runs, commands are known, or they say why not."""

import importlib
import re
import shlex
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

from analysis.commands.cli import VERBS, main
from benchmarks.beyond import page, read_rows
from docs import draw_badges, draw_hero
from docs.site.links import in_site

ROOT = Path(__file__).parent.parent
MADE = {"api.md", "beyond.md", "readable.md", "results.md", "seeds.md", "specifications.md"}
"""Pages that scripts and commands write, compared with what writes them by other tests."""

TESTED = {"README.md": "tests/test_readme.py", "tasks.md": "tests/env/test_imported_tasks.py"}
"""Pages whose Python is run by a test of their own."""

PAGES = [path for path in sorted((ROOT / "docs").glob("*.md")) if path.name not in MADE]
PAGES += [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
FENCED = re.compile(
    r"^(?:<!-- not run: (?P<reason>.+) -->\n)?```(?P<language>.*)\n(?P<code>(?s:.*?))^```$", re.M
)


class Block(NamedTuple):
    reason: str | None
    language: str
    code: str


def blocks(page: Path, language: str) -> list[Block]:
    """Those that are to be run."""
    found = [Block(*match.groups()) for match in FENCED.finditer(page.read_text(encoding="utf-8"))]
    return [block for block in found if block.language == language and block.reason is None]


def commands() -> list[tuple[str, str]]:
    """Every command of every page, with the name of the page."""
    lines = (
        (page.name, shlex.split(line, comments=True))
        for page in PAGES
        for block in blocks(page, "bash")
        for line in block.code.replace(" && ", "\n").splitlines()
    )
    return sorted({(page, shlex.join(words)) for page, words in lines if words})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page):
    languages = {match["language"] for match in FENCED.finditer(page.read_text(encoding="utf-8"))}
    assert languages <= {"python", "bash", "text", "toml"}


@pytest.mark.parametrize(
    "page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name
)
def test_the_python_of_a_page_runs_and_prints_what_it_says(page, monkeypatch, capsys):
    if page.name in TESTED:
        assert page.name in (ROOT / TESTED[page.name]).read_text(encoding="utf-8")
        return
    monkeypatch.chdir(ROOT)
    names: dict = {}
    for block in blocks(page, "python"):
        exec(compile(block.code, page.name, "exec"), names)
        printed = capsys.readouterr().out.splitlines()
        assert printed == re.findall(r"^print\(.*\)  # (.+)$", block.code, re.MULTILINE)


@pytest.mark.parametrize(("page", "command"), commands())
def test_a_command_of_a_page_is_known(page, command, monkeypatch):
    first, *words = shlex.split(command)
    if first == "nram":
        assert is_parsed(words, monkeypatch), command
    elif first == "make":
        assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text(), re.MULTILINE), command
    elif first == "pip":
        assert set(re.findall(r"\[(.*?)\]", words[1])) <= extras(), command
    elif first == "python":
        assert is_there(words), command
    else:
        assert first in (".", "cp", "python3", "source"), command


def is_parsed(words: list[str], monkeypatch) -> bool:
    """Whether the command line takes the words; what they ask for is not done."""
    if words[0] in VERBS:
        module, _, verb = VERBS[words[0]][0].partition(":")
        found = getattr(importlib.import_module(f"analysis.commands.{module}"), verb)
        monkeypatch.setattr(found, "__call__", lambda self: 0)
    return main(words) == 0


def extras() -> set[str]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"].keys()


def is_there(words: list[str]) -> bool:
    file = words[1].replace(".", "/") + ".py" if words[0] == "-m" else words[0]
    return (ROOT / file).is_file()


def test_the_badges_of_the_readme_are_true():
    shown = draw_badges.PAGE.read_text(encoding="utf-8")
    assert shown == draw_badges.badges(), "run python -m docs.draw_badges --write"


def test_the_picture_of_the_readme_is_as_drawn():
    shown, drawn = draw_hero.PAGE.read_text(encoding="utf-8"), draw_hero.hero()
    shade = re.compile(r'fill-opacity="(.*?)"')
    assert shade.sub("", shown) == shade.sub("", drawn), "run python -m docs.draw_hero --write"
    assert list(map(float, shade.findall(shown))) == pytest.approx(
        list(map(float, shade.findall(drawn))), abs=0.02
    )


@pytest.mark.parametrize(
    ("link", "folder", "found"),
    [
        ("[a](docs/tasks.md#b)", "", "[a](tasks.md#b)"),
        ("[a](CONTRIBUTING.md)", "", "[a](contributing.md)"),
        ("[a](../examples/copy.json)", "docs", "[a](examples.md#copy.json)"),
        ("[a](tasks.md) [b](#c) [d](https://e.org/f)", "docs", "[a](tasks.md) [b](#c) [d](https://e.org/f)"),
    ],
)
def test_a_link_of_the_checkout_leads_to_a_page_of_the_site(link, folder, found):
    assert in_site(link, folder) == found


def test_a_link_to_a_file_that_is_no_page_is_an_error():
    with pytest.raises(ValueError, match=r"\.\./setup\.py is no page of the site"):
        in_site("[a](../setup.py)", "docs")


def test_the_page_of_what_was_learned_beyond_the_ten_is_that_of_its_rows():
    rows = read_rows(ROOT / "docs" / "beyond.jsonl")
    study = tomllib.loads((ROOT / "docs" / "beyond.toml").read_text())
    assert (ROOT / "docs" / "beyond.md").read_text() == page(rows, study["minutes"])
    assert {row.task for row in rows} <= set(study["tasks"])
