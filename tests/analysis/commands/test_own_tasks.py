"""A task of one's own from one process to the next: trained, measured, read, checked, run and shown."""

import json
import os
import shlex
import subprocess
import sys

import pytest

from analysis.commands.cli import VERBS, main
from nram_env.tasks import task_names

TASK = """
import numpy as np
from nram_env.tasks import Task, TaskBatch, register_task

class Redoubled(Task):
    'Double the number in cell 0.'
    name, title, num_registers = "redoubled", "Redoubled", 2

    def smallest_memory_size(self, difficulty):
        return 2 * difficulty + 1

    def horizon(self, difficulty):
        return 2

    def draw(self, rng, difficulty, memory_size):
        memory = np.zeros((len(difficulty), memory_size), dtype=np.int64)
        memory[:, 0] = difficulty
        memory[:, 1] = rng.integers(0, memory_size, len(difficulty))
        mask = np.arange(memory_size) == np.zeros((len(difficulty), 1))
        return TaskBatch(memory, np.where(mask, 2 * memory, memory), mask, difficulty)

    def oracle(self, memory):
        return {0: 2 * memory[0]}

    def difficulty_of(self, memory):
        return memory[0]

register_task(Redoubled())
print("a line that is not part of any result")
"""

TRAIN = "train redoubled --run run --population 16 --max-level 4 --first-level 1 --json --import redoubled.py"


def fresh(folder, *calls):
    """What calls print in a fresh process, one after the other: for machines, and on standard error."""
    code = "from analysis.commands.cli import main; import sys; "
    code += f"sys.exit(any([main(words) for words in {calls}]))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return list(map(json.loads, done.stdout.splitlines())), done.stderr


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """A folder with the task's file and a run by another process, and what that said."""
    folder = tmp_path_factory.mktemp("my tasks")
    (folder / "redoubled.py").write_text(TASK)
    (report,), said = fresh(folder, shlex.split(TRAIN))
    assert report["best"]["held_out_hard_exact_error"] == 0
    return folder, said


@pytest.fixture
def trained(training):
    return training[0]


def test_a_run_on_ones_own_task_is_of_use_to_every_later_process_that_imports_it(trained):
    imported = ["--json", "--import", "redoubled.py"]
    results, _ = fresh(
        trained,
        ["eval", "run", "--sizes", "3", "9", "--examples", "20", *imported],
        ["extract", "run", *imported],
        ["show", "run", *imported],
        ["verify", "run", "--n", "20", "--examples", "20", *imported],
        ["run", "run", "--memory", "3", "0", "0", "0", "0", "0", "0", "0", *imported],
        ["train", "--run", "run", "--resume", *imported],
    )
    error, extracted, shown, right, ran, resumed = results
    assert all(row["exact_error"] == 0 for row in error["errors"])
    assert extracted["equal"]
    assert "Double the number in cell 0." in shown["listing"]
    assert right["right"]
    assert ran["memory"][0] == 6
    assert resumed["task"] == "redoubled"


@pytest.mark.parametrize(
    "words",
    [
        *("eval run", "extract run", "train --run run --resume", "plot run", "show run/agent.safetensors"),
        *("verify run", "run run", "run run/program.json --n 3", "trace run --n 3"),
    ],
)
def test_without_the_import_the_error_gives_the_exact_flag(trained, words, monkeypatch, capsys):
    monkeypatch.chdir(trained)
    before = sorted(trained.rglob("*"))
    assert main(shlex.split(words)) == 2
    said = capsys.readouterr().err
    flag = f"--import {shlex.quote(str(trained / 'redoubled.py'))}"
    assert "unknown task 'redoubled'; it was registered by redoubled.py: add " + flag in said
    assert said.count("\n") == 1
    assert "redoubled" not in task_names(), "loading a file runs no code"
    assert sorted(trained.rglob("*")) == before


def test_a_program_is_shown_without_its_task_and_says_what_would_register_it(trained, capsys):
    assert main(["show", str(trained / "run" / "program.json"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    path = str(trained / "redoubled.py")
    assert shown["program"]["imports"] == [path]
    said = " ".join(shown["listing"].split())
    assert f"registered by redoubled.py: add --import {shlex.quote(path)}" in said
    assert main(["trace", str(trained / "run"), "--memory", "3", *"0000000", "--steps", "2"]) == 0


def test_what_is_printed_to_go_on_has_the_flag(training):
    folder, said = training
    (line,) = [line for line in said.splitlines() if line.startswith("Next:")]
    first = shlex.split(line.partition("Next:")[2])[:5]
    assert first == ["nram", "show", "run", "--import", str(folder / "redoubled.py")]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_the_flag(verb, tmp_path, capsys):
    assert main([verb, "--help"]) == 0
    assert "--import FILE_OR_MODULE" in capsys.readouterr().out
    assert main([verb, "--import="]) == 2
    assert "cannot import '': there is no such file" in capsys.readouterr().err
    assert main([verb, "--import", str(tmp_path / "gone.py")]) == 2
    assert f"cannot import {tmp_path / 'gone.py'}: there is no such file" in capsys.readouterr().err


def test_a_plugin_that_is_broken_is_left_out_of_the_list_and_named(tmp_path, monkeypatch, capsys):
    info = tmp_path / "nram_extra-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nram-extra\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[nram.tasks]\nbroken = not_there:Task\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["tasks", "--json"]) == 0
    said = capsys.readouterr()
    assert "left out: task 'broken', not_there:Task of nram-extra 1.2, cannot be loaded" in said.err
    assert "broken" not in [task["name"] for task in json.loads(said.out)["tasks"]]
