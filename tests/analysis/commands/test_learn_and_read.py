"""The example that goes the whole path, from examples of Access to its two-line program."""

import runpy
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[3] / "examples" / "learn_and_read.py"


def test_the_example_learns_access_and_prints_a_program_that_is_right_at_n_1000(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(EXAMPLE)])
    assert runpy.run_path(str(EXAMPLE))["main"]() == 0
    said = capsys.readouterr().out
    assert "program access" in said
    assert "mem[0] = mem[" in said
    assert "n = 1000, M = 1002: 0 wrong cells" in said
