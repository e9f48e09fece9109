"""The training verbs of `nram`: what they print, write and return."""

import json
import os
import shlex
import signal
from dataclasses import replace

import pytest
import torch

from agents import TrainConfig, zoo
from agents.device.engine import DeviceEngine
from agents.generic import generic_settings, islands_of
from analysis.commands.cli import VERBS, main
from analysis.commands.training import Train
from nram_env.tasks import get_task

QUICK = ["--population", "8", "--batch-size", "16", "--num-registers", "2", "--first-level", "1"]


@pytest.fixture(autouse=True)
def keep_threads():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def exit_code(*words: str) -> int:
    """Of a call, whether it is refused while its words are read or later."""
    try:
        return main(words)
    except SystemExit as stop:
        return stop.code


@pytest.fixture
def run(tmp_path):
    """A finished run on Access."""
    folder = tmp_path / "run"
    assert main(["train", "access", *QUICK, "--max-level", "3", "--run", str(folder)]) == 0
    return folder


def test_train_says_what_came_out_and_what_to_do_next(tmp_path, capsys):
    folder = tmp_path / "run"
    code = main(["train", "access", *QUICK, "--max-level", "3", "--run", str(folder), "--json"])
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert code == 0
    assert report["reason"] == "solved"
    assert report["best"]["held_out_hard_exact_error"] == 0
    assert "level" in said.err
    assert f"nram show {folder}" in said.err


def test_train_fails_honestly_when_no_member_is_solved(tmp_path, capsys):
    folder = tmp_path / "run"
    assert main(["train", "merge", "--population", "1", "--updates", "2", "--run", str(folder)]) == 1
    assert "No member is free of errors" in capsys.readouterr().out


def test_a_run_on_a_device_is_resumed_there_to_the_very_update(tmp_path, monkeypatch, capsys):
    asked = []

    def make_engine(config, device):
        asked.append(device)
        return DeviceEngine(config, torch.device("cpu"))

    monkeypatch.setattr("agents.trainer.make_engine", make_engine)
    call = ["train", "copy", "--run", str(tmp_path), "--device", "cuda:1"]
    assert main([*call, "--population", "2", "--updates", "3"]) == 1
    assert f"nram train --run {tmp_path} --resume --device cuda:1 --updates N" in capsys.readouterr().out
    assert main([*call, "--resume", "--updates", "13", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["updates"] == 13
    assert asked == ["cuda:1", "cuda:1"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["../../escaped", "--num-registers", "4"], "unknown task '../../escaped'"),
        (["/tmp/escaped", "--num-registers", "4"], "unknown task '/tmp/escaped'"),
        (["access", "--backend", "reference", "--threads", "0"], "threads must be at least 1, got 0"),
        (["access", "--minutes", "nan"], "minutes must be at least 0"),
        (["access", "--solved", "0"], "solved must be at least 1"),
        (["access", "--device", "cuda:77"], "device 'cuda:77' cannot be used here: "),
        (["access", "--device", "gpu"], "device 'gpu' cannot be used here: "),
    ],
)
def test_train_makes_no_folder_before_all_is_known_to_be_right(words, message, tmp_path, monkeypatch, capsys):
    place = tmp_path / "a" / "b"
    place.mkdir(parents=True)
    monkeypatch.chdir(place)
    assert exit_code("train", *words) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert list(tmp_path.rglob("*")) == [tmp_path / "a", place]


def test_the_usual_folder_is_called_by_the_tasks_name_however_it_was_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "MERGE", "--population", "1", "--updates", "1", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["task"] == "merge"
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["merge-feedforward-1080"], (
        "with the recipe's seed"
    )


