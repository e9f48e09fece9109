"""Samplers of the paper's ten tasks on any device, equal in distribution to the tasks' own in numpy.

A batch of any size costs 8 (Increment) to 100 (WalkBST; easy ones 180) operations on the device, for none of
which the host waits.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from agents.device.samplers import arrays, lists, merge, walk_bst
from agents.device.samplers.drawing import DeviceBatch, Request, Sampler
from nram_env.tasks import Task
from nram_env.tasks.access import Access
from nram_env.tasks.copy import Copy
from nram_env.tasks.increment import Increment
from nram_env.tasks.list_k import ListK
from nram_env.tasks.list_search import ListSearch
from nram_env.tasks.merge import Merge
from nram_env.tasks.permutation import Permutation
from nram_env.tasks.reverse import Reverse
from nram_env.tasks.swap import Swap
from nram_env.tasks.walk_bst import WalkBST

_SAMPLERS: Mapping[type[Task], Sampler] = {
    Access: arrays.access,
    Increment: arrays.increment,
    Copy: arrays.copy,
    Reverse: arrays.reverse,
    Swap: arrays.swap,
    Permutation: arrays.permutation,
    ListK: lists.list_k,
    ListSearch: lists.list_search,
    Merge: merge.merge,
    WalkBST: walk_bst.walk_bst,
}

_EASY_SAMPLERS: Mapping[type[Task], Sampler] = {
    Permutation: arrays.easy_permutation,
    ListSearch: lists.easy_list_search,
    Merge: merge.easy_merge,
    WalkBST: walk_bst.easy_walk_bst,
}


def has_sampler(task: Task) -> bool:
    """Whether a task's examples, easy ones among them where it has such, can be drawn on a device.

    A task of one's own has no sampler here, nor has a subclass of one that does: it may draw otherwise.

    Example:
        >>> from nram_env import get_task
        >>> has_sampler(get_task("copy"))
        True
    """
    return type(task) in _SAMPLERS


def sample(
    task: Task, chance: torch.Generator, difficulty: Tensor, largest: int, memory_size: int
) -> DeviceBatch:
    """Draw examples as `task.sample` does, on the device of `difficulty`.

    Args:
        task: One that has a sampler here.
        chance: Generator of that device.
        difficulty: (N,) int64; n of every example, from the task's smallest one up to `largest`. That they
            are is for the caller to see to: looking would make the host wait.
        largest: Bound on all n.
        memory_size: M, at least the task's smallest one at `largest`.

    Raises:
        ValueError: The task has no sampler, `largest` or M is too small, or `difficulty` is no such tensor.

    Example:
        >>> from nram_env import get_task
        >>> chance, difficulty = torch.Generator().manual_seed(0), torch.tensor([1, 3])
        >>> sample(get_task("copy"), chance, difficulty, 3, 8).mask.sum(1)
        tensor([1, 3])
    """
    return _drawn(_SAMPLERS, task, Request(chance, difficulty, largest, memory_size))


def sample_easy(
    task: Task, chance: torch.Generator, difficulty: Tensor, largest: int, memory_size: int
) -> DeviceBatch:
    """Draw examples as `task.sample_easy` does; arguments and errors as in `sample`.

    Raises:
        ValueError: The task has no easy examples.

    Example:
        >>> from nram_env import get_task
        >>> chance, difficulty = torch.Generator().manual_seed(0), torch.tensor([3])
        >>> sample_easy(get_task("permutation"), chance, difficulty, 3, 8).memory[0, :4]
        tensor([4, 0, 1, 2])
    """
    task.require_easy_examples()
    return _drawn(_EASY_SAMPLERS, task, Request(chance, difficulty, largest, memory_size))


def _drawn(samplers: Mapping[type[Task], Sampler], task: Task, request: Request) -> DeviceBatch:
    sampler, difficulty = samplers.get(type(task)), request.difficulty
    if sampler is None:
        known = ", ".join(kind.name for kind in samplers)
        raise ValueError(
            f"task {task.name} of {type(task).__name__} has no device sampler; these do: {known}"
        )
    if difficulty.dtype != torch.int64 or difficulty.ndim != 1 or not len(difficulty):
        shape = tuple(difficulty.shape)
        raise ValueError(f"difficulty must be (N,) int64, N at least 1, got {difficulty.dtype} {shape}")
    task.check_request(np.array([request.largest]), request.memory_size)
    return sampler(request)


__all__ = ["DeviceBatch", "has_sampler", "sample", "sample_easy"]
