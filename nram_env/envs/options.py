"""What a user may ask of a reset, checked before anything changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from torch import Tensor

from nram_env.checks import shown
from nram_env.envs.actions import to_array
from nram_env.support import unknown_name
from nram_env.tasks import Task, TaskBatch, instance_of

ROW_OPTIONS = ("difficulty", "memory_size", "horizon", "instance", "chance")
BATCH_OPTIONS = (*ROW_OPTIONS, "reset_mask")
LARGEST_COUNT = 2**31 - 1
"""No difficulty, no horizon and no word of chance may be larger."""
BYTES_A_NUMBER = 16
"""What each of the B x M x M numbers of the memories takes at a reset: two floats and an integer."""


@dataclass(frozen=True)
class Request:
    """A checked reset: nothing is left open but chance.

    Attributes:
        task: The task.
        difficulty: (B,) int64.
        memory_size: M.
        horizon: (B,) int64.
        given_instance: The examples of B rows to use, or None to draw them.
        given_chance: (B,) int64, what the noise of registers is a function of, or None to draw it.
        rows: (B,) bool, the k rows to reset; None for all of them.
    """

    task: Task
    difficulty: np.ndarray
    memory_size: int
    horizon: np.ndarray
    given_instance: TaskBatch | None
    given_chance: np.ndarray | None
    rows: np.ndarray | None

    def instance(self, rng: np.random.Generator) -> TaskBatch:
        """The given examples of the rows to reset, or fresh ones."""
        if self.given_instance is not None:
            return self.given_instance if self.rows is None else self.given_instance.rows(self.rows)
        return self.task.sample(rng, self._chosen(self.difficulty), self.memory_size)

    @property
    def horizons(self) -> np.ndarray:
        """(k,) int64; timesteps of the rows to reset."""
        return self._chosen(self.horizon)

    @property
    def chance(self) -> np.ndarray | None:
        """(k,) int64; that of the rows to reset, or None to draw it."""
        return None if self.given_chance is None else self._chosen(self.given_chance)

    def _chosen(self, values: np.ndarray) -> np.ndarray:
        return values if self.rows is None else values[self.rows]


def checked_names(options: Mapping[str, Any] | None, names: Sequence[str]) -> dict[str, Any]:
    """The options that are not None.

    Raises:
        ValueError: Not a dictionary, or an unknown name; the message offers the nearest.
    """
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise ValueError(f"options must be a dictionary, got {shown(options)}")
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
        raise ValueError(
            f"reset_mask must be ({num_envs},) booleans with one true at least, got {shown(mask)}"
        )
    return values


def check_instance(task: Task, instance: Any, num_envs: int, given: Mapping[str, Any]) -> None:
    """Reject what is no batch of B examples of the task, and options that say again what the batch fixes.

    Raises:
        ValueError: The message names the array, and the row and cell if a value is out of range.
    """
    for name in ("difficulty", "memory_size"):
        if name in given:
            raise ValueError(f"an instance fixes the {name} already, got {name}={shown(given[name])} besides")
    if not isinstance(instance, TaskBatch):
        raise ValueError(
            f"instance must be a TaskBatch, as from nram_env.tasks.instance_of, got {shown(instance)}"
        )
    _check_arrays(instance, num_envs)
    for name in ("memory", "target"):
        _check_values(f"instance.{name}", getattr(instance, name))
    if instance.task is None:
        _check_answers(task, instance)
    elif instance.task != task.name:
        raise ValueError(f"instance must belong to task {task.name}, got a batch of task {instance.task}")


def _check_arrays(instance: TaskBatch, num_envs: int) -> None:
    cells = (num_envs, *getattr(instance.memory, "shape", ())[-1:])
    for name, dtype, shape in (
        ("memory", np.int64, cells),
        ("target", np.int64, cells),
        ("mask", np.bool_, cells),
        ("difficulty", np.int64, (num_envs,)),
    ):
        array = getattr(instance, name)
        if not isinstance(array, np.ndarray):
            raise ValueError(f"instance.{name} must be a numpy array, got {shown(array)}")
        if array.dtype != dtype or array.shape != shape:
            raise ValueError(
                f"instance.{name} must be {dtype.__name__} of shape {shape}, "
                f"got {array.dtype} of {array.shape}"
            )


def _check_values(name: str, values: np.ndarray) -> None:
    size = values.shape[-1]
    wrong = np.argwhere((values < 0) | (values >= size))
    if len(wrong):
        row, cell = wrong[0].tolist()
        raise ValueError(
            f"{name}: cell {cell} of row {row} holds {values[row, cell]}, which is not in 0..{size - 1}"
        )


def _check_answers(task: Task, instance: TaskBatch) -> None:
    """Compare a batch that was put together by hand with what the task itself says of its memories."""
    answered = instance_of(task, instance.memory)
    for name in ("target", "mask", "difficulty"):
        given, wanted = getattr(instance, name), getattr(answered, name)
        wrong = np.argwhere(given != wanted)
        if len(wrong):
            row, *cell = place = tuple(wrong[0].tolist())
            where = f"cell {cell[0]} of row {row}" if cell else f"row {row}"
            raise ValueError(
                f"instance.{name}: {where} holds {given[place]}, but task {task.name} wants {wanted[place]}"
            )


def check_extent(what: str, numbers: int) -> None:
    """Reject tensors that this computer cannot hold, before anything of their size is made.

    Raises:
        ValueError: They need more bytes than it has memory.
    """
    if numbers * BYTES_A_NUMBER > _memory():
        needed, there = (size / 2**30 for size in (numbers * BYTES_A_NUMBER, _memory()))
        raise ValueError(f"{what} need {needed:,.0f} GiB, and this computer has {there:,.0f} GiB of memory")


@cache
def _memory() -> int:
    """Bytes of memory of this computer."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def for_each(difficulty: np.ndarray, rule: Callable[[int], int]) -> np.ndarray:
    """The rule's value for every n, (B,)."""
    values, places = np.unique(difficulty, return_inverse=True)
    return np.array([rule(int(value)) for value in values])[places]


