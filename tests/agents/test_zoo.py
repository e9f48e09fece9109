"""The zoo: what ships is small, loads, does its task, and says how it was trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents import zoo
from agents.evaluation import evaluate
from agents.run import Budget
from nram_env.files import FileError

NAMES = list(zoo.entries())
LIMITS = vars(Budget())
NEXT_POPULATION = {"attempts", "unsolved_updates"}  # what happens to a population that came to nothing


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_controller_was_trained_by_its_recipe(name: str) -> None:
    entry = zoo.find_entry(name)
    trained = {"halting": False, **entry.agent.info["config"]}  # which older controllers could not learn
    recipe, record = entry.recipe, entry.recipe.records["population"]
    config = recipe.on("cuda" if "device" in record else "cpu")
    settings = json.loads(json.dumps(config.to_json()))
    assert entry.size <= 200_000
    assert trained["seed"] == record["seed"]
    said = recipe.settings.keys() - NEXT_POPULATION
    assert {key: trained[key] for key in said} == {key: settings[key] for key in said}
    assert not config.unsolved_updates or record["updates"] <= config.unsolved_updates
    assert record["members"] == settings["population"] >= 20


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_controller_does_what_its_record_says(name: str) -> None:
    entry = zoo.find_entry(name)
    recorded = entry.recipe.records["population"]["errors"]
    for mode in ("soft", "hard"):
        for n in ("8", "50"):
            if recorded[mode][n] == 0:
                assert evaluate(entry.agent, mode, int(n), 20, seed=3).exact_error == 0


def test_a_gpu_has_settings_of_its_own_and_more_members() -> None:
    recipe = zoo.Recipe({"task": "swap", "population": 3, "max_level": 6}, Budget(), card={"max_level": 7})
    here, there = recipe.on("cpu"), recipe.on("cuda")
    assert (here.population, here.max_level) == (3, 6)
    assert (there.population, there.max_level) == (3 * zoo.CARD_FACTOR, 7)
    assert zoo.usual_config("merge", device="cuda") == zoo.find_recipe("merge").on("cuda")


def test_an_unknown_name_lists_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="copy"):
        zoo.find_entry("copi")
    with pytest.raises(ValueError, match="copy"):
        zoo.find_recipe("copi")


def test_a_recipe_survives_its_file(tmp_path: Path) -> None:
    settings = {"task": "swap", "learning_rate": [0.001, 0.01]}
    recipe = zoo.Recipe(settings, Budget(updates=5, solved=2), card={"max_level": 9})
    kept = recipe.with_record("independent", zoo.find_recipe("copy").records["population"])
    zoo.save_recipe(tmp_path / "recipe.json", kept)
    assert zoo.load_recipe(tmp_path / "recipe.json") == kept
    assert kept.config.task == "swap"
    assert kept.config.learning_rate == (0.001, 0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "nram-recipe/9"}, "format is 'nram-recipe/9'; must be one of nram-recipe/1"),
        ({"settings": {"task": "sorting"}}, "sorting"),
        ({"settings": {"speed": 3}}, "speed"),
        ({"settings": {"hidden_size": 16.0}}, r"hidden_size is 16\.0; must be an integer"),
        ({"card": {"max_level": 0}}, "max_level must be in"),
        ({"budget": {"updates": 3}}, r"budget\.minutes is missing"),
        ({"budget": {**LIMITS, "days": 3}}, r"budget\.days is unknown"),
        ({"budget": {**LIMITS, "updates": "many"}}, r"budget\.updates is 'many'; must be an integer"),
        ({"records": {"population": {"solved": 1}}}, r"records\.population\.date is missing"),
    ],
)
def test_a_broken_recipe_is_one_clear_error(tmp_path: Path, change: dict, message: str) -> None:
    file = tmp_path / "recipe.json"
    zoo.save_recipe(file, zoo.Recipe({"task": "copy"}, Budget(updates=1)))
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(FileError, match=rf"recipe\.json: .*{message}"):
        zoo.load_recipe(file)


def test_a_missing_recipe_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no file .*recipe\.json"):
        zoo.load_recipe(tmp_path / "recipe.json")
