"""What a user may set: constructor arguments and reset options, checked before anything changes.

Every error restates what was passed and says what would be right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

from nram_env.checks import check_noise, shown
from nram_env.envs.actions import LARGEST_LOGIT
from nram_env.envs.episode import Rules
from nram_env.envs.options import (
    BATCH_OPTIONS,
    Request,
    check_extent,
    check_instance,
    check_largest,
    checked_names,
    checked_reset_mask,
    for_each,
    whole_number,
    whole_numbers,
)
from nram_env.machine import LOG_FLOOR, PAPER_GATES, Gate, MachineConfig
from nram_env.machine.backends import BACKEND_NAMES
from nram_env.support import unexpected_keyword, unknown_name
from nram_env.tasks import Task, get_task

LOSSES = ("expected", "mixture")
OBSERVATIONS = ("controller", "full")
VECTOR_ARGUMENTS = ("num_envs", "differentiable", "device", "dtype", "autoreset_mode")
USUAL_DIFFICULTY = 5
SMALLEST_NUMBER = float(np.finfo(np.float32).tiny)
"""Scales and floors below this vanish in float32."""
LARGEST_NUMBER = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Settings:
    """Arguments that the single and the vector environment share.

    They are kept in one plain form that fits into JSON: gates as names, however they were given, and Python's
    numbers for numpy's.

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
        step_cost: Nats for every timestep, times the probability that the run gets there.
        unfinished_cost: Nats for the last timestep of the horizon, times the probability that the run gets
            there: a run that stops by itself before does not pay.
        sharp_registers: Square and rescale every register after each timestep: what is blurred leans to its
            most probable value. Nothing changes where registers are certain, as in hard runs.
        noisy_registers: Multiply their probabilities by noise from (0, 1) before, so that of several values
            now one is left and now another; needs sharp registers.

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
    step_cost: float = 0.0
    unfinished_cost: float = 0.0
    sharp_registers: bool = False
    noisy_registers: bool = False

    def __post_init__(self) -> None:
        check_choice("loss", self.loss, LOSSES)
        check_choice("observation", self.observation, OBSERVATIONS)
        check_choice("backend", self.backend, BACKEND_NAMES)
        check_flag("hard", self.hard)
        check_flag("sharp_registers", self.sharp_registers)
        check_flag("noisy_registers", self.noisy_registers)
        check_noise(self.sharp_registers, self.noisy_registers)
        self._keep(
            num_registers=_pythons(self.num_registers),
            logit_scale=_number("logit_scale", self.logit_scale, largest=LARGEST_LOGIT),
            log_floor=_number("log_floor", self.log_floor, largest=1.0),
            activation_clip=_optional(_number, "activation_clip", self.activation_clip),
            step_cost=_number("step_cost", self.step_cost, smallest=0.0),
            unfinished_cost=_number("unfinished_cost", self.unfinished_cost, smallest=0.0),
            horizon=_optional(whole_number, "horizon", self.horizon, smallest=1),
            difficulty=_optional(
                whole_number, "difficulty", self.difficulty, smallest=self.problem.smallest_difficulty
            ),
        )
        labels = tuple(gate.label for gate in self.rules.machine.gates)
        self._keep(gates=None if self.gates is None else labels)
        usual = self.request(1, None).memory_size
        if self.observation == "full" or self.memory_size is not None:
            self._keep(memory_size=usual)

    def _keep(self, **values: Any) -> None:
        """Put the plain form of arguments in the place of what was passed."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @classmethod
    def of(cls, owner: str, task: str, arguments: Mapping[str, Any], others: Sequence[str]) -> Settings:
        """Make settings from the keyword arguments of an environment.

        Args:
            owner: Class of the environment, for the error text.
            task: Name of the task.
            arguments: The keyword arguments that are left.
            others: Keywords that the environment has besides.

        Raises:
            TypeError: A keyword that there is not; the message says where it belongs, or offers the nearest.
            ValueError: As above.
        """
        names = [field.name for field in fields(cls)]
        for name, value in arguments.items():
            if name in VECTOR_ARGUMENTS:
                rows = "" if name == "num_envs" else "num_envs=..., "
                call = f"gym.make_vec(id, {rows}{name}={shown(value)}), without vectorization_mode"
                raise _misplaced(owner, name, f"vector environment: {call}")
            if name == "max_episode_steps":
                call = f"gym.make(id, {name}={shown(value)}); here horizon=... ends episodes"
                raise _misplaced(owner, name, f"single environment: {call}")
            if name not in names:
                raise unexpected_keyword(f"{owner}()", name, [*names, *others])
        return cls(task, **arguments)

    @property
    def plain(self) -> dict[str, Any]:
        """Every argument as JSON gives it back."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return values | {"gates": None if self.gates is None else list(self.gates)}

    @cached_property
    def problem(self) -> Task:
        """The task itself."""
        return get_task(self.task)

    @cached_property
    def rules(self) -> Rules:
        """What the episodes are run with."""
        registers = self.problem.num_registers if self.num_registers is None else self.num_registers
        machine = MachineConfig(registers, PAPER_GATES if self.gates is None else self.gates)  # type: ignore[arg-type]
        clips = (self.log_floor, self.activation_clip)
        costs = (self.step_cost, self.unfinished_cost)
        sharpness = (self.sharp_registers, self.noisy_registers)
        return Rules(machine, self.loss, self.hard, *clips, self.backend, *costs, *sharpness)

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
            check_instance(self.problem, instance, num_envs, given)
            difficulty, memory_size = instance.difficulty, instance.memory_size
        check_extent(f"the memories of {num_envs} x {memory_size} cells", num_envs * memory_size**2)
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
        chance = self._chance(given, num_envs)
        return Request(self.problem, difficulty, memory_size, horizons, instance, chance, rows)

    def _chance(self, given: Mapping[str, Any], num_envs: int) -> np.ndarray | None:
        if "chance" not in given:
            return None
        if not self.noisy_registers:
            raise ValueError(f"chance needs noisy_registers=True, got chance={shown(given['chance'])}")
        return whole_numbers("chance", given["chance"], num_envs, smallest=0)

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
        check_largest("memory_size", memory_size)
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


def check_choice(name: str, value: Any, valid: Sequence[str]) -> None:
    """Accept one of several words.

    Raises:
        ValueError: Another; the message offers the nearest.
    """
    if not isinstance(value, str) or value not in valid:
        raise unknown_name(name, value, valid)


def check_flag(name: str, value: Any) -> None:
    """Accept True and False.

    Raises:
        ValueError: Anything else.
    """
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False, got {shown(value)}")


def _pythons(value: Any) -> Any:
    """Python's integer for numpy's, anything else as it is."""
    return int(value) if isinstance(value, np.integer) else value


def _optional(check: Callable[..., Any], name: str, value: Any, **limits: Any) -> Any:
    return None if value is None else check(name, value, **limits)


def _number(
    name: str, value: Any, smallest: float = SMALLEST_NUMBER, largest: float = LARGEST_NUMBER
) -> float:
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not smallest <= value <= largest:
        raise ValueError(f"{name} must be a number in {smallest:.3g}..{largest:.3g}, got {shown(value)}")
    return float(value)


def _misplaced(owner: str, name: str, place: str) -> TypeError:
    return TypeError(f"{owner}() got an unexpected keyword argument {name!r}, which is for the {place}")
