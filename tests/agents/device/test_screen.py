"""Many members are screened on the device; who is free of errors, the tests of the processor decide."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from agents import hard, zoo
from agents.controllers import Controller
from agents.device import screen
from agents.held_out import CONFIRMING, staged_errors
from agents.population import start

ENTRY = zoo.find_entry("access-feedforward")
CONFIG = replace(ENTRY.recipe.config, evaluation_factors=(2, 4), evaluation_examples=8)


def stack(right: int, wrong: int) -> Controller:
    """So many members that are right, and behind them some drawn afresh."""
    one = ENTRY.agent.controller
    fresh = one.spec.initialise(torch.Generator().manual_seed(0), torch.ones(wrong))
    return Controller(one.spec, torch.cat([one.parameters.expand(right, -1), fresh]))


def test_members_that_pass_on_the_device_are_tested_on_the_processor_a_few_at_a_time(monkeypatch):
    seen = []

    def confirm(controller, config, rng):
        seen.append(controller.num_members)
        errors = torch.zeros(controller.num_members, 2)
        errors[0] = torch.tensor([0.25, 1.0])
        return errors, torch.full((controller.num_members,), 7.0)

    monkeypatch.setattr(screen, "held_out_errors", confirm)
    right = screen.CONFIRMED_AT_ONCE + 3
    errors, steps = screen.screened_errors(stack(right, 2), CONFIG, np.random.default_rng(0))
    assert seen == [screen.CONFIRMED_AT_ONCE]
    assert (errors[:, 0] == 0).sum() == screen.CONFIRMED_AT_ONCE - 1, "those that the processor found so"
    assert (errors[:right, 0] == 0.25).sum() == 1
    waiting = errors[:, 0] == torch.tensor(screen.UNCONFIRMED)
    assert waiting.nonzero()[:, 0].tolist() == [place for place in range(right) if steps[place] != 7]
    assert waiting.sum() == 3
    assert (errors[waiting, 1] == 1).all()
    assert (errors[right:, 0] > screen.UNCONFIRMED).all()


def test_a_member_that_waits_is_not_solved_but_ranks_before_those_that_failed():
    population = start(CONFIG, 3, torch.Generator().manual_seed(0))
    least = 1 / (3 * CONFIRMING * CONFIG.evaluation_examples * CONFIG.max_level)
    errors = torch.tensor([[least, 1.0], [0.0, 1.0], [screen.UNCONFIRMED, 1.0]])
    population = replace(population, best_error=errors)
    assert population.ranking() == [1, 2, 0]
    assert population.solved.tolist() == [False, True, False]


def test_all_that_pass_are_tested_in_time():
    chosen = set()
    for seed in range(12):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(screen, "held_out_errors", lambda members, *_: (torch.zeros(4, 2), torch.ones(4)))
            errors, _ = screen.screened_errors(stack(8, 0), CONFIG, np.random.default_rng(seed))
        chosen |= set(errors[:, 0].eq(0).nonzero()[:, 0].tolist())
    assert chosen == set(range(8))


def test_members_that_fail_have_the_error_that_the_processor_finds():
    errors, _ = screen.screened_errors(stack(1, 3), CONFIG, np.random.default_rng(0))
    wanted, _ = staged_errors(stack(1, 3), CONFIG, np.random.default_rng(0), hard.hard_failures)
    assert torch.equal(errors[1:, 0], wanted[1:])
    assert errors[0].tolist() == [0.0, 0.0], "by the tests of the processor, all three stages"


def test_nobody_is_tested_on_the_processor_where_nobody_passes(monkeypatch):
    monkeypatch.setattr(screen, "held_out_errors", lambda *_: pytest.fail("nobody has passed"))
    errors, steps = screen.screened_errors(stack(0, 3), CONFIG, np.random.default_rng(0))
    assert (errors[:, 0] > 0).all()
    assert not steps.any()
