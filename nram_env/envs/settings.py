"""What a user may set: constructor arguments and reset options, checked before anything changes.

Every error restates what was passed and says what would be right.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from nram_env.envs.episode import Rules
from nram_env.envs.options import (
    BATCH_OPTIONS,
    Request,
    check_instance,
    checked_names,
    checked_reset_mask,
    for_each,
    whole_numbers,
)
from nram_env.machine import LOG_FLOOR, PAPER_GATES, Gate, MachineConfig
from nram_env.machine.backends import BACKEND_NAMES
from nram_env.support import unknown_name
from nram_env.tasks import Task, get_task

LOSSES = ("expected", "mixture")
OBSERVATIONS = ("controller", "full")
VECTOR_ARGUMENTS = ("num_envs", "differentiable", "device", "dtype")
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
        self,
        num_envs: int,
        options: Mapping[str, Any] | None,
        names: Sequence[str] = BATCH_OPTIONS,
        running_size: int | None = None,
    ) -> Request:
        """Check the options of a reset and fill in what they leave open.

        Args:
            num_envs: B.
            options: See the environments' `reset`.
            names: Options that there are.
            running_size: M of the episodes that are running, which rows that are reset alone keep.

        Raises:
            ValueError: An unknown option, or one of the wrong type, shape or range.
        """
        given = checked_names(options, names)
        rows = checked_reset_mask(given.get("reset_mask"), num_envs)
        instance = given.get("instance")
        if instance is None:
            usual_size = self.memory_size if rows is None else running_size
            difficulty, memory_size = self._size(given, num_envs, usual_size)
        else:
            check_instance(instance, num_envs, given)
            difficulty, memory_size = instance.difficulty, instance.memory_size
        self.check_memory_size(memory_size)
        if rows is not None and memory_size != running_size:
            raise ValueError(
                f"reset_mask needs running episodes of memory_size {memory_size}, there are "
                f"{'none' if running_size is None else f'those of {running_size}'}"
            )
        horizon = given.get("horizon", self.horizon)
        if horizon is None:
            horizon = for_each(difficulty, self.problem.horizon)
        horizons = whole_numbers("horizon", horizon, num_envs, smallest=1)
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

    def _size(
        self, given: Mapping[str, Any], num_envs: int, usual_size: int | None
    ) -> tuple[np.ndarray, int]:
        memory_size = given.get("memory_size", usual_size)
        difficulty = given.get("difficulty", self.difficulty)
        if difficulty is None:
            difficulty = _usual_difficulty(self.problem, memory_size)
        values = whole_numbers("difficulty", difficulty, num_envs, smallest=self.problem.smallest_difficulty)
        if memory_size is None:
            memory_size = self.problem.smallest_memory_size(int(values.max()))
        self.problem.check_request(values, memory_size)
        return values, int(memory_size)


def _usual_difficulty(task: Task, memory_size: Any) -> int:
    usual = max(USUAL_DIFFICULTY, task.smallest_difficulty)
    if not isinstance(memory_size, int | np.integer):
        return usual
    fitting = (
        n for n in range(task.smallest_difficulty, usual + 1) if task.smallest_memory_size(n) <= memory_size
    )
    return max(fitting, default=task.smallest_difficulty)


def _check_number(name: str, value: Any, largest: float = math.inf) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 < value <= largest or math.isinf(value):
        limit = "" if math.isinf(largest) else f" and at most {largest}"
        raise ValueError(f"{name} must be a finite number above 0{limit}, got {value!r}")
