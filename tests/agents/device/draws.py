"""Batches of every device sampler, and what the oracles say to them."""

import numpy as np
import torch

from agents.device.chance import chance
from agents.device.samplers import DeviceBatch, sample, sample_easy
from nram_env.tasks import get_task

NAMES = [
    *("access", "increment", "copy", "reverse", "swap", "permutation", "listk", "listsearch", "merge"),
    "walkbst",
]
EASY = ["permutation", "listsearch", "merge", "walkbst"]
DRAWS = [(name, False) for name in NAMES] + [(name, True) for name in EASY]


def drawn(
    name: str,
    easy: bool,
    difficulty: np.ndarray,
    memory_size: int,
    seed: int = 0,
    spare: int = 0,
    device: str = "cpu",
) -> DeviceBatch:
    """A batch from the device sampler, which is told a bound on n that may be `spare` too high."""
    sampler, n = sample_easy if easy else sample, torch.from_numpy(difficulty).to(device)
    largest = int(difficulty.max()) + spare
    return sampler(get_task(name), chance(device, seed, 0), n, largest, memory_size)


def assert_answered(name: str, batch: DeviceBatch) -> None:
    """That target, mask and difficulty are the oracle's."""
    task, target, mask = get_task(name), batch.memory.tolist(), torch.zeros_like(batch.mask, device="cpu")
    for row, memory in enumerate(batch.memory.tolist()):
        for cell, value in task.oracle(memory).items():
            target[row][cell], mask[row, cell] = value, True
    assert batch.target.tolist() == target
    assert batch.mask.cpu().equal(mask)
    assert batch.difficulty.tolist() == [task.difficulty_of(memory) for memory in batch.memory.tolist()]
