"""Attempts: a population that finds nothing gives way to the next seed's, which trains as if alone."""

from dataclasses import replace

import pytest
import torch

from agents.config import TrainConfig
from agents.trainer import Trainer

GIVING_UP = TrainConfig(
    task="access",
    population=3,
    batch_size=4,
    first_level=1,
    max_level=2,
    level_threshold=2.0,  # whoever has had patience rises
    level_patience=5,
    attempts=2,
    attempt_updates=4,
    evaluate_every=5,
    cull_every=6,
    cull_share=0.7,
    spare_age=2,
    generation_every=13,
    generation_noise=0.1,
    evaluation_factors=(2,),
    evaluation_examples=4,
)
"""The first population gives way before it can rise; the last stays, rises, is tested, culled and reborn."""

HOPELESS = replace(GIVING_UP, level_threshold=0.0, attempts=3, cull_every=0)


def advance(trainer: Trainer, updates: int) -> Trainer:
    for _ in range(updates):
        trainer.advance()
    return trainer


def assert_same(first: Trainer, second: Trainer) -> None:
    assert (first.seed, first.age, first.has_risen) == (second.seed, second.age, second.has_risen)
    assert first.examples.bit_generator.state == second.examples.bit_generator.state
    assert torch.equal(first.chance.get_state(), second.chance.get_state())
    for name, values in vars(first.population).items():
        assert torch.equal(values, getattr(second.population, name)), name


def test_a_population_that_does_not_leave_the_first_level_gives_way_until_attempts_run_out():
    trainer = Trainer(HOPELESS)
    attempts = [trainer.advance().attempt for _ in range(20)]
    assert attempts == [1] * 3 + [2] * 4 + [3] * 13
    assert (trainer.update, trainer.age, trainer.seed) == (20, 12, 2)


def test_a_population_that_has_risen_but_solves_nothing_gives_way_too():
    config = replace(GIVING_UP, attempts=3, attempt_updates=1000, unsolved_updates=6, cull_every=0)
    config = replace(config, generation_every=0, evaluate_every=1000)
    trainer = Trainer(config)
    attempts = [trainer.advance().attempt for _ in range(20)]
    assert attempts == [1] * 5 + [2] * 6 + [3] * 9
    assert trainer.has_risen
    never = Trainer(replace(config, unsolved_updates=0))
    assert [never.advance().attempt for _ in range(20)] == [1] * 20


def by_chance(_, controller, rng):
    """Errors and timesteps that depend on the chance that a test gets."""
    errors, steps = rng.uniform(0.1, 0.9, (controller.num_members, 2)), rng.random(controller.num_members)
    return torch.from_numpy(errors).float(), torch.from_numpy(steps).float()


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_the_next_population_trains_exactly_as_a_run_of_the_next_seed(controller, monkeypatch):
    monkeypatch.setattr(Trainer, "held_out_errors", by_chance)
    config = replace(GIVING_UP, controller=controller, seed=5)
    second, alone = Trainer(config), Trainer(replace(config, seed=6, attempts=1))
    assert_same(advance(second, 4), alone)
    for _ in range(30):
        second.advance()
        alone.advance()
        assert_same(second, alone)
    assert second.attempt == 2


@pytest.mark.parametrize("updates", [2, 4, 9, 20])
def test_a_resume_before_and_within_a_later_attempt_changes_nothing(updates, tmp_path):
    straight, half = advance(Trainer(GIVING_UP), 30), advance(Trainer(GIVING_UP), updates)
    half.save(tmp_path / "population.safetensors")
    resumed = Trainer.load(tmp_path / "population.safetensors")
    assert_same(straight, advance(resumed, 30 - updates))
    assert (resumed.update, resumed.attempt, resumed.began) == (30, 2, 4)


def test_a_population_with_a_member_that_rose_stays_whatever_became_of_it(tmp_path):
    config = replace(GIVING_UP, level_patience=2)
    trainer = advance(Trainer(config), 13)
    assert (trainer.population.level == 1).all(), "a new generation begins at the first level"
    trainer.save(tmp_path / "population.safetensors")
    for one in (trainer, Trainer.load(tmp_path / "population.safetensors")):
        assert advance(one, 1).attempt == 1


def test_where_there_is_one_level_alone_mastering_it_is_enough():
    one_level = replace(GIVING_UP, max_level=1, halting=False, generation_every=0)
    assert advance(Trainer(one_level), 9).attempt == 1
    assert advance(Trainer(replace(one_level, level_threshold=0.0)), 9).attempt == 2
