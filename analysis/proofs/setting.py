"""What a proof is about: program and task, and how finely the proof looks at a run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from analysis.program.program import START, Program
from nram_env.tasks import Task, TaskSpec
from nram_env.tasks.terms import Fact, Term, Variable, text, variable

STOP, UNSEEN = -1, -2
"""In place of the edge that comes next: the program has stopped; or no edge fits, and the run is over."""

t, u = variable("t"), variable("u")
"""Timesteps done so far; and the same divided by the length of a phase, rounded down."""


_TAKEN = {"t", "u", "M", "and", "or", "not", "xor", "ite", "let", "forall", "exists", "div", "mod", "abs"}
_TAKEN |= {"true", "false", "distinct", "par", "as", "match", "Int", "Bool", "Real", "String", "Array"}
_NAME = re.compile(r"(?!r_)[A-Za-z][A-Za-z0-9_]*")


def spec_of(task: Task) -> TaskSpec:
    """What a task wants, in terms.

    Raises:
        ValueError: Nobody has written it down, or it uses a name that formulas need for something else.
    """
    if task.spec is None:
        raise ValueError(f"task {task.name} has no specification: what it wants is not said in terms")
    for name in (*task.spec.params, *(ghost.name for ghost in task.spec.ghosts)):
        if name in _TAKEN or not _NAME.fullmatch(name):
            raise ValueError(
                f"the specification of task {task.name} has the name {name!r}; a name that proofs can use "
                "has ASCII letters, digits and underscores, does not begin with r_, is no word of SMT-LIB, "
                "and is neither t nor u"
            )
    return task.spec


@dataclass(frozen=True)
class Location:
    """A class of situations in a run, with an invariant of its own.

    Attributes:
        history: The last edges that were taken, the latest last.
        next: The edge that is taken now, or STOP or UNSEEN.
        sides: For every split whether it holds.
    """

    history: tuple[int, ...]
    next: int
    sides: tuple[bool, ...] = ()


@dataclass(frozen=True)
class Setting:
    """A program, its task, and the knobs of a proof.

    Attributes:
        program: The program.
        task: Its task, which has a `spec`.
        history: How many of the last edges a location knows, at least 1.
        phase: Timesteps of a phase: the proof may speak of t div phase; 1 for no such thing.
        splits: Facts that each location has decided.
        last: The last t that the claim speaks of; None where it speaks of whole runs.
    """

    program: Program
    task: Task
    history: int = 1
    phase: int = 1
    splits: tuple[Fact, ...] = ()
    last: Term | None = None

    @property
    def spec(self) -> TaskSpec:
        """What the task wants, in terms."""
        return spec_of(self.task)

    @cached_property
    def registers(self) -> tuple[Variable, ...]:
        """The program's registers, as terms name them."""
        names = [register.name for register in self.program.registers]
        return tuple(
            variable(f"r_{name if name.isidentifier() and name.isascii() else index}")
            for index, name in enumerate(names)
        )

    @property
    def counters(self) -> tuple[Variable, ...]:
        """t, and the number of phases where there are some."""
        return (t, u) if self.phase > 1 else (t,)

    @property
    def params(self) -> tuple[Variable, ...]:
        """n and what else the task names."""
        return tuple(variable(name) for name in self.spec.params)

    def __str__(self) -> str:
        words = [f"locations know {self.history} edge{'s' if self.history > 1 else ''}"]
        words += [f"phases of {self.phase} steps"] if self.phase > 1 else []
        return ", ".join([*words, *(f"split at {text(split)}" for split in self.splits)])

    def state_of(self, location: Location) -> int:
        """The program's state at a location at which it has not stopped."""
        if not location.history:
            return START
        target = self.program.edges[location.history[-1]].target
        assert target is not None
        return target

    def edges_from(self, state: int) -> tuple[int, ...]:
        """The edges of a state, by their numbers."""
        return tuple(index for index, edge in enumerate(self.program.edges) if edge.source == state)

    def locations_after(self, history: tuple[int, ...]) -> tuple[Location, ...]:
        """Where a run may be after some edges; none if these are not all edges, or go on after a stop."""
        edges = self.program.edges
        if any(edge >= len(edges) for edge in history):
            return ()
        targets = [edges[edge].target for edge in history]
        if None in targets[:-1]:
            return ()
        state = targets[-1] if targets else START
        following = (STOP,) if state is None else (*self.edges_from(state), UNSEEN)
        sides = product((False, True), repeat=len(self.splits))
        return tuple(Location(history, edge, side) for edge, side in product(following, sides))

    def after(self, location: Location, edge: int) -> tuple[int, ...]:
        """The history one timestep later."""
        return (*location.history, edge)[-self.history :]
