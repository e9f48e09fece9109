"""What a user may ask of a reset, checked before anything changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import Tensor

from nram_env.envs.actions import to_array
from nram_env.support import unknown_name
from nram_env.tasks import Task, TaskBatch

ROW_OPTIONS = ("difficulty", "memory_size", "horizon", "instance")
BATCH_OPTIONS = (*ROW_OPTIONS, "reset_mask")


@dataclass(frozen=True)
class Request:
    """A checked reset: nothing is left open but chance.

    Attributes:
        task: The task.
        difficulty: (B,) int64.
        memory_size: M.
        horizon: (B,) int64.
        given_instance: The examples to use, or None to draw them.
        rows: (B,) bool, the rows to reset; None for all of them.
    """

    task: Task
    difficulty: np.ndarray
    memory_size: int
    horizon: np.ndarray
    given_instance: TaskBatch | None
    rows: np.ndarray | None

    def instance(self, rng: np.random.Generator) -> TaskBatch:
        """The given examples, or fresh ones."""
        if self.given_instance is not None:
            return self.given_instance
        return self.task.sample(rng, self.difficulty, self.memory_size)


def checked_names(options: Mapping[str, Any] | None, names: Sequence[str]) -> dict[str, Any]:
    """The options that are not None.

    Raises:
        ValueError: Not a dictionary, or an unknown name; the message offers the nearest.
    """
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise ValueError(f"options must be a dictionary, got {options!r}")
    for name in options:
        if name not in names:
            raise unknown_name("option", name, names)
    return {name: value for name, value in options.items() if value is not None}


def checked_reset_mask(mask: Any, num_envs: int) -> np.ndarray | None:
    """The mask as (B,) booleans.

    Raises:
        ValueError: Another shape or type, or no row at all.
    """
    if mask is None:
        return None
    values = _array("reset_mask", mask)
    if values.dtype != bool or values.shape != (num_envs,) or not values.any():
        raise ValueError(f"reset_mask must be ({num_envs},) booleans with one true at least, got {mask!r}")
    return values


def check_instance(instance: Any, num_envs: int, given: Mapping[str, Any]) -> None:
    """Reject what is no batch of B examples, and options that say again what the batch fixes.

    Raises:
        ValueError: The message names the array, and the row and cell if a value is out of range.
    """
    for name in ("difficulty", "memory_size"):
        if name in given:
            raise ValueError(f"an instance fixes the {name} already, got {name}={given[name]!r} besides")
    if not isinstance(instance, TaskBatch):
        raise ValueError(
            f"instance must be a TaskBatch, as from nram_env.tasks.instance_of, got {instance!r}"
        )
    size = instance.memory.shape[-1]
    wanted = (np.int64, (num_envs, size))
    for name, dtype, shape in (
        ("memory", *wanted),
        ("target", *wanted),
        ("mask", np.bool_, wanted[1]),
        ("difficulty", np.int64, (num_envs,)),
    ):
        array = getattr(instance, name)
        if array.dtype != dtype or array.shape != shape:
            raise ValueError(
                f"instance.{name} must be {dtype.__name__} of shape {shape}, "
                f"got {array.dtype} of {array.shape}"
            )
    for name in ("memory", "target"):
        wrong = np.argwhere((getattr(instance, name) < 0) | (getattr(instance, name) >= size))
        if len(wrong):
            row, cell = wrong[0].tolist()
            value = getattr(instance, name)[row, cell]
            raise ValueError(
                f"instance.{name}: cell {cell} of row {row} holds {value}, which is not in 0..{size - 1}"
            )


def for_each(difficulty: np.ndarray, rule: Callable[[int], int]) -> np.ndarray:
    """The rule's value for every n, (B,)."""
    values, places = np.unique(difficulty, return_inverse=True)
    return np.array([rule(int(value)) for value in values])[places]


def _array(name: str, value: Any) -> np.ndarray:
    """An option as an array; the differentiable environment's own tensors, as `finished`, serve too."""
    return to_array(name, value.numpy(force=True) if isinstance(value, Tensor) else value)


def whole_numbers(name: str, value: Any, count: int, *, smallest: int) -> np.ndarray:
    """(B,) integers from one integer or from as many as there are rows.

    Raises:
        ValueError: Another type or shape, or one below `smallest`.
    """
    values = _array(name, value)
    if values.dtype.kind not in "iu" or values.shape not in ((), (count,)) or values.min() < smallest:
        rows = f" or an array ({count},) of them" if count > 1 else ""
        raise ValueError(f"{name} must be an integer of at least {smallest}{rows}, got {value!r}")
    return np.broadcast_to(values.astype(np.int64), (count,))
