"""The verbs that read programs: what they print, what they return, and what they say about bad input."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from agents import zoo
from agents.checkpoint import AGENT_FILE, Agent, save_agent
from analysis.commands.cli import main
from analysis.extraction.names import name_registers
from analysis.program.file import load_program, save_program
from analysis.simplification.program import simplify_program
from tests.analysis.programs import (
    CASES,
    endless_where_the_first_value_is_1,
    program_of,
    stopping_at_zero,
)
from tests.analysis.weights import lstm_weights


@pytest.fixture
def saved(tmp_path):
    program = name_registers(simplify_program(program_of(CASES["reverse"])))
    path = tmp_path / "reverse.json"
    save_program(replace(program, task="reverse"), path)
    return str(path)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("run")
    controller = lstm_weights(program_of(CASES["reverse"]), np.random.default_rng(0))
    agent = Agent(controller.to(torch.float32), "reverse", {"config": {"max_level": 3}})
    save_agent(folder / AGENT_FILE, agent)
    return folder


def _json(capsys, *arguments):
    code = main([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_extract_saves_the_program_and_prints_it(run_folder, capsys):
    code, result = _json(capsys, "extract", str(run_folder))
    assert code == 0
    assert result["equal"] is True
    assert load_program(result["file"]).task == "reverse"
    assert "mem[p + p - i - 1] = mem[i]" in result["listing"]


@pytest.mark.parametrize(
    ("view", "text"),
    [
        ("listing", "as code"),
        ("choices", "gate13.WRITE.p"),
        ("circuit", "WRITE"),
        ("machine", "S0 -> S1"),
    ],
)
def test_show_has_four_views(saved, view, text, capsys):
    assert main(["show", saved, "--view", view]) == 0
    assert text in capsys.readouterr().out


def test_show_needs_no_torch(saved):
    words = ["show", saved]
    code = f"import sys; from analysis.commands.cli import main; main({words}); "
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_verify_reports_every_size_and_fails_where_a_check_is_refuted(saved, tmp_path, capsys):
    code, result = _json(capsys, "verify", saved, "--n", "500")
    assert (code, result["right"]) == (0, True)
    assert [check["n"] for check in result["checks"]] == [8, 32, 100, 500]
    code, result = _json(capsys, "verify", saved, "--task", "copy")
    assert (code, result["right"]) == (1, False)


def test_run_executes_a_given_memory_and_says_whether_the_output_is_right(saved, capsys):
    code, result = _json(capsys, "run", saved, "--memory", *"4651000")
    assert code == 0
    assert result["memory"] == [4, 6, 5, 1, 1, 5, 6]
    code, result = _json(capsys, "run", saved, "--n", "3", "--steps", "2")
    assert (code, result["right"], result["outcome"]) == (1, False, "horizon")


def test_run_goes_on_until_a_program_stops_by_itself(tmp_path, capsys):
    """The paper's Reverse, until its counter has come round, in a memory of many times what n needs."""
    place = tmp_path / "reverse.json"
    save_program(replace(stopping_at_zero(program_of(CASES["reverse"]), register=2), task="reverse"), place)
    memory = ["3", "7", "5", *["0"] * 197]
    code, result = _json(capsys, "run", str(place), "--memory", *memory)
    assert (code, result["outcome"], result["steps"]) == (0, "halted", 201)
    assert result["memory"][3:5] == [5, 7]
    code, result = _json(capsys, "trace", str(place), "--memory", *memory)
    assert (code, result["outcome"], len(result["rows"])) == (0, "halted", 202)


def test_run_calls_wrong_what_should_stop_by_itself_and_does_not(tmp_path, capsys):
    place = tmp_path / "access.json"
    save_program(endless_where_the_first_value_is_1(), place)
    assert main(["run", str(place), "--memory", "1", "1", "0"]) == 1
    assert "99 steps, did not stop by itself; output WRONG" in capsys.readouterr().out


def test_diff_tells_same_from_different(saved, tmp_path, capsys):
    other = tmp_path / "copy.json"
    save_program(simplify_program(program_of(CASES["copy"])), other)
    code, result = _json(capsys, "diff", saved, saved)
    assert (code, result["same"]) == (0, True)
    code, result = _json(capsys, "diff", saved, str(other))
    assert (code, result["same"]) == (1, False)
    assert result["difference"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show", "nowhere.json"], "there is no nowhere.json; a program is a file, a run folder"),
        (["show", "zoo:coppy"], "unknown zoo entry 'coppy'"),
        (["verify", "SAVED", "--task", "revers"], "unknown task 'revers'; did you mean 'reverse'"),
        (["run", "SAVED", "--memory", "0", "1", "2"], "task reverse: cell 0 holds 0"),
    ],
)
def test_bad_input_gets_one_clear_error_and_exit_code_2(words, message, saved, capsys):
    assert main([saved if word == "SAVED" else word for word in words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err


def test_extract_does_not_replace_a_file_of_its_usual_name_that_is_no_program(tmp_path, capsys):
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes((zoo.PLACE / "access" / "agent.safetensors").read_bytes())
    (tmp_path / "program.json").write_text('{"mine": 1}')
    assert main(["extract", str(copy)]) == 2
    assert "something else than a program; name another file with --out" in capsys.readouterr().err
    assert (tmp_path / "program.json").read_text() == '{"mine": 1}'