def draw_chance(rng: np.random.Generator, count: int) -> np.ndarray:
    """Words that the noise of registers is a function of, (count,) int64; none is 0, which is no noise."""
    return rng.integers(1, LARGEST_COUNT, size=count, endpoint=True)


def _array(name: str, value: Any) -> np.ndarray:
    """An option as an array; the differentiable environment's own tensors, as `finished`, serve too."""
    if not isinstance(value, Tensor):
        return to_array(name, value)
    try:
        return value.numpy(force=True)
    except (TypeError, RuntimeError):
        raise ValueError(f"the {name} has no numbers that numpy knows, got {shown(value)}") from None


def whole_numbers(name: str, value: Any, count: int, *, smallest: int) -> np.ndarray:
    """(B,) integers from one integer or from as many as there are rows.

    Raises:
        ValueError: Another type or shape, or one below `smallest` or above `LARGEST_COUNT`.
    """
    rows = f" or an array ({count},) of them" if count > 1 else ""
    return np.broadcast_to(_integers(name, value, ((), (count,)), smallest, rows), (count,))


def whole_number(name: str, value: Any, *, smallest: int) -> int:
    """One integer, Python's or numpy's, as Python's.

    Raises:
        ValueError: As in `whole_numbers`.
    """
    return int(_integers(name, value, ((),), smallest))


def _integers(
    name: str, value: Any, shapes: tuple[tuple[int, ...], ...], smallest: int, rows: str = ""
) -> np.ndarray:
    values = _array(name, value)
    whole = values.dtype.kind in "iu" or (values.dtype == object and isinstance(value, int))  # beyond 64 bits
    if not whole or values.shape not in shapes or values.min() < smallest:
        raise ValueError(f"{name} must be an integer of at least {smallest}{rows}, got {shown(value)}")
    check_largest(name, int(values.max()))
    return values.astype(np.int64)


def check_largest(name: str, value: Any) -> None:
    """Reject counts that no computer could count to.

    Raises:
        ValueError: A whole number above `LARGEST_COUNT`.
    """
    if isinstance(value, int | np.integer) and value > LARGEST_COUNT:
        raise ValueError(f"{name} must be at most {LARGEST_COUNT}, got {shown(value)}")
