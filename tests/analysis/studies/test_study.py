"""A study as it is written down: which trials it means, and what it refuses."""

import pytest

from agents.zoo import usual_config
from analysis.studies.study import STUDY, parse_setting, read_study
from nram_env.files import FileError

TOML = """
tasks = ["access", "copy"]
seeds = { first = 10, count = 2, step = 5 }
success = "solved"
minutes = 2

[settings]
population = 8

[grid]
controller = ["lstm", "feedforward"]

[ranges]
sharpening = [0.01, 1]
"""


def trials(**values):
    return list(STUDY({"tasks": ["access"], **values}, "").trials())


def test_a_file_means_every_task_with_every_seed_and_setting_the_first_seed_first(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(TOML)
    found = list(STUDY(read_study(file), "").trials())
    assert [trial.config.seed for trial in found] == [10] * 4 + [15] * 4
    assert [trial.config.task for trial in found] == ["access", "copy"] * 4
    assert {(trial.config.population, trial.goal.success, trial.goal.minutes) for trial in found} == {
        (8, "solved", 2.0)
    }
    assert len({trial.key for trial in found}) == 8
    assert len({trial.config.sharpening for trial in found}) == 1


def test_toml_and_json_mean_the_same(tmp_path):
    (tmp_path / "a.toml").write_text('tasks = ["copy"]\nseeds = [3]\n[grid]\nsharpening = [0.0, 0.1]\n')
    (tmp_path / "a.json").write_text('{"tasks": ["copy"], "seeds": [3], "grid": {"sharpening": [0.0, 0.1]}}')
    assert read_study(tmp_path / "a.toml") == read_study(tmp_path / "a.json")


def test_a_trial_without_settings_is_what_nram_train_does():
    (trial,) = trials(tasks=["merge"], seeds=[7])
    assert trial.config.to_json() == {**usual_config("merge").to_json(), "seed": 7}
    assert trial.goal.minutes == 30


def test_a_controller_brings_its_own_recipe():
    found = trials(tasks=["copy"], grid={"controller": ["lstm", "feedforward"]})
    assert [trial.config for trial in found] == [
        usual_config("copy", "lstm"),
        usual_config("copy", "feedforward"),
    ]


def test_draws_lie_in_their_ranges_and_the_first_stay_when_more_are_asked_for():
    ranges = {"learning_rate": [0.001, 0.1], "spare_age": [10, 1000], "sharpening": [0.01, 1.0]}
    few, many = trials(ranges=ranges, draws=3), trials(ranges=ranges, draws=40)
    assert [trial.key for trial in few] == [trial.key for trial in many[:3]]
    rates = [trial.config.learning_rate for trial in many]
    assert all(low == high and 0.001 <= low <= 0.1 for low, high in rates)
    assert 10 <= sum(low < 0.01 for low, _ in rates) <= 30
    assert all(type(trial.config.spare_age) is int for trial in many)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tasks": []}, "tasks is a list of 0 entries"),
        ({"tasks": ["copyy"]}, "unknown task 'copyy'; did you mean 'copy'"),
        ({"seeds": [-1]}, r"seeds\[0\] is -1"),
        ({"seeds": {"first": 0}}, "seeds.count is missing"),
        ({"seeds": {"first": 0, "count": 10**6}}, "seeds.count is 1000000"),
        ({"success": "sloved"}, "success is 'sloved'"),
        ({"minutes": float("inf")}, "minutes is inf"),
        ({"minutes": -1}, "minutes must be at least 0|minutes is -1"),
        ({"settings": {"polulation": 3}}, "polulation is unknown"),
        ({"settings": {"population": 0}}, "population must be in 1..65536, got 0"),
        ({"settings": {"seed": 3}}, "set twice, or as what the study itself sets: seed"),
        ({"settings": {"population": 3}, "grid": {"population": [4]}}, "set twice.*population"),
        ({"grid": {"population": []}}, "grid.population is a list of 0 entries"),
        ({"ranges": {"population": [4, 2]}}, "range of population must be LOW HIGH"),
        ({"ranges": {"backend": [1, 2]}}, "backend cannot be drawn from a range"),
        ({"ranges": {"halting": [1, 2]}}, "halting cannot be drawn from a range"),
        ({"seeds": {"first": 0, "count": 10**5}, "grid": {"population": [1, 2]}}, "at most 100,000 trials"),
        ({"goals": 3}, "goals is unknown"),
    ],
)
def test_what_cannot_be_is_refused_by_name(values, message):
    with pytest.raises(ValueError, match=message):
        trials(**values)


@pytest.mark.parametrize("content", ["tasks = [", "a = " + "[" * 5000, '"\x00"', "tasks = [1979-05-27]"])
def test_a_file_that_is_none_is_an_error_that_names_it(tmp_path, content):
    (tmp_path / "study.toml").write_text(content)
    with pytest.raises(FileError, match=r"study\.toml: "):
        read_study(tmp_path / "study.toml")


@pytest.mark.parametrize("word", ["population", "=3", "a b=3", ""])
def test_a_setting_is_a_name_with_a_value(word):
    with pytest.raises(ValueError, match="is not NAME=VALUE"):
        parse_setting(word)
