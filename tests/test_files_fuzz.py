"""Broken files of every kind: a few hundred here, ten thousand by `python benchmarks/fuzz_files.py`."""

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from nram_env.files import FileError

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("fuzz_files")


def run(script, monkeypatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["fuzz_files.py", *words])
    return script.main()


def test_every_broken_file_is_one_clear_error_or_read_as_what_it_says(script, monkeypatch, capsys):
    words = ("--count", "240", "--seed", "5", "--list")
    codes, outputs = [], []
    for _ in range(2):
        codes.append(run(script, monkeypatch, *words))
        outputs.append([line for line in capsys.readouterr().out.splitlines() if ": refused" in line])
    assert codes == [0, 0]
    assert len(outputs[0]) > 150
    assert outputs[0] == outputs[1], "the same seed breaks the same files"


@pytest.fixture(scope="module")
def configurations(tmp_path_factory):
    """The kind of file with settings; to make files of every kind takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        return importlib.import_module("fuzz_files").kinds(tmp_path_factory.mktemp("good"))["config"]


@pytest.mark.parametrize(
    ("load", "fault"),
    [
        (lambda file: {}, "a silent acceptance"),
        (lambda file: 1 / 0, "ZeroDivisionError"),
        (lambda file: _refuse("something is wrong"), "an error without the file's name"),
        (lambda file: _refuse(f"{file}: two\nlines"), "an error that is no short line"),
    ],
)
def test_the_script_notices_what_is_wrong(script, configurations, monkeypatch, capsys, load, fault):
    spoiled = {"config": replace(configurations, load=load)}
    monkeypatch.setattr(script, "kinds", lambda folder: spoiled)
    assert run(script, monkeypatch, "--count", "12") == 1
    assert fault in capsys.readouterr().out


def _refuse(message: str) -> None:
    raise FileError(message)
