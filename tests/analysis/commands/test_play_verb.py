"""`nram play`: a game out of a pipe, at a terminal, and one that is broken off."""

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path
from select import select

import pytest

from analysis.commands.cli import main

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "play.md"
SOLUTION = "r0 = read r0\nwrite 0 read(r0); stop\n"


@pytest.fixture
def play(monkeypatch, capsys):
    def played(lines: str, *words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(lines))
        code = main(["play", *words])
        return code, *capsys.readouterr()

    return played


def test_the_page_shows_a_game_as_it_is_played(play):
    shown = re.search(r"```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
    lines = re.findall(r"^(?:t\d+|end)> (.*)$", shown, re.MULTILINE)
    code, said, _ = play("\n".join(lines) + "\n", "copy")
    assert code == 0
    assert shown in said


def test_the_end_of_a_pipe_ends_the_game(play):
    code, said, errors = play("r0 = read r0\n", "access")
    assert (code, errors) == (0, "")
    assert "wanted  mem[0] = before[before[0]]" in said
    assert said.endswith("access: not stopped after 1 timestep (zoo:access takes 2)\n")
    assert "\x1b" not in said


def test_json_is_one_object_and_the_game_is_beside_it(play):
    code, said, errors = play(SOLUTION, "access", "--n", "4", "--seed", "1", "--json")
    found = json.loads(said)
    assert (code, found["right"], found["timesteps"], found["program_timesteps"]) == (0, True, 2, 2)
    assert found["lines"] == SOLUTION.splitlines()
    assert "access: solved" in errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["copyy"], "unknown task 'copyy'; did you mean 'copy'?"),
        (["copy", "--n", "0"], "difficulty of task copy must be at least 1, got 0"),
        (["copy", "--memory-size", "4"], "needs memory_size >= 7, got 4"),
        (["copy", "--n", "100"], "a game has at most M = 64, got M = 201 (n = 100)"),
        (["copy", "--program", "zoo:access"], "program zoo:access is for task access, not for copy"),
        (["copy", "--program", "nothing"], "there is no nothing"),
    ],
)
def test_what_cannot_be_played_is_said_at_once(play, words, said):
    code, shown, errors = play("", *words)
    assert (code, shown) == (2, "")
    assert said in errors


def test_a_task_of_ones_own_is_played_without_a_program(play, tmp_path):
    source = tmp_path / "poured.py"  # under a name that no other test of this process registers
    text = (ROOT / "tests" / "custom_task.py").read_text()
    source.write_text(text.replace('"fill"', '"poured"').replace('"Fill"', '"Poured"'))
    code, said, _ = play("hint\nr0 = 1\n", "poured", "--import", str(source))
    assert code == 0
    assert "there is no program of poured to ask; --program names one" in said
    assert "poured: not stopped after 1 timestep (T(n) = 5)" in said


PATIENCE = 10.0
"""Seconds without output after which the last key is pressed again."""


def at_a_terminal(*keys: bytes) -> tuple[int, str]:
    """Play with a terminal for input and output; the next keys are pressed whenever a prompt appears."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "analysis.commands.cli", "play", "access"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    environment.pop("NO_COLOR", None)
    streams = {"stdin": follower, "stdout": follower, "stderr": follower}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, **streams)
    os.close(follower)
    said, waiting, pressed = "", list(keys), b""
    while True:
        if not select([leader], [], [], PATIENCE)[0]:
            press(process, leader, pressed)  # a signal between the prompt and the wait for a key wakes nobody
            continue
        try:
            part = os.read(leader, 4096).decode()
        except OSError:  # the other end is closed
            break
        said += part
        if waiting and re.search(r"(t\d+|end)> $", said):
            pressed = waiting.pop(0)
            press(process, leader, pressed)
    os.close(leader)
    return process.wait(), said


def press(process: subprocess.Popen[bytes], leader: int, key: bytes) -> None:
    """Press a key at the terminal, which makes a signal of Ctrl-C."""
    if key == b"\x03":
        process.send_signal(signal.SIGINT)
    else:
        os.write(leader, key)


def test_at_a_terminal_there_is_colour_and_the_end_of_input_is_polite():
    code, said = at_a_terminal(b"r0 = read r0\n", b"\x04")
    assert code == 0
    assert "\x1b[" in said
    assert said.replace("\r", "").endswith("access: not stopped after 1 timestep (zoo:access takes 2)\n")


def test_an_interruption_is_polite():
    code, said = at_a_terminal(b"\x03")
    assert code == 130
    assert "access: not stopped after 0 timesteps" in said
    assert said.replace("\r", "").endswith("nram: interrupted\n")
    assert "Traceback" not in said
