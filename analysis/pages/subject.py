"""What a report is about: a program, and whatever lies beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents import zoo
from agents.checkpoint import AGENT_FILE
from agents.metrics import read_metrics
from agents.zoo import RECIPE_FILE, Recipe, load_recipe
from analysis.explanation.at_hand import AtHand, at_hand, short_at_hand
from analysis.extraction.resolve import find_agent, find_place, find_program
from nram_env.tasks import Task, find_task

Progress = Callable[[str], None]
"""Told what is being done."""


@dataclass(frozen=True)
class Subject:
    """A program and what is known of it.

    Attributes:
        name: What it was called by.
        long: The program as it was learned, or written.
        short: Its shortened form, if there is one.
        task: Its task, if it names one that is known here.
        agent: The `agents.checkpoint.Agent` that it was read out of, where that is at hand.
        metrics: The updates of its training, where it lies in a run folder.
        recipe: How it was trained, where it is of the zoo.
    """

    name: str
    long: AtHand
    short: AtHand | None = None
    task: Task | None = None
    agent: Any = None
    metrics: tuple[dict[str, Any], ...] = ()
    recipe: Recipe | None = None

    @property
    def shown(self) -> AtHand:
        """The form that is for reading."""
        return self.short or self.long


def find_subject(name: str, seed: int = 0, progress: Progress = lambda said: None) -> Subject:
    """Everything that is at hand of a program.

    Args:
        name: Program file, run folder, agent's file, or zoo:TASK.
        seed: Seed of the extraction, where there is an agent but no program yet.
        progress: Told what is being done.

    Raises:
        ValueError: There is no such place, or a file of it is damaged.
    """
    program = find_program(name, seed=seed, progress=progress)
    progress("looking for the evidence of proofs, and putting it to a solver")
    place = find_place(name)
    folder = place if place.is_dir() else place.parent
    agent = _agent(name, place)
    return Subject(
        name,
        at_hand(name, program),
        short_at_hand(name, program),
        find_task(program.task),
        agent if agent is not None and agent.machine == program.machine else None,
        tuple(read_metrics(place)) if place.is_dir() else (),
        load_recipe(folder / RECIPE_FILE) if folder.parent == zoo.PLACE else None,
    )


def _agent(name: str, place: Path) -> Any:
    """The agent of a run folder or of the zoo, or of its own file; None for a program's file."""
    file = place / AGENT_FILE if place.is_dir() else place
    return find_agent(name) if file.suffix == Path(AGENT_FILE).suffix and file.is_file() else None
