"""The README's Python examples run, do what they say, and are as short as it says."""

import re
import textwrap
from pathlib import Path

import pytest

from analysis.commands.cli import main

README = Path(__file__).parent.parent / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)


def run(example: str) -> dict:
    names: dict = {}
    exec(compile(example, str(README), "exec"), names)
    return names


def test_the_readme_has_the_three_examples():
    marks = ("gym.make(", "differentiable=True", "extract(")
    assert [mark in example for mark, example in zip(marks, EXAMPLES, strict=True)] == [True, True, True]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_imports_from_the_faces_alone(example):
    lines = [
        line for line in example.splitlines() if re.match(r"(from|import) (nram_env|agents|analysis)", line)
    ]
    assert lines
    assert all(re.match(r"(from|import) \w+($|\s)", line) for line in lines)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_about_ten_lines(example):
    assert len([line for line in example.splitlines() if line.strip()]) <= 11


def test_the_environment_example_plays_an_episode(capsys):
    names = run(EXAMPLES[0])
    assert names["terminated"]
    assert names["total"] < 0
    assert "minus the loss of a random controller: -" in capsys.readouterr().out


def test_the_gradient_example_reaches_the_controller():
    gradient = run(EXAMPLES[1])["controller"].weight.grad
    assert gradient.isfinite().all()
    assert gradient.abs().sum() > 0


def test_the_example_in_python_reads_the_program_that_it_trained(capsys):
    names = run(EXAMPLES[2])
    printed = capsys.readouterr().out
    assert printed.startswith("program access")
    assert names["program"].task == "access"
    assert printed.count("TESTED on") >= 5


def test_the_listing_in_the_readme_is_whole(monkeypatch, capsys):
    """COLUMNS=100 nram show zoo:copy prints it, for when it has changed."""
    monkeypatch.setenv("COLUMNS", "100")
    assert main(["show", "zoo:copy"]) == 0
    assert textwrap.indent(capsys.readouterr().out.rstrip("\n"), "    ") in README.read_text()