def test_an_interrupt_gives_130_and_says_how_to_go_on_in_words_that_a_shell_takes(
    tmp_path, monkeypatch, capsys
):
    folder = tmp_path / "it's my run"
    interrupt = lambda *_: os.kill(os.getpid(), signal.SIGINT)  # noqa: E731
    monkeypatch.setattr("analysis.commands.training.TrainingDisplay.watch", interrupt)
    assert main(["train", "merge", "--population", "1", "--run", str(folder)]) == 130
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "Go on with:" in line]
    words = shlex.split(line.partition("Go on with:")[2])
    assert words == ["nram", "train", "--run", str(folder), "--resume"]
    monkeypatch.undo()
    assert main([*words[1:], "--updates", "2", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["updates"] == 2


def test_eval_reports_both_modes_at_every_size(run, capsys):
    assert main(["eval", str(run), "--sizes", "3", "12", "--examples", "20", "--json"]) == 0
    errors = json.loads(capsys.readouterr().out.splitlines()[-1])["errors"]
    assert [(row["mode"], row["n"]) for row in errors] == [
        ("soft", 3),
        ("soft", 12),
        ("hard", 3),
        ("hard", 12),
    ]
    assert all(row["exact_error"] == 0 for row in errors if row["mode"] == "hard")


def test_tasks_lists_the_ten_of_the_paper_first(capsys):
    assert main(["tasks", "--json"]) == 0
    names = [task["name"] for task in json.loads(capsys.readouterr().out)["tasks"]]
    assert names[:5] == ["access", "increment", "copy", "reverse", "swap"]
    assert names[5:10] == ["permutation", "listk", "listsearch", "merge", "walkbst"]


def test_tasks_shows_an_instance_and_what_is_wanted(capsys):
    assert main(["tasks", "copy", "--n", "2", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["memory"][0] == 3
    assert list(shown["wanted"].values()) == shown["memory"][1:3]
    assert "wanted  for all i in n + 1..2*n: mem[i] = before[i - n]" in shown["spec"].splitlines()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_an_example(verb, capsys):
    assert main([verb, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"nram {verb}" in shown.split("usage", 1)[1].split("\n", 1)[1], "an example beside the usage"
    assert "--json" in shown


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["trian"], "unknown verb 'trian'; did you mean 'train'?"),
        (["eval", "no/such/run"], "no/such/run"),
        (["tasks", "coppy"], "did you mean 'copy'?"),
        (["tasks", "copy", "--n", "0"], "difficulty of task copy must be at least 1, got 0"),
        (["train", "--resume", "--run", "no/such/run"], "no/such/run holds no run to resume"),
    ],
)
def test_a_mistake_is_one_line_on_standard_error(words, message, capsys):
    assert main(words) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def settings_of(words: list[str], tmp_path, capsys) -> tuple[TrainConfig, str]:
    """The configuration that a call trains with, and what it says of it."""
    folder = tmp_path / "run"
    assert main(["train", *words, "--updates", "0", "--run", str(folder), "--json"]) == 1
    return TrainConfig.from_json(json.loads((folder / "config.json").read_text())), capsys.readouterr().err


def test_a_task_is_trained_by_its_recipe_of_the_controller_that_is_asked_for(tmp_path, capsys):
    config, said = settings_of(["swap", "--controller", "feedforward"], tmp_path, capsys)
    assert config == zoo.find_recipe("swap-feedforward").config
    assert "Following the recipe of zoo:swap-feedforward." in said


def test_where_no_controller_is_asked_for_the_recipe_with_the_tasks_name_holds(tmp_path, capsys):
    config, _ = settings_of(["--run", str(tmp_path / "copy"), "Reverse"], tmp_path, capsys)
    assert config == zoo.find_recipe("reverse").config


def test_flags_override_the_recipe_and_are_named(tmp_path, capsys):
    config, said = settings_of(["merge", "--seed=7", "--population", "8"], tmp_path, capsys)
    assert config == replace(zoo.find_recipe("merge").config, seed=7, population=8)
    assert "Following the recipe of zoo:merge, but population = 8, seed = 7." in said


@pytest.mark.parametrize(
    ("words", "members"),
    [("merge", 64), ("merge --device cuda", 1024), ("x-max --device=cuda:1", 1024)],
)
def test_a_gpu_gets_as_many_members_as_suit_it(words, members):
    assert Train.defaults(words.split()).config.population == members


def test_a_task_without_a_recipe_gets_a_portfolio_and_enough_registers(tmp_path, capsys):
    config, said = settings_of(["x-max"], tmp_path, capsys)
    assert (config.task, config.portfolio, config.num_registers) == ("x-max", True, 6)
    assert "There is no recipe for x-max with this controller: generic settings hold.\n" in said
    assert "The time is shared by how far each has come.\nIsland 1: these settings.\nIsland 2: " in said
    assert zoo.usual_config("x-add").num_registers == get_task("x-add").num_registers == 8
    assert zoo.usual_config("merge") == zoo.find_recipe("merge").config


def test_a_controller_that_is_asked_for_without_a_recipe_gets_one_generic_population(tmp_path, capsys):
    config, said = settings_of(["merge", "--controller", "lstm"], tmp_path, capsys)
    assert config == next(
        island
        for island in islands_of(TrainConfig("merge", **generic_settings("merge")))
        if island.controller == "lstm"
    )
    assert "There is no recipe for merge with this controller: generic settings hold.\n" in said
    assert "Island" not in said


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ("x-max --no-portfolio", {"portfolio": False}),
        ("x-max --second-read", {"second_read": True}),
        ("copy --no-second-read", {"second_read": False}),
        ("copy --halting", {"halting": True}),
        ("copy --no-halting", {"halting": False}),
    ],
)
def test_what_is_on_or_off_can_be_said_whatever_is_usual_for_the_task(words, changed, tmp_path, capsys):
    config, _ = settings_of(words.split(), tmp_path, capsys)
    assert config == replace(zoo.usual_config(words.split()[0]), **changed)


def test_help_shows_the_recipe_that_holds(capsys):
    assert exit_code("train", "walkbst", "--help") == 0
    said = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "falls below this. (default: 0.1)" in said
