"""What comes out of a fresh training by a recipe: the member that is chosen, its program, the record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from agents import zoo
from agents.checkpoint import AGENT_FILE, Agent, save_agent
from agents.config import TrainConfig
from agents.portfolio import Portfolio
from agents.run import Outcome
from analysis.commands.output import command
from analysis.extraction.pipeline import extract
from analysis.extraction.resolve import PROGRAM_FILE
from analysis.measurement.errors import measure_sizes
from analysis.program.certificate import leaves
from analysis.program.file import save_program
from analysis.program.program import Program
from analysis.proofs.certify import evidence_file
from analysis.rewriting.size import size
from analysis.studies.judged import faults_of

CHECKED_SIZES = {"soft": (8, 50), "hard": (8, 50, 200)}
"""Sizes at which a fresh training is checked, by mode."""

CHECKED_EXAMPLES = {"soft": 20, "hard": 100}
"""Examples of each of these sizes; a soft run of n = 50 may be in a memory of hundreds of cells."""

CANDIDATES = 6
"""Solved members among which the best is chosen."""


@dataclass(frozen=True)
class Candidate:
    """A member that may be shipped."""

    agent: Agent

    @cached_property
    def program(self) -> Program:
        """Its program, as it would be shipped."""
        return extract(self.agent)

    @cached_property
    def faults(self) -> tuple[int, float]:
        """How many checks refute the program, and the largest soft error."""
        return len(faults_of(self.agent, self.program)), max(measured(self.agent, "soft", seed=0).values())


def measured(agent: Agent, mode: str, seed: int) -> dict[str, float]:
    """Exact error at every checked size n."""
    found = measure_sizes(agent, CHECKED_SIZES[mode], CHECKED_EXAMPLES[mode], seed, modes=(mode,))
    return {str(row.n): row.exact_error for row in found}


def candidates(trainer: Portfolio) -> list[Candidate]:
    """The first of the solved members; the best member if none is solved."""
    agents, solved = trainer.agents(), int(trainer.population.solved.sum())
    return [Candidate(agent) for agent in agents[: max(1, min(CANDIDATES, solved))]]


def best_candidate(found: Sequence[Candidate]) -> Candidate:
    """The one with the fewest faults; of those one that is its program far out as well; of those the one
    whose program is the shortest to read."""

    def rank(candidate: Candidate) -> tuple[tuple[int, float], bool, int]:
        return candidate.faults, leaves(candidate.program.certificates), size(candidate.program)

    return min(found, key=rank)


def training_record(
    found: Sequence[Candidate], config: TrainConfig, outcome: Outcome, device: str
) -> dict[str, Any]:
    """What happened when a recipe was followed, as it stands in the recipe's file.

    Of the solved members that were looked at, it tells how much there is to read in their programs.
    """
    chosen = best_candidate(found)
    population = outcome.trainer.population
    errors = {mode: measured(chosen.agent, mode, seed=1) for mode in CHECKED_SIZES}
    right = not any(error for found in errors.values() for error in found.values())
    record = {
        "date": date.today().isoformat(),
        "seed": config.seed,
        "minutes": round(outcome.seconds / 60, 2),
        "updates": outcome.trainer.update,
        "reason": outcome.reason,
        "members": population.size,
        "solved": int(population.solved.sum()),
        "errors": errors,
        "program_sizes": sorted(size(candidate.program) for candidate in found),
        "exact": right and not faults_of(chosen.agent, chosen.program),
    }
    return record if device == "cpu" else {**record, "device": torch.cuda.get_device_name(device)}


def record_text(name: str, folder: Path, record: dict[str, Any]) -> str:
    """A record for people."""
    lines = [
        f"{name}: {record['solved']} of {record['members']} members solved after {record['updates']} "
        f"updates, {record['minutes']:.1f} minutes{zoo.where(record)} ({record['reason']})."
    ]
    for mode, found in record["errors"].items():
        shown = ", ".join(f"n = {n}: {error:.0%}" for n, error in found.items())
        lines.append(f"best, {mode} exact error: {shown}")
    sizes = ", ".join(map(str, record["program_sizes"]))
    lines.append(
        f"how much there is to read in the programs of {len(record['program_sizes'])} members: {sizes}"
    )
    return "\n".join([*lines, f"Next:  {command('extract', folder)}"])


def keep(name: str, recipe: zoo.Recipe, chosen: Candidate, exact: bool) -> None:
    """Put a recipe with its records into the zoo, and the controller with its program if they are right or
    the first."""
    place = zoo.PLACE / name
    zoo.save_recipe(place / zoo.RECIPE_FILE, recipe)
    if exact or not (place / AGENT_FILE).exists():
        save_agent(place / AGENT_FILE, chosen.agent)
        save_program(chosen.program, place / PROGRAM_FILE)
        evidence_file(place / PROGRAM_FILE).unlink(missing_ok=True)  # of the program that was there
