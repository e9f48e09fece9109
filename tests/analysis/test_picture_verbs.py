"""`nram trace` and `nram export`: what they print, and what they say when they cannot."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from analysis.commands.pictures import Export, Trace
from analysis.program_file import save_program
from nram_env.tasks import get_task
from tests.analysis.programs import CASES, program_of


@pytest.fixture
def copy_file(tmp_path):
    save_program(replace(program_of(CASES["copy"]), task="copy"), tmp_path / "copy.json")
    return str(tmp_path / "copy.json")


@pytest.fixture
def nameless_file(tmp_path):
    save_program(program_of(CASES["access"]), tmp_path / "access.json")
    return str(tmp_path / "access.json")


def test_trace_prints_the_run_of_a_random_instance(copy_file, capsys):
    assert Trace(copy_file, n=3, seed=4)() == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == get_task("copy").horizon(3) + 2
    assert captured.err == "ended by horizon\n"


def test_the_same_seed_traces_the_same_instance_and_another_seed_another(copy_file, capsys):
    tables = []
    for seed in (1, 1, 2):
        Trace(copy_file, n=4, seed=seed)()
        tables.append(capsys.readouterr().out)
    assert tables[0] == tables[1] != tables[2]


def test_trace_takes_a_memory_and_a_number_of_steps(nameless_file, capsys):
    memory = tuple(CASES["access"].rows[0]["memory"])
    assert Trace(nameless_file, memory=memory, steps=2, json=True)() == 0
    report = json.loads(capsys.readouterr().out)
    assert [row["memory"] for row in report["rows"]] == [row["memory"] for row in CASES["access"].rows[:3]]
    assert report["rows"][0]["accesses"][0]["gate"] == "READ"
    assert report["outcome"] == "horizon"


def test_trace_prints_latex(copy_file, capsys):
    Trace(copy_file, n=2, latex=True)()
    assert capsys.readouterr().out.startswith(r"\begin{tabular}")


def test_without_a_task_trace_asks_for_what_it_needs(nameless_file):
    with pytest.raises(ValueError, match="names no task to draw an input from; give --memory"):
        Trace(nameless_file)()
    with pytest.raises(ValueError, match="no horizon is known; give --steps"):
        Trace(nameless_file, memory=(1, 0))()


def test_a_memory_that_is_none_of_the_task_is_refused(copy_file):
    with pytest.raises(ValueError, match="task copy: cell"):
        Trace(copy_file, memory=(3, 1, 2, 0, 9))()


@pytest.mark.parametrize(
    ("to", "start"), [("python", '"""Program copy'), ("c", "/* Program"), ("svg", "<svg")]
)
def test_export_writes_the_file_and_says_so(copy_file, tmp_path, capsys, to, start):
    out = tmp_path / "new" / "copy.file"
    assert Export(copy_file, to=to, out=out, json=True)() == 0
    assert json.loads(capsys.readouterr().out)["file"] == str(out)
    assert out.read_text().startswith(start)


def test_programs_are_traced_and_exported_without_torch(copy_file, tmp_path):
    code = (
        "import sys; from pathlib import Path; from analysis.commands.pictures import Export, Trace; "
        f"Trace({copy_file!r})(); Export({copy_file!r}, to='c', out=Path({str(tmp_path / 'copy.c')!r}))(); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
