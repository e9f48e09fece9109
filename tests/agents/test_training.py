"""The trainer: deterministic, resumable, and no member disturbs another."""

import json
import math
import re
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from agents import losses
from agents.checkpoint import load_agent
from agents.config import TrainConfig
from agents.controllers import Controller
from agents.curriculum import draw_lesson
from agents.engine import HostEngine, Moment
from agents.evaluation import evaluate
from agents.hard import hard_failures
from agents.population import start
from agents.rollout import Rollout
from agents.trainer import Trainer

SMALL = TrainConfig(
    task="access", population=3, batch_size=4, max_level=3, first_level=1, evaluate_every=10, cull_every=15
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def moment() -> Moment:
    return Moment(0, 0, np.random.default_rng(0), generator(), event=1)


def assert_same(first: Trainer, second: Trainer) -> None:
    assert first.update == second.update
    assert first.examples.bit_generator.state == second.examples.bit_generator.state
    assert torch.equal(first.chance.get_state(), second.chance.get_state())
    for name, values in vars(first.population).items():
        assert torch.equal(values, getattr(second.population, name)), name


def advance(trainer: Trainer, updates: int) -> Trainer:
    for _ in range(updates):
        trainer.advance()
    return trainer


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_the_same_seed_gives_identical_parameters_after_50_updates(controller):
    config = replace(SMALL, controller=controller)
    assert_same(*(advance(Trainer(config), 50) for _ in range(2)))


def test_another_seed_gives_other_parameters():
    first, second = (advance(Trainer(replace(SMALL, seed=seed)), 2) for seed in (0, 1))
    assert not torch.equal(first.population.parameters, second.population.parameters)


@pytest.mark.parametrize(
    "change",
    [
        {"cull_every": 11, "cull_share": 0.7, "spare_age": 5, "rescale_share": 0.5},
        {"generation_every": 11, "generation_noise": 0.1, "first_level": 3, "level_threshold": 2.0},
    ],
    ids=["selection", "generation"],
)
def test_saving_and_loading_in_between_changes_nothing(change, tmp_path):
    config = replace(SMALL, **change)
    straight, half = advance(Trainer(config), 30), advance(Trainer(config), 20)
    half.save(tmp_path / "population.safetensors")
    assert_same(straight, advance(Trainer.load(tmp_path / "population.safetensors"), 10))
    assert straight.population.tenure.min() < 10, "members were replaced after the load"


def test_a_small_population_solves_access_from_examples_alone():
    trainer = advance(
        Trainer(replace(SMALL, population=8, batch_size=16, num_registers=2, cull_every=100)), 150
    )
    assert trainer.population.solved.any()
    best = trainer.agents()[0]
    assert best.info["held_out_hard_exact_error"] == 0
    assert evaluate(best, "hard", 20, 50, seed=9).exact_error == 0


def test_a_member_with_a_broken_number_is_restarted_and_counted_and_the_others_are_not_touched():
    config = replace(SMALL, cull_every=0)
    gradient = torch.randn(3, config.spec.num_parameters, generator=generator())
    spoiled = gradient.clone()
    spoiled[1, 5] = math.nan
    healthy, broken = (
        HostEngine(config).learn(start(config, 3, generator()), torch.ones(3), one, moment())
        for one in (gradient, spoiled)
    )
    assert broken.restarts.tolist() == [0, 1, 0]
    assert broken.age.tolist() == [1, 0, 1]
    assert torch.isfinite(broken.parameters).all()
    for index in (0, 2):
        assert torch.equal(healthy.parameters[index], broken.parameters[index])


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_a_member_that_overflows_is_restarted_and_the_others_go_on_as_without_it(controller):
    healthy, broken = (Trainer(replace(SMALL, controller=controller)) for _ in range(2))
    wild = broken.population.parameters.clone()
    wild[1] = 3e38
    broken.population = replace(broken.population, parameters=wild)
    healthy.advance()
    progress = broken.advance()
    assert progress.restarts == 1
    assert math.isfinite(progress.loss)
    assert broken.population.restarts.tolist() == [0, 1, 0]
    assert torch.isfinite(broken.population.loss).all(), "or the ranking would have no order"
    for index in (0, 2):
        assert torch.equal(healthy.population.parameters[index], broken.population.parameters[index])


@pytest.mark.parametrize(
    ("hard", "soft", "kept"),
    [
        (0.25, 0.25, "new"),
        (0.25, 0.5, "new"),
        (0.25, 0.75, "old"),
        (0.5, 0.0, "old"),
        (0.25, 1.0, "old"),
        (0.0, 1.0, "new"),
    ],
)
def test_the_parameters_that_did_best_are_kept_the_latest_where_several_did(hard, soft, kept, monkeypatch):
    trainer = Trainer(replace(SMALL, population=1, level_threshold=2.0))
    before = replace(
        trainer.population,
        level=torch.full((1,), SMALL.top_level),
        best_parameters=trainer.population.parameters + 1,
        best_error=torch.tensor([[0.25, 0.5]]),
        best_steps=torch.tensor([7.0]),
    )
    trainer.population = before
    found = (torch.tensor([[hard, soft]]), torch.tensor([9.0]))
    monkeypatch.setattr(trainer, "held_out_errors", lambda *_: found)
    trainer.evaluate()
    after = trainer.population
    wanted = before.parameters if kept == "new" else before.best_parameters
    assert torch.equal(after.best_parameters, wanted)
    assert after.best_error.tolist() == [[hard, soft] if kept == "new" else [0.25, 0.5]]
    assert after.best_steps.tolist() == [9.0 if kept == "new" else 7.0]


def test_a_solved_member_is_not_tested_again_nor_one_that_has_not_mastered_the_top_level(monkeypatch):
    trainer = Trainer(replace(SMALL, level_threshold=0.5))
    trainer.population = replace(
        trainer.population,
        level=torch.tensor([4, 4, 3]),
        error=torch.zeros(3),
        best_error=torch.tensor([[0.0, 0.5], [0.25, 1.0], [1.0, 1.0]]),
    )
    before, tested = trainer.population, []

    def held_out(controller, rng):
        tested.append(controller.parameters.clone())
        return torch.zeros(1, 2), torch.ones(1)

    monkeypatch.setattr(trainer, "held_out_errors", held_out)
    trainer.evaluate()
    trainer.evaluate()
    (parameters,) = tested
    assert torch.equal(parameters, before.parameters[1:2])
    assert trainer.population.solved.tolist() == [True, True, False]
    assert trainer.population.best_error.tolist() == [[0.0, 0.5], [0.0, 0.0], [1.0, 1.0]]


def test_the_entropy_bonus_halves_every_half_life_and_turns_into_a_penalty_at_mastery():
    config = replace(SMALL, entropy_half_life=10.0, sharpening=0.3)
    population = start(config, 3, generator())
    population = replace(
        population,
        entropy_bonus=torch.full((3,), 0.8),
        age=torch.tensor([0, 10, 10]),
        level=torch.tensor([1, 1, 4]),
        error=torch.tensor([1.0, 1.0, 0.0]),
    )
    torch.testing.assert_close(losses.entropy_weight(population, config), torch.tensor([0.8, 0.4, -0.3]))


def test_the_loss_counts_the_halting_entropy_only_when_sharpening():
    population = start(SMALL, 2, generator())
    population = replace(
        population, entropy_bonus=torch.tensor([0.5, 0.5]), level=torch.tensor([1, 4]), error=torch.zeros(2)
    )
    one = torch.ones(2, 4)
    rollout = Rollout(-2 * one, one, one, one, one, one > 0)
    loss = losses.member_losses(rollout, population, SMALL, beyond=torch.tensor([False, False]))
    torch.testing.assert_close(loss, torch.tensor([2 - 0.5, 2 + 2 * SMALL.sharpening]))


def test_timesteps_cost_those_whose_horizon_exceeds_the_task_s():
    config = replace(SMALL, step_cost=0.25, unfinished_cost=4.0)
    population = replace(start(config, 2, generator()), entropy_bonus=torch.zeros(2))
    none, steps = torch.zeros(2, 4), torch.tensor([[2.0, 4, 6, 8], [2, 4, 6, 8]])
    unfinished = torch.tensor([[0.0, 0, 0.5, 1], [0, 0, 0.5, 1]])
    rollout = Rollout(none - 2, none, none, steps, unfinished, none > 0)
    loss = losses.member_losses(rollout, population, config, beyond=torch.tensor([True, False]))
    torch.testing.assert_close(loss, torch.tensor([2 + 0.25 * 5 + 4 * 1.5 / 4, 2.0]))


def test_training_takes_easy_examples_for_their_share_only():
    config = TrainConfig(task="permutation", population=4, batch_size=100, max_level=5, easy_share=0.5)
    assert 0.4 < np.mean(np.concatenate(in_order(Trainer(config), 5))) < 0.6
    assert np.mean(np.concatenate(in_order(Trainer(replace(config, easy_share=0.0)), 5))) < 0.1


def in_order(trainer: Trainer, n: int) -> list[np.ndarray]:
    """Which examples of size n of the next lesson of Permutation are the easy ones, member by member."""
    config = trainer.config
    batch = draw_lesson(trainer.examples, trainer.task, trainer.population, config).batch
    easy = (batch.memory[:, 1 : n + 1] == np.arange(n)).all(1).reshape(config.population, -1)
    of_size = (batch.difficulty == n).reshape(config.population, -1)
    return [rows[chosen] for rows, chosen in zip(easy, of_size, strict=True)]


def test_a_member_that_masters_the_top_level_gets_no_more_easy_examples():
    config = TrainConfig(
        task="permutation", population=2, batch_size=50, easy_share=1.0, max_level=7, level_threshold=0.2
    )
    trainer = Trainer(config)
    levels, errors = torch.tensor([7, 7]), torch.tensor([0.5, 0.0])
    trainer.population = replace(trainer.population, level=levels, error=errors)
    trainer.advance()
    first, second = in_order(trainer, 7)
    assert first.all()
    assert not second.any()


@pytest.mark.parametrize(
    ("error", "hard_error", "anew"), [(0.0, 0.1, True), (0.0, 0.0, False), (0.9, 1.0, False)]
)
def test_a_population_that_masters_the_top_level_and_solves_nothing_starts_a_new_generation(
    error, hard_error, anew
):
    trainer = Trainer(replace(SMALL, generation_every=7, evaluate_every=100, level_threshold=0.5))
    trainer.update = 6
    trainer.population = replace(
        trainer.population,
        level=torch.full((3,), 4),
        error=torch.full((3,), error),
        best_error=torch.full((3, 2), hard_error),
    )
    trainer.advance()
    assert (trainer.population.level == (1 if anew else 4)).all()


@contextmanager
def watched_batches(right: bool = False):
    """The batches that members are tested on, and the last timesteps of their runs.

    Where they are to be `right`, whoever they are, they are tested on all that there is.
    """
    seen = []

    def watched(controller, batch, limit, must_stop):
        seen.append((batch, limit))
        failures, steps = hard_failures(controller, batch, limit, must_stop)
        return failures & (not right), steps

    with pytest.MonkeyPatch.context() as patch:
        if right:
            patch.setattr("agents.held_out.soft_wrong", lambda c, task, batch, *_: np.zeros_like(batch.mask))
        patch.setattr("agents.held_out.hard_failures", watched)
        yield seen


def _controller(trainer):
    return Controller(trainer.config.spec, trainer.population.parameters)


def test_held_out_examples_are_never_easy():
    trainer = Trainer(TrainConfig(task="permutation", population=2, easy_share=1.0))
    with watched_batches(right=True) as batches:
        trainer.held_out_errors(_controller(trainer), np.random.default_rng(0))
    easy = [
        (batch.memory[row, 1 : n + 1] == np.arange(n)).all()
        for batch, _ in batches
        for row, n in enumerate(batch.difficulty.tolist())
        if n >= 6
    ]
    assert np.mean(easy) < 0.1


def test_members_are_tested_at_every_n_in_memories_of_many_sizes():
    trainer = Trainer(TrainConfig(task="copy", population=2))
    with watched_batches(right=True) as batches:
        trainer.held_out_errors(_controller(trainer), np.random.default_rng(0))
    sizes = {n: set() for n in (*range(1, 9), 48, 200)}
    for batch, _ in batches:
        for n, memory_size in zip(batch.difficulty.tolist(), batch.memory_sizes.tolist(), strict=True):
            sizes[n].add(memory_size - (2 * n + 1))
    assert all(len(slacks) >= 5 for slacks in sizes.values())
    assert set().union(*sizes.values()) >= set(range(17))
    assert max(sizes[200]) > 100


def test_a_member_that_is_wrong_at_one_slack_alone_is_not_solved():
    """Merge as it was shipped once: wrong where M is 2n + 8, and hardly anywhere else."""
    agent = load_agent(Path(__file__).parents[1] / "data/wrong_at_one_slack.safetensors")
    of_its_time = TrainConfig(halting=False).to_json()
    trainer = Trainer(TrainConfig.from_json(of_its_time | agent.info["config"]))
    errors, _ = trainer.held_out_errors(agent.controller, np.random.default_rng(0))
    assert 0 < errors[0, 0] < 0.02


def test_updates_have_a_share_of_the_horizon_or_all_of_it_and_tests_all_of_it():
    config = TrainConfig(task="permutation", population=2, horizon_share=0.5, first_level=8, halting=False)
    config = replace(config, evaluation_examples=2)
    trainer = Trainer(config)
    drawn = set()
    for _ in range(20):
        trainer.advance()
        drawn |= set(trainer.engine.envs.state.horizon.tolist())
    assert drawn == {10, 19}  # half of 2 x 8 + 3, rounded up, and all of it
    with watched_batches(right=True) as batches:
        trainer.held_out_errors(_controller(trainer), np.random.default_rng(0))
    for batch, limit in batches:
        assert np.array_equal(limit, 2 * batch.difficulty + 3)


def test_a_second_read_stands_behind_add():
    labels = [gate.label for gate in TrainConfig(second_read=True).machine.gates]
    assert len(labels) == 15
    assert labels[5:8] == ["ADD", "READ", "SUB"]


def test_the_configuration_survives_json():
    assert TrainConfig.from_json(json.loads(json.dumps(SMALL.to_json()))) == SMALL


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "coppy"}, "did you mean 'copy'"),
        ({"population": 0}, "population must be in 1..65536, got 0"),
        ({"learning_rate": (0.1, 0.01)}, "learning_rate must be a range LOW HIGH"),
        ({"entropy_bonus": (0.0, 0.1)}, "entropy_bonus must be a range"),
        ({"num_registers": -1}, "num_registers must be"),
        ({"first_level": 9}, "first_level must be at most max_level"),
        ({"horizon_share": 1.5}, "horizon_share must be a share in 0..1, got 1.5"),
        ({"horizon_share": 0.0}, "horizon_share must be above 0, got 0"),
        ({"easy_share": 0.5}, "task access has no easy examples"),
        ({"gate_repeats": 10**9}, "gate_repeats must be in 1..256, got 1000000000"),
        ({"gate_repeats": 19}, "at most 256 gates, got 266"),
        ({"gradient_clip": math.nan}, "gradient_clip must be in 0..1.79769e[+]308, got nan"),
        ({"learning_rate": (0.1, math.inf)}, "learning_rate must be a range LOW HIGH"),
        ({"evaluation_factors": (6, 10**9)}, "evaluation_factors must be in 1..100"),
        ({"halting_share": 1.5}, "halting_share must be a share in 0..1, got 1.5"),
        ({"halting_spread": -0.5}, "halting_spread must be a share in 0..1, got -0.5"),
        ({"halting_slack": 0.5}, "halting_slack must be in 1..100, got 0.5"),
        ({"step_cost": -0.1}, "step_cost must be in 0..1.79769e[+]308, got -0.1"),
        ({"unfinished_cost": math.nan}, "unfinished_cost must be in 0..1.79769e[+]308, got nan"),
        ({"attempts": 0}, "attempts must be in 1..65536, got 0"),
        ({"attempt_updates": 0}, "attempt_updates must be in 1..1.79769e[+]308, got 0"),
        (
            {"task": "merge", "max_level": 1},
            "max_level must be at least 2, the smallest difficulty of task merge, got 1",
        ),
    ],
)
def test_an_impossible_configuration_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(SMALL, **change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"typo": 1}, "typo is unknown; must be one of task, controller"),
        ({"hidden_size": 16.0}, "hidden_size is 16.0; must be an integer"),
        ({"second_read": 1}, "second_read is 1; must be true or false"),
        ({"controller": "gru"}, "controller is 'gru'; must be one of lstm, feedforward"),
        ({"learning_rate": [0.1]}, "learning_rate is a list of 1 entries; must be a list of 2 to 2"),
        ({"evaluation_factors": [6, "25"]}, "evaluation_factors[1] is '25'; must be an integer"),
        ({"num_registers": 10**9}, "num_registers must be an integer in 1..63, got 1000000000"),
    ],
)
def test_a_written_configuration_with_a_wrong_entry_is_refused(change, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        TrainConfig.from_json({**SMALL.to_json(), **change})


def test_a_written_configuration_with_a_missing_entry_is_refused():
    values = SMALL.to_json()
    del values["seed"]
    with pytest.raises(ValueError, match="seed is missing"):
        TrainConfig.from_json(values)


@pytest.mark.parametrize("levels", [[1, 1, 1], [1, 3, 4]], ids=["at first", "as one learns to stop"])
def test_the_backends_train_alike(levels):
    fused, reference = (Trainer(replace(SMALL, backend=name)) for name in ("auto", "reference"))
    for trainer in (fused, reference):
        trainer.population = replace(trainer.population, level=torch.tensor(levels))
        advance(trainer, 3)
    torch.testing.assert_close(
        fused.population.parameters, reference.population.parameters, rtol=1e-3, atol=1e-4
    )


def test_an_unknown_backend_is_refused():
    with pytest.raises(ValueError, match="did you mean 'fused'"):
        Trainer(replace(SMALL, backend="fusd"))
