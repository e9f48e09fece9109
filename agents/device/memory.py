"""How much memory of a device training takes: known before it starts, and said where there is too little."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from agents.config import TrainConfig
from nram_env.machine.backends.cuda.error import KernelError

COPIES = 9
"""Times that the parameters of all members are on the device: as they are, as they did best, momentum,
variance, gradient, and what an update makes of these."""

GIBIBYTE = 2**30


def needed_bytes(config: TrainConfig) -> int:
    """Bytes of an update at the largest sizes of the curriculum, by the kernel; any other way needs more.

    For every timestep of every example that keeps registers and memory, what enters and leaves the layers of
    the controller, and the gradients of what leaves them.

    Args:
        config: Hyper-parameters.
    """
    spec, task = config.spec, config.task_object
    size = task.smallest_memory_size(config.max_level) + config.memory_slack
    wait = int(config.halting_slack * size) if config.halting else 0
    timesteps = task.horizon(config.max_level) + wait + config.horizon_slack
    *inner, last = spec.layers.values()
    layers = sum(inputs + 2 * outputs for inputs, outputs in inner) + sum(last)
    numbers = (spec.machine.num_registers + size) * size + layers
    rows = config.population * config.batch_size
    return 4 * (rows * (timesteps * numbers + 2 * size**2) + COPIES * config.population * spec.num_parameters)


def check_memory(config: TrainConfig, device: torch.device) -> None:
    """Refuse a population that a GPU cannot hold.

    Raises:
        ValueError: It has too little memory free.
    """
    needed, (free, _) = needed_bytes(config), torch.cuda.mem_get_info(device)
    if needed > free:
        wanted, found = (f"{size / GIBIBYTE:.1f} GiB" for size in (needed, free))
        raise ValueError(f"training needs some {wanted} of memory, {device} has {found}; {_advice(config)}")


@contextmanager
def faults_explained(config: TrainConfig, device: torch.device) -> Iterator[None]:
    """Turn what a device cannot do into an error that says so in one line, and what would help.

    Raises:
        ValueError: It has run out of memory, or kernels cannot be compiled, loaded or started.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ValueError(f"{device} has run out of memory; {_advice(config)}") from error
    except KernelError as error:
        raise ValueError(f"training on {device} cannot go on: {error}") from error


def _advice(config: TrainConfig) -> str:
    return f"lower population, {config.population}, or batch_size, {config.batch_size}"
