"""Chance on a device: a function of the run's seed and the update, and of nothing else."""

from itertools import pairwise

import torch

from agents.device.chance import chance


def test_a_seed_and_an_update_give_one_stream():
    first, again = (torch.rand(9, generator=chance("cpu", 5, 7)) for _ in range(2))
    assert first.equal(again)
    assert chance(torch.device("cpu"), 5, 7).device == torch.device("cpu")


def test_neighbours_and_exchanged_numbers_have_other_streams():
    places = [(seed, update) for seed in (*range(20), 2**63 - 1, 2**32) for update in (*range(50), 2**32)]
    seeds = {chance("cpu", *place).initial_seed() for place in places}
    assert len(seeds) == len(places)


def test_streams_of_neighbours_are_unrelated():
    """The share of equal bits of two streams is a half, within four standard deviations."""
    streams = [torch.randint(2, (10_000,), generator=chance("cpu", 0, update)) for update in range(20)]
    for first, second in pairwise(streams):
        assert abs((first == second).double().mean().item() - 0.5) < 4 * 0.005
