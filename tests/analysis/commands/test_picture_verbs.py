"""`nram trace` and `nram export`: what they print, and what they say when they cannot."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest

from agents import zoo
from analysis.commands.cli import main
from analysis.program.file import save_program
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
    assert main(["trace", copy_file, "--n", "3", "--seed", "4"]) == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == get_task("copy").horizon(3) + 2
    assert captured.err == "ended by horizon\n"


def test_the_same_seed_traces_the_same_instance_and_another_seed_another(copy_file, capsys):
    tables = []
    for seed in (1, 1, 2):
        main(["trace", copy_file, "--n", "4", "--seed", str(seed)])
        tables.append(capsys.readouterr().out)
    assert tables[0] == tables[1] != tables[2]


def test_trace_takes_a_memory_and_a_number_of_steps(nameless_file, capsys):
    memory = map(str, CASES["access"].rows[0]["memory"])
    assert main(["trace", nameless_file, "--memory", *memory, "--steps", "2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [row["memory"] for row in report["rows"]] == [row["memory"] for row in CASES["access"].rows[:3]]
    assert report["rows"][0]["accesses"][0]["gate"] == "READ"
    assert report["outcome"] == "horizon"


def test_trace_prints_latex(copy_file, capsys):
    main(["trace", copy_file, "--n", "2", "--latex"])
    assert capsys.readouterr().out.startswith(r"\begin{tabular}")


def test_without_a_task_trace_asks_for_what_it_needs(nameless_file, capsys):
    assert main(["trace", nameless_file]) == 2
    assert "names no task to draw an input from; give --memory" in capsys.readouterr().err
    assert main(["trace", nameless_file, "--memory", "1", "0"]) == 2
    assert "no horizon is known; give --steps" in capsys.readouterr().err


def test_a_memory_that_is_none_of_the_task_is_refused(copy_file, capsys):
    assert main(["trace", copy_file, "--memory", "3", "1", "2", "0", "9"]) == 2
    assert "task copy: cell" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("to", "start"), [("python", '"""Program copy'), ("c", "/* Program"), ("svg", "<svg")]
)
def test_export_writes_the_file_and_says_so(copy_file, tmp_path, capsys, to, start):
    out = tmp_path / "new" / "copy.file"
    assert main(["export", copy_file, "--to", to, "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["file"] == str(out)
    assert out.read_text().startswith(start)


def test_programs_are_traced_and_exported_without_torch(copy_file, tmp_path):
    export = ["export", copy_file, "--to", "c", "--out", str(tmp_path / "copy.c")]
    code = (
        "import sys; from analysis.commands.cli import main; "
        f"sys.exit(main({['trace', copy_file]}) or main({export}) or 'torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


@pytest.mark.parametrize("kind", ["python", "c", "svg"])
def test_export_without_a_file_prints(kind, tmp_path, capsys):
    file = tmp_path / "file"
    assert main(["export", "zoo:access", "--to", kind, "--out", str(file)]) == 0
    capsys.readouterr()
    assert main(["export", "zoo:access", "--to", kind]) == 0
    assert capsys.readouterr().out == file.read_text()
    assert main(["export", "zoo:access", "--to", kind, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["text"] == file.read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--memory", "1", "2", "99"], "an integer in 0..2"),
        (["run", "--n", "0"], "at least"),
        (["run", "--steps", "-1"], "steps must be at least 0, got -1"),
        (["run", "--task", "coppy"], "did you mean 'copy'"),
        (["trace", "--memory", "1", "2", "99"], "an integer in 0..2"),
        (["trace", "--steps", "-1"], "steps must be at least 0, got -1"),
        (["verify", "--n", "0"], "at least"),
        (["verify", "--examples", "0"], "examples must be at least 1, got 0"),
        (["verify", "--agent", "nowhere"], "there is no nowhere"),
    ],
)
def test_a_bad_input_is_rejected_before_the_work(words, said, monkeypatch, capsys):
    """Here the work is the extraction of a program, which takes long."""
    work = lambda *arguments, **options: pytest.fail("worked")  # noqa: E731
    monkeypatch.setattr("analysis.extraction.resolve.extract", work)
    agent = str(zoo.PLACE / "access" / "agent.safetensors")
    assert main([words[0], agent, *words[1:]]) == 2
    assert said in capsys.readouterr().err
