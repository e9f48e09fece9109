"""Device samplers on a card: the same examples again, right ones, and the host is not made to wait."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from agents.device.chance import chance
from agents.device.samplers import DeviceBatch, sample, sample_easy
from nram_env.tasks import get_task
from tests.agents.device.draws import DRAWS, assert_answered, drawn

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here"),
    pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype"),
]


@contextmanager
def no_waiting() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize(("name", "easy"), DRAWS)
def test_examples_are_right_and_the_same_again(name, easy):
    difficulty = np.resize(np.arange(2, 14), 600)
    size = get_task(name).smallest_memory_size(13) + 2
    first, again, other = (drawn(name, easy, difficulty, size, seed, device="cuda") for seed in (0, 0, 1))
    assert_answered(name, first)
    assert all(value.is_cuda and value.equal(vars(again)[key]) for key, value in vars(first).items())
    assert not first.memory.equal(other.memory)


@pytest.mark.parametrize(("name", "easy"), DRAWS)
def test_a_full_batch_is_drawn_without_waiting(name, easy):
    task, sampler = get_task(name), sample_easy if easy else sample
    n = torch.full((65_536,), 14, dtype=torch.int64, device="cuda")
    with no_waiting():
        batch = sampler(task, chance("cuda", 0, 0), n, 14, task.smallest_memory_size(14) + 2)
    assert_answered(name, DeviceBatch(*(value[-50:] for value in vars(batch).values())))


def test_waiting_is_noticed():
    n = torch.full((2,), 14, dtype=torch.int64, device="cuda")
    with no_waiting(), pytest.raises(RuntimeError, match="synchronizing"):
        n.max().item()
