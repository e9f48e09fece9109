"""TrainConfig: every hyper-parameter of a training run, one line of help each."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import tyro

from agents.bounds import check_bounds
from agents.spec import ControllerSpec
from nram_env.checks import (
    Check,
    anything,
    boolean,
    built,
    check_noise,
    choice,
    integer,
    list_of,
    nullable,
    number,
    record,
    text,
    tuple_of,
)
from nram_env.machine import PAPER_GATES, Gate, MachineConfig
from nram_env.tasks import IMPORTS, Task, get_task, task_imports

Range = tuple[float, float]


@dataclass(frozen=True)
class TrainConfig:
    """Hyper-parameters of a training run (paper, Section 4 and Appendix B).

    A pair of numbers is a range: each member of the population draws its own value, log-uniformly.

    Raises:
        ValueError: A value is out of its range, or a name is unknown; the message names it.

    Example:
        >>> TrainConfig(task="copy", controller="feedforward").to_json()["controller"]
        'feedforward'
    """

    task: tyro.conf.Positional[str] = "copy"
    """Task to learn; nram tasks lists them."""
    controller: Literal["lstm", "feedforward"] = "lstm"
    """Kind of controller."""
    hidden_size: int = 16
    """Width of the controller's layers."""
    sharp_tests: bool = False
    """Controllers read P(r = 0) through a smoothstep: half-sure tests, in which members otherwise hide
    numbers that no hardened run has, say less."""
    sharp_registers: bool = False
    """In training, registers are squared and rescaled after each timestep, for the same reason."""
    noisy_registers: bool = False
    """On the largest sizes, the probabilities of sharp registers are multiplied by noise before they are
    squared: of two values that a register holds now one is left and now the other."""
    num_registers: int | None = None
    """Registers of the machine; default: what the task suggests."""
    gate_repeats: int = 1
    """How often the gate list is repeated within a timestep."""
    second_read: bool = False
    """Put a second READ behind ADD, so that a timestep can follow a pointer that it computed."""
    population: int = 24
    """Members trained at once, each with its own seed and hyper-parameters."""
    batch_size: int = 16
    """Examples of each member in an update."""
    seed: int = 0
    """Seed of all chance in the run."""
    portfolio: bool = False
    """Let several populations, islands that differ in controller, registers, gates, loss and levels, share
    the time by how far each has come; what is asked for and is not generic holds for all of them."""

    first_level: int = 5
    """Difficulty at which the curriculum starts."""
    max_level: int = 8
    """Largest difficulty n of the curriculum."""
    level_threshold: float = 0.05
    """The level rises when the running exact error at it falls below this."""
    mastery_threshold: float | None = None
    """Members with a running exact error below this and below level_threshold master the largest sizes, see
    sharpening and generation_every; default: level_threshold."""
    level_patience: int = 20
    """Least number of updates between two rises."""
    count_smaller: bool = False
    """The error that decides on rises is that on examples of the level or smaller, not of exactly the level:
    a constant is right at one size where the answer goes by the size."""
    ahead: int = 1
    """How far examples may lie above the current level."""
    easy_share: float = 0.0
    """Share of easy examples, where the task has such, until a member masters the top level."""
    memory_slack: int = 2
    """M exceeds the smallest legal size by 0 to this many cells, drawn anew for each update."""
    small_share: float = 0.0
    """Share of updates that hold all sizes below a bound drawn anew, so that small memories still occur where
    members train on large ones: M goes by the largest example of an update."""
    horizon_share: float = 1.0
    """Every other update, by chance, has this share of the task's horizon; the others have all of it."""
    horizon_slack: int = 0
    """The horizon exceeds the task's by 0 to this many steps, drawn anew for each update."""
    halting: bool = True
    """Learn to stop: behind the top level lies one more, of the same sizes and longer horizons, and a member
    is solved only if its hardened runs stop by themselves."""
    halting_threshold: float = 0.05
    """A member enters that level when its running exact error at the largest sizes falls below this and
    below level_threshold."""
    halting_share: float = 0.75
    """On that level, share of updates whose horizon exceeds the task's, by M to halting_slack times M."""
    halting_slack: float = 2.0
    """See halting_share; drawn anew for each update."""
    halting_spread: float = 0.5
    """On that level, share of examples whose size is uniform over all sizes."""
    unfinished_cost: float = 3.0
    """With such a horizon, nats for a run that reaches its last timestep."""
    step_cost: float = 0.1
    """With such a horizon, nats for every timestep."""

    backend: Literal["auto", "fused", "reference"] = "auto"
    """How the machine is computed; auto is fused wherever that runs."""
    loss: Literal["expected", "mixture"] = "expected"
    """Expected log-likelihood over halting times, or log of the expected likelihood."""
    learning_rate: Range = (0.003, 0.03)
    """Adam's learning rate."""
    output_scale: Range = (0.5, 2.0)
    """Factor on the initial weights of the controller's output layer."""
    entropy_bonus: Range = (0.002, 0.25)
    """Initial coefficient of the selectors' entropy, in nats a timestep."""
    entropy_half_life: float = 100.0
    """Updates in which the entropy bonus halves."""
    gradient_noise: Range = (1e-4, 1e-2)
    """Initial standard deviation of the gradient noise; its variance decays as (1 + t)^-0.55."""
    gradient_clip: float = 1.0
    """Largest L2 norm of a member's gradient."""
    activation_clip: float = 1.0
    """Bound on each coordinate of gradients inside the machine."""
    log_floor: float = 1e-6
    """Floor under every logarithm of a probability."""
    sharpening: float = 0.1
    """Entropy penalty of members at the top level with an error below the threshold."""

    hardened_cost: float = 0.0
    """Nats that a hardened run counts for in the ranking where it is wrong, on training examples of a
    member's size; if not 0, members also fall back to the smallest size that they are wrong on, hardened."""
    cull_every: int = 100
    """Updates between two selections; 0 for none, so that every member is an independent run."""
    cull_share: float = 0.25
    """Share of members replaced at a selection: half by perturbed clones of the best, half afresh."""
    spare_age: int = 200
    """Members younger than this many updates are not replaced."""
    family_share: float = 0.125
    """Members of one family, the descendants of one fresh start, beyond this share are replaced first,
    until a member masters the top level."""
    rescale_share: float = 0.5
    """Share of clones that start anew from other output weights: smaller ones, so that choices soften;
    larger ones where the top level is mastered."""
    perturbation: float = 0.4
    """Clones multiply their hyper-parameters by exp(perturbation * z), z standard normal."""

    attempts: int = 5
    """Populations to try at most; each begins anew, with the next seed."""
    attempt_updates: int = 1500
    """A population that has not left the first level after so many updates gives way to the next."""
    unsolved_updates: int = 4000
    """A population without a solved member after so many updates gives way to the next; 0 for never."""
    generation_every: int = 1000
    """Every so many updates, if members master the top level and none is solved, all start again as softened
    clones of the best; 0 for never."""
    generation_noise: float = 0.0
    """Noise on the weights of a new generation, in standard deviations of its parent's: each clone draws its
    own amount from 0 to this."""

    evaluate_every: int = 50
    """Updates between two tests of the members at the top level."""
    evaluation_factors: tuple[int, ...] = (6, 25)
    """Those tests take every size of the curriculum and these multiples of the largest."""
    evaluation_examples: int = 32
    """Examples of each size in those tests; what makes no error is tested again on sixteen times as many."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "task", get_task(self.task).name)  # however it was written
        check_bounds(self)
        self.spec  # noqa: B018  checks controller and machine
        check_noise(self.sharp_registers, self.noisy_registers)
        if self.first_level > self.max_level:
            raise ValueError(
                f"first_level must be at most max_level, got {self.first_level} and {self.max_level}"
            )
        if self.lowest_level > self.max_level:
            raise ValueError(
                f"max_level must be at least {self.lowest_level}, "
                f"the smallest difficulty of task {self.task}, got {self.max_level}"
            )
        if self.horizon_share == 0:
            raise ValueError("horizon_share must be above 0, got 0")
        if self.easy_share:
            self.task_object.require_easy_examples()

    @property
    def task_object(self) -> Task:
        """The task that `task` names."""
        return get_task(self.task)

    @property
    def lowest_level(self) -> int:
        """Level at which members start."""
        return max(self.first_level, self.task_object.smallest_difficulty)

    @property
    def mastery(self) -> float:
        """Error below which a member masters the largest sizes."""
        return min(
            self.level_threshold, math.inf if self.mastery_threshold is None else self.mastery_threshold
        )

    @property
    def top_level(self) -> int:
        """Last level of the curriculum: that of the largest sizes, or the one more for learning to stop."""
        return self.max_level + self.halting

    @property
    def machine(self) -> MachineConfig:
        """The machine to be driven."""
        registers = self.task_object.num_registers if self.num_registers is None else self.num_registers
        gates = SECOND_READ_GATES if self.second_read else PAPER_GATES
        return MachineConfig(registers, gates * self.gate_repeats)

    @property
    def spec(self) -> ControllerSpec:
        """Shape of every member."""
        return ControllerSpec(self.controller, self.machine, self.hidden_size, self.sharp_tests)

    def to_json(self) -> dict[str, Any]:
        """All hyper-parameters as JSON values, and what registers a task that is not nram's own."""
        return {**asdict(self), "imports": list(task_imports(self.task))}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TrainConfig:
        """The inverse of `to_json`.

        Raises:
            UnknownTaskError: The task is not known here; the message says what has to be imported.
            ValueError: A name is unknown or missing, or a value is of another type or out of range.
        """
        entries = _entries()(values, "")
        get_task(entries["task"], entries.pop("imports", ()))
        return cls(**entries)


@cache
def _entries() -> Check:
    fields = {name: _check_of(kind) for name, kind in get_type_hints(TrainConfig).items()}
    return record(fields, optional={"imports": IMPORTS})


def _check_of(kind: Any) -> Check:
    """What a file may hold for a field of this type."""
    parts = get_args(kind)
    if get_origin(kind) is Literal:
        return choice(*parts)
    if get_origin(kind) is UnionType:
        return nullable(_check_of(parts[0]))
    if get_origin(kind) is tuple:
        return list_of(_check_of(parts[0])) if parts[-1] is Ellipsis else tuple_of(*map(_check_of, parts))
    simple: dict[Any, Check] = {bool: boolean(), int: integer(), float: number(), str: text()}
    return simple[kind]


CONFIG = built(anything(), TrainConfig.from_json)
"""Check of what `TrainConfig.to_json` writes; returns the configuration."""

_BEHIND_ADD = PAPER_GATES.index(Gate.ADD) + 1

SECOND_READ_GATES = (*PAPER_GATES[:_BEHIND_ADD], Gate.READ, *PAPER_GATES[_BEHIND_ADD:])
"""The paper's gates with a second READ behind ADD."""
