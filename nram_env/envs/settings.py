"""What a user may set: constructor arguments and reset options, checked before anything changes.

Every error restates what was passed and says what would be right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from torch import Tensor

from nram_env.envs.actions import to_array
from nram_env.envs.episode import Rules
from nram_env.machine import LOG_FLOOR, PAPER_GATES, Gate, MachineConfig
from nram_env.machine.backends import BACKEND_NAMES
from nram_env.support import unknown_name
from nram_env.tasks import Task, TaskBatch, get_task

LOSSES = ("expected", "mixture")
OBSERVATIONS = ("controller", "full")
ROW_OPTIONS = ("difficulty", "memory_size", "horizon", "instance")
VECTOR_ARGUMENTS = ("num_envs", "differentiable", "device", "dtype")
BATCH_OPTIONS = (*ROW_OPTIONS, "reset_mask")
USUAL_DIFFICULTY = 5


@dataclass(frozen=True)
class Settings:
    """Arguments that the single and the vector environment share. All of them fit into JSON.

    Args:
        task: Name of the task.
        num_registers: R; default: what the task suggests.
        gates: Names of the gates in order, repetitions allowed; default: the paper's fourteen.
        memory_size: M of every episode; default: the smallest that the largest n of the batch needs.
        horizon: Timesteps of every episode; default: the task's, for each row's n.
        difficulty: n of every episode; default: 5, or less where `memory_size` has no room for it.
        loss: "expected" or "mixture"; see `Rules`.
        observation: "controller" (P(r = 0) of every register), or "full" (registers and memory as well; the
            spaces then depend on M, which is fixed to `memory_size` or its default).
        hard: Run the discretised machine: every selector one-hot at its largest logit, f = [f > 0.5].
        backend: As in `nram_env.machine.timestep`.
        logit_scale: logits = logit_scale * action.
        log_floor: eps of log(max(x, eps)) in the reward, in 0..1.
        activation_clip: Limit on the gradients of activations inside the machine; default: none.

    Raises:
        ValueError: An argument of the wrong type or range; the message restates it.
    """

    task: str
    num_registers: int | None = None
    gates: Sequence[str | Gate] | None = None
    memory_size: int | None = None
    horizon: int | None = None
    difficulty: int | None = None
    loss: str = "expected"
    observation: str = "controller"
    hard: bool = False
    backend: str = "auto"
    logit_scale: float = 10.0
    log_floor: float = LOG_FLOOR
    activation_clip: float | None = None

    def __post_init__(self) -> None:
        for name, value, valid in (
            ("loss", self.loss, LOSSES),
            ("observation", self.observation, OBSERVATIONS),
            ("backend", self.backend, BACKEND_NAMES),
        ):
            if value not in valid:
                raise unknown_name(name, value, valid)
        if not isinstance(self.hard, bool):
            raise ValueError(f"hard must be True or False, got {self.hard!r}")
        _check_number("logit_scale", self.logit_scale)
        _check_number("log_floor", self.log_floor, largest=1.0)
        if self.activation_clip is not None:
            _check_number("activation_clip", self.activation_clip)
        _ = self.rules
        usual = self.request(1, None)
        if self.observation == "full":
            object.__setattr__(self, "memory_size", usual.memory_size)

    @classmethod
    def of(cls, task: str, arguments: Mapping[str, Any]) -> Settings:
        """Make settings from the keyword arguments of an environment.

        Raises:
            ValueError: As above, or an argument that there is not; the message offers the nearest.
        """
        names = [field.name for field in fields(cls)]
        for name in arguments:
            if name in VECTOR_ARGUMENTS:
                raise ValueError(
                    f"{name}={arguments[name]!r} is for the vector environment: "
                    f"gym.make_vec(id, num_envs=..., {name}={arguments[name]!r})"
                )
            if name not in names:
                raise unknown_name("argument", name, names)
        return cls(task, **arguments)

    @cached_property
    def problem(self) -> Task:
        """The task itself."""
        return get_task(self.task)

    @cached_property
    def rules(self) -> Rules:
        """What the episodes are run with."""
        registers = self.problem.num_registers if self.num_registers is None else self.num_registers
        machine = MachineConfig(registers, PAPER_GATES if self.gates is None else tuple(self.gates))  # type: ignore[arg-type]
        return Rules(machine, self.loss, self.hard, self.log_floor, self.activation_clip, self.backend)

    def request(
        self, num_envs: int, options: Mapping[str, Any] | None, names: Sequence[str] = BATCH_OPTIONS
    ) -> Request:
        """Check the options of a reset and fill in what they leave open.

        Args:
            num_envs: B.
            options: See the environments' `reset`.
            names: Options that there are.

        Raises:
            ValueError: An unknown option, or one of the wrong type, shape or range.
        """
        given = _checked_names(options, names)
        rows = _reset_mask(given.get("reset_mask"), num_envs)
        instance = given.get("instance")
        if instance is None:
            difficulty, memory_size = self._size(given, num_envs)
        else:
            _check_instance(instance, num_envs, given)
            difficulty, memory_size = instance.difficulty, instance.memory_size
        self.check_memory_size(memory_size)
        horizon = given.get("horizon", self.horizon)
        if horizon is None:
            horizon = _for_each(difficulty, self.problem.horizon)
        horizons = _whole_numbers("horizon", horizon, num_envs, smallest=1)
        return Request(self.problem, difficulty, memory_size, horizons, instance, rows)

    def check_memory_size(self, memory_size: int) -> None:
        """Reject another memory size than the one that the observation "full" fixes.

        Raises:
            ValueError: The message names both sizes.
        """
        if self.observation == "full" and self.memory_size not in (None, memory_size):
            raise ValueError(
                f'the observation "full" fixes memory_size to {self.memory_size}, got {memory_size}; '
                f"make the environment with memory_size={memory_size}"
            )

    def _size(self, given: Mapping[str, Any], num_envs: int) -> tuple[np.ndarray, int]:
        memory_size = given.get("memory_size", self.memory_size)
        difficulty = given.get("difficulty", self.difficulty)
        if difficulty is None:
            difficulty = _usual_difficulty(self.problem, memory_size)
        values = _whole_numbers("difficulty", difficulty, num_envs, smallest=self.problem.smallest_difficulty)
        if memory_size is None:
            memory_size = self.problem.smallest_memory_size(int(values.max()))
        self.problem.check_request(values, memory_size)
        return values, int(memory_size)


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


def _checked_names(options: Mapping[str, Any] | None, names: Sequence[str]) -> dict[str, Any]:
    if options is None:
        return {}
    if not isinstance(options, Mapping):
        raise ValueError(f"options must be a dictionary, got {options!r}")
    for name in options:
        if name not in names:
            raise unknown_name("option", name, names)
    return {name: value for name, value in options.items() if value is not None}


def _reset_mask(mask: Any, num_envs: int) -> np.ndarray | None:
    if mask is None:
        return None
    values = _array("reset_mask", mask)
    if values.dtype != bool or values.shape != (num_envs,) or not values.any():
        raise ValueError(f"reset_mask must be ({num_envs},) booleans with one true at least, got {mask!r}")
    return values


def _check_instance(instance: Any, num_envs: int, given: Mapping[str, Any]) -> None:
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


def _for_each(difficulty: np.ndarray, rule: Callable[[int], int]) -> np.ndarray:
    values, places = np.unique(difficulty, return_inverse=True)
    return np.array([rule(int(value)) for value in values])[places]


def _usual_difficulty(task: Task, memory_size: Any) -> int:
    usual = max(USUAL_DIFFICULTY, task.smallest_difficulty)
    if not isinstance(memory_size, int | np.integer):
        return usual
    fitting = (
        n for n in range(task.smallest_difficulty, usual + 1) if task.smallest_memory_size(n) <= memory_size
    )
    return max(fitting, default=task.smallest_difficulty)


def _array(name: str, value: Any) -> np.ndarray:
    """An option as an array; the differentiable environment's own tensors, as `finished`, serve too."""
    return to_array(name, value.numpy(force=True) if isinstance(value, Tensor) else value)


def _whole_numbers(name: str, value: Any, count: int, *, smallest: int) -> np.ndarray:
    """(B,) integers from one integer or from as many as there are rows."""
    values = _array(name, value)
    if values.dtype.kind not in "iu" or values.shape not in ((), (count,)) or values.min() < smallest:
        rows = f" or an array ({count},) of them" if count > 1 else ""
        raise ValueError(f"{name} must be an integer of at least {smallest}{rows}, got {value!r}")
    return np.broadcast_to(values.astype(np.int64), (count,))


def _check_number(name: str, value: Any, largest: float = math.inf) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value <= largest or math.isinf(value):
        limit = "" if math.isinf(largest) else f" and at most {largest}"
        raise ValueError(f"{name} must be a finite number above 0{limit}, got {value!r}")
