"""Members that are right softly alone fall back, and lead no more."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.config import TrainConfig
from agents.hardened import hardened
from agents.population import UNKNOWN, UNKNOWN_LOSS, start
from agents.trainer import Trainer

CONFIG = TrainConfig(
    task="permutation",
    population=4,
    first_level=1,
    max_level=4,
    hardened_cost=10.0,
    easy_share=0.5,
    horizon_slack=3,
)
MEMBERS = 4


def population(**changes):
    drawn = start(CONFIG, MEMBERS, torch.Generator().manual_seed(0))
    known = replace(drawn, error=torch.full((MEMBERS,), 0.1), loss=torch.tensor([0.1, 0.2, 0.3, 0.4]))
    return replace(known, level_age=torch.full((MEMBERS,), 7), **changes)


def wrong_from(*sizes):
    """Runs of which member k is wrong on all of size sizes[k] and more, right below."""

    def failures(controller, batch, limit, must_stop):
        assert not must_stop
        assert (limit == batch.horizon + CONFIG.horizon_slack).all()
        failed = batch.difficulty[None, :] >= np.array(sizes)[:, None]
        return failed, np.zeros(failed.shape)

    return failures


def test_a_member_falls_to_the_smallest_size_that_it_is_wrong_on_and_its_cost_is_that_of_its_size():
    before = population(level=torch.tensor([4, 4, 2, 5]))
    after = hardened(before, CONFIG, np.random.default_rng(0), wrong_from(2, 9, 3, 4))
    assert after.level.tolist() == [2, 4, 2, 4]
    assert after.level_age.tolist() == [0, 7, 7, 0]
    assert after.error.tolist() == pytest.approx([UNKNOWN, 0.1, 0.1, UNKNOWN])
    assert after.loss.tolist() == pytest.approx([UNKNOWN_LOSS, 0.2, 0.3, UNKNOWN_LOSS])
    assert after.hard_loss.tolist() == [10.0, 0.0, 0.0, 10.0]


@pytest.mark.parametrize(("every", "level"), [(5, 3), (4, 1)])
def test_wrong_runs_are_borne_up_to_a_quarter(every, level):
    def failures(controller, batch, limit, must_stop):
        failed = np.zeros((MEMBERS, len(batch.difficulty)), dtype=bool)
        failed[0, np.flatnonzero(batch.difficulty == 1)[::every]] = True  # of eighteen
        return failed, np.zeros(failed.shape)

    before = population(level=torch.tensor([3, 3, 3, 3]))
    after = hardened(before, CONFIG, np.random.default_rng(0), failures)
    assert after.level.tolist() == [level, 3, 3, 3]


def test_a_solved_member_stays():
    solved = torch.tensor([[1.0, 1.0], [0.0, 0.0], [1.0, 1.0], [1.0, 1.0]])
    before = population(level=torch.tensor([3, 3, 3, 3]), best_error=solved)
    after = hardened(before, CONFIG, np.random.default_rng(0), wrong_from(1, 1, 9, 9))
    assert after.level.tolist() == [1, 3, 3, 3]


def test_who_is_right_hardened_leads():
    softly, hard = torch.tensor([0.1, 0.5, 0.2, 0.3]), torch.tensor([9.0, 0.0, 0.0, 1.0])
    assert population(loss=softly, hard_loss=hard).ranking() == [2, 1, 3, 0]


def test_without_a_cost_nothing_is_hardened(monkeypatch):
    monkeypatch.setattr("agents.trainer.hardened", None)
    trainer = Trainer(replace(CONFIG, hardened_cost=0.0, batch_size=2, evaluate_every=1))
    trainer.advance()
    assert trainer.population.hard_loss.tolist() == [0.0] * MEMBERS


def test_a_resumed_run_has_seen_the_same(tmp_path):
    config = replace(
        CONFIG, batch_size=2, evaluate_every=4, cull_every=8, level_threshold=2.0, level_patience=2
    )
    straight, half = Trainer(config), Trainer(config)
    for _ in range(14):
        straight.advance()
    for _ in range(6):
        half.advance()
    half.save(tmp_path / "population.safetensors")
    resumed = Trainer.load(tmp_path / "population.safetensors")
    for _ in range(8):
        resumed.advance()
    assert straight.population.hard_loss.max() > 0
    for name, values in vars(straight.population).items():
        assert torch.equal(values, getattr(resumed.population, name)), name
