"""Halting distribution, the two losses and the two errors, against explicit loops."""

import math

import pytest
import torch

from nram_env.machine import (
    cell_error,
    exact_error,
    expected_loss,
    halting_distribution,
    mixture_loss,
    output_log_likelihood,
    output_probabilities,
    wrong_cells,
)

HORIZON, BATCH, SIZE = 5, 4, 6


@pytest.fixture
def episode():
    """Halting probabilities, the memory after each step, targets and masks of random runs."""
    generator = torch.Generator().manual_seed(0)
    halting = torch.rand(BATCH, HORIZON, generator=generator, dtype=torch.float64)
    memories = torch.rand(HORIZON, BATCH, SIZE, SIZE, generator=generator, dtype=torch.float64)
    target = torch.randint(SIZE, (BATCH, SIZE), generator=generator)
    mask = torch.rand(BATCH, SIZE, generator=generator) < 0.5
    mask[:, 0] = True
    return halting, torch.softmax(4 * memories, -1), target, mask


def _finishing_probs(halting: torch.Tensor, row: int) -> list[float]:
    left, result = 1.0, []
    for t in range(HORIZON):
        result.append(left if t == HORIZON - 1 else left * halting[row, t].item())
        left *= 1 - halting[row, t].item()
    return result


def test_the_last_step_takes_what_is_left_whatever_its_own_probability_says(episode):
    halting = episode[0]
    probs = halting_distribution(halting)
    wanted = torch.tensor([_finishing_probs(halting, row) for row in range(BATCH)], dtype=torch.float64)
    torch.testing.assert_close(probs, wanted)
    torch.testing.assert_close(probs.sum(1), torch.ones(BATCH, dtype=torch.float64))


def test_a_run_that_surely_halts_puts_all_weight_on_that_step():
    halting = torch.tensor([[0.0, 1.0, 0.7, 0.2]])
    assert halting_distribution(halting).tolist() == [[0, 1, 0, 0]]


def test_expected_loss_weighs_the_log_likelihoods_of_the_steps(episode):
    halting, memories, target, mask = episode
    likelihoods = torch.stack([output_log_likelihood(m, target, mask) for m in memories], 1)
    loss = expected_loss(halting_distribution(halting), likelihoods)
    for row in range(BATCH):
        probs, wanted = _finishing_probs(halting, row), 0.0
        for t in range(HORIZON):
            for cell in mask[row].nonzero()[:, 0].tolist():
                wanted -= probs[t] * math.log(memories[t, row, cell, target[row, cell]])
        assert loss[row].item() == pytest.approx(wanted)


def test_mixture_loss_takes_the_logarithm_after_the_average(episode):
    halting, memories, target, mask = episode
    probabilities = torch.stack([output_probabilities(m, target, mask) for m in memories], 1)
    loss = mixture_loss(halting_distribution(halting), probabilities)
    for row in range(BATCH):
        probs, wanted = _finishing_probs(halting, row), 0.0
        for cell in mask[row].nonzero()[:, 0].tolist():
            wanted -= math.log(
                sum(probs[t] * memories[t, row, cell, target[row, cell]] for t in range(HORIZON))
            )
        assert loss[row].item() == pytest.approx(wanted)


def test_the_mixture_loss_is_never_above_the_expected_loss(episode):
    halting, memories, target, mask = episode
    probs = halting_distribution(halting)
    likelihoods = torch.stack([output_log_likelihood(m, target, mask) for m in memories], 1)
    probabilities = torch.stack([output_probabilities(m, target, mask) for m in memories], 1)
    assert (mixture_loss(probs, probabilities) <= expected_loss(probs, likelihoods) + 1e-12).all()


def test_the_log_floor_bounds_the_loss_of_an_impossible_output():
    memory = torch.eye(3)[None]
    target, mask = torch.tensor([[1, 1, 1]]), torch.tensor([[True, True, False]])
    likelihood = output_log_likelihood(memory, target, mask, log_floor=1e-4)
    assert likelihood.item() == pytest.approx(math.log(1e-4))


def test_a_cell_s_value_is_its_most_probable_one(episode):
    _, memories, target, mask = episode
    wrong = wrong_cells(memories[0], target, mask)
    for row in range(BATCH):
        for cell in range(SIZE):
            probabilities = memories[0, row, cell].tolist()
            value = probabilities.index(max(probabilities))
            assert bool(wrong[row, cell]) == (bool(mask[row, cell]) and value != int(target[row, cell]))


def test_errors_count_output_cells_and_examples_with_a_wrong_one():
    memory = torch.nn.functional.one_hot(torch.tensor([[0, 1, 2], [2, 1, 0]]), 3).float()
    target = torch.tensor([[0, 2, 0], [2, 1, 1]])
    mask = torch.tensor([[True, True, False], [True, True, False]])
    wrong = wrong_cells(memory, target, mask)
    assert wrong.tolist() == [[False, True, False], [False, False, False]]
    assert cell_error(wrong, mask) == 0.25
    assert exact_error(wrong) == 0.5
