"""Chance on a device as a function of the run's seed and of the update: there is no state to save."""

from __future__ import annotations

from hashlib import blake2b

import torch

_WORD = 2**64


def chance(device: torch.device | str, run_seed: int, update: int) -> torch.Generator:
    """A generator of the device for one update of one run.

    Its seed is the BLAKE2b hash, of 64 bits, of both numbers side by side, so that neighbouring runs and
    updates have nothing to do with each other. A CUDA device's generator counts (Philox) from the whole
    seed; the CPU's (Mersenne Twister) is seeded with the lower 32 bits of it.

    Args:
        device: Where the generator's numbers are wanted.
        run_seed: Seed of the run; its lower 64 bits count.
        update: Age of the population; its lower 64 bits count.

    Example:
        >>> first, again, later = (chance("cpu", 0, update).initial_seed() for update in (1, 1, 2))
        >>> first == again, first == later
        (True, False)
    """
    words = b"".join((number % _WORD).to_bytes(8, "little") for number in (run_seed, update))
    seed = int.from_bytes(blake2b(words, digest_size=8).digest(), "little")
    return torch.Generator(device).manual_seed(seed)
