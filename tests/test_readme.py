"""The README's Python examples run, do what they say, and are as short as it says."""

import re
import textwrap
from pathlib import Path

import pytest

from analysis.extraction.resolve import find_program
from analysis.printing.page import listing

README = Path(__file__).parent.parent / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)


def run(example: str) -> dict:
    names: dict = {}
    exec(compile(example, str(README), "exec"), names)
    return names


def test_the_readme_has_the_two_examples():
    assert ["gym.make(" in EXAMPLES[0], "differentiable=True" in EXAMPLES[1], len(EXAMPLES)] == [
        True,
        True,
        2,
    ]


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


def test_the_listing_in_the_readme_is_whole():
    """COLUMNS=100 nram show zoo:copy prints it, for when it has changed."""
    listed = listing(find_program("zoo:copy"))
    assert textwrap.indent(listed, "    ") in README.read_text()
