"""A portfolio: islands that share the time by progress, saved and resumed as if never stopped."""

from collections import Counter
from dataclasses import replace

import pytest
import torch

from agents.config import TrainConfig
from agents.generic import GENERIC, ISLANDS, generic_settings, islands_of
from agents.portfolio import Portfolio
from agents.run import Budget, resume_run, start_run
from agents.run_files import ending_of
from agents.trainer import Trainer
from agents.zoo import usual_config

TURN = 3

SMALL = TrainConfig(task="access", population=2, batch_size=2, first_level=1, max_level=2, num_registers=2)


@pytest.fixture
def three(monkeypatch) -> Portfolio:
    """Three islands of tiny populations, which never learn."""
    islands = [replace(SMALL, level_threshold=0.0, learning_rate=(rate, rate)) for rate in (1e-4, 2e-4, 3e-4)]
    monkeypatch.setattr("agents.portfolio.TURN", TURN)
    monkeypatch.setattr("agents.portfolio.islands_of", lambda config: tuple(islands))
    return Portfolio(replace(SMALL, portfolio=True))


def played(portfolio: Portfolio, updates: int) -> list[int]:
    """Which island did each of the next updates."""
    return [portfolio.advance().island for _ in range(updates)]


def test_without_a_portfolio_a_run_is_its_trainer():
    portfolio, trainer = Portfolio(SMALL), Trainer(SMALL)
    for _ in range(3):
        assert portfolio.advance() == trainer.advance()
    assert torch.equal(portfolio.population.parameters, trainer.population.parameters)
    assert islands_of(SMALL) == (SMALL,)


def test_every_island_has_a_turn_before_one_has_two(three):
    turns = played(three, 3 * TURN)[::TURN]
    assert sorted(turns) == [1, 2, 3]


def test_who_is_further_gets_more_of_the_time_and_nobody_nothing(three, monkeypatch):
    places = {id(three.islands[index]): place for place, index in enumerate((1, 2, 0))}
    monkeypatch.setattr(Trainer, "standing", property(lambda island: (places[id(island)],)))
    turns = Counter(played(three, 11 * TURN))
    assert turns == {2: 6 * TURN, 3: 3 * TURN, 1: 2 * TURN}


@pytest.mark.parametrize(
    ("standing", "first"), [((True, True, -8, 0.0), 1), ((True, False, -9, 0.0), 3), ((False, True), 3)]
)
def test_levels_do_not_count_until_members_learn_to_stop(three, monkeypatch, standing, first):
    best = three.islands[2]
    usual = (True, True, -1, 1.0)
    monkeypatch.setattr(Trainer, "standing", property(lambda island: standing if island is best else usual))
    turns = Counter(played(three, 11 * TURN))
    assert turns[first] == 6 * TURN


def test_larger_populations_get_fewer_updates(three, monkeypatch):
    monkeypatch.setattr(Trainer, "standing", property(lambda island: (0,)))
    three.islands[0].config = replace(three.islands[0].config, population=20)
    turns = Counter(played(three, 13 * TURN))
    assert turns == {1: 2 * TURN, 2: 7 * TURN, 3: 4 * TURN}


def test_an_island_with_a_solved_member_keeps_the_turn(three):
    played(three, 2)
    last = three.islands[2]
    last.population.best_error[1, 0] = 0
    assert played(three, 5) == [3] * 5
    assert three.population.solved.tolist() == [False, True]
    assert three.agent(1).info["config"]["learning_rate"] == (3e-4, 3e-4)
    three.refute(1)
    assert played(three, 3) == [1, 3, 2]  # what was begun is brought to an end first


@pytest.mark.parametrize("updates", [1, TURN, TURN + 2, 3 * TURN + 1])
def test_a_portfolio_that_was_saved_goes_on_as_if_it_had_not_been(three, tmp_path, updates):
    file = tmp_path / "population.safetensors"
    played(three, updates)
    three.save(file)
    other = Portfolio.load(file)
    assert other.update == updates
    assert [other.advance() for _ in range(7)] == [three.advance() for _ in range(7)]
    other.save(tmp_path / "other")
    three.save(file)
    assert file.read_bytes() == (tmp_path / "other").read_bytes()


def test_one_trainer_alone_does_not_load_several_populations(three, tmp_path):
    three.save(tmp_path / "population.safetensors")
    with pytest.raises(ValueError, match=r"holds 3 populations; go on with nram train --resume"):
        Trainer.load(tmp_path / "population.safetensors")


def test_a_run_of_a_portfolio_is_resumed_and_says_which_island_is_in_front(three, tmp_path):
    config = replace(SMALL, portfolio=True)
    start_run(tmp_path / "two", config, Budget(updates=TURN + 1), lambda *_: None)
    outcome = resume_run(tmp_path / "two", Budget(updates=2 * TURN), lambda *_: None)
    start_run(tmp_path / "one", config, Budget(updates=2 * TURN), lambda *_: None)
    one, two = (tmp_path / name / "population.safetensors" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()
    ending = ending_of(tmp_path / "two")
    assert ending.update == outcome.trainer.update == 2 * TURN
    assert ending.island == outcome.trainer.place


def test_the_generic_settings_and_islands_name_no_task_and_are_settings():
    fields = set(TrainConfig().to_json())
    for settings in (GENERIC, *ISLANDS):
        assert set(settings) <= fields - {"task", "seed", "easy_share", "imports"}
    config = usual_config("x-max")
    assert config.portfolio
    islands = islands_of(config)
    assert len(islands) == len(ISLANDS)
    assert not any(island.portfolio for island in islands)
    for island, settings in zip(islands, ISLANDS, strict=True):
        asked = {**generic_settings("x-max"), **settings, "portfolio": False}
        assert {name: getattr(island, name) for name in asked} == asked


def test_what_is_asked_for_holds_on_all_islands_and_equal_ones_are_one():
    config = replace(usual_config("x-max"), hidden_size=8, population=7)
    assert {(island.hidden_size, island.population) for island in islands_of(config)} == {(8, 7)}
    recurrent = islands_of(replace(usual_config("x-max"), controller="lstm"))
    assert {island.controller for island in recurrent} == {"lstm"}
    assert len(set(recurrent)) == len(recurrent)
