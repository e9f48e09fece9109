"""What comes out of a fresh training by a recipe: the member that is chosen, its program, the record."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from agents import zoo
from agents.checkpoint import AGENT_FILE, Agent, save_agent
from agents.config import TrainConfig
from agents.run import Outcome
from agents.trainer import Trainer
from analysis.commands.output import command, say
from analysis.commands.programs import MUST_HOLD
from analysis.extraction.pipeline import extract
from analysis.extraction.resolve import PROGRAM_FILE
from analysis.measurement.errors import measure_sizes
from analysis.program.certificate import FAITHFUL, is_equal
from analysis.program.file import save_program
from analysis.program.program import Program
from analysis.proofs.certify import evidence_file
from analysis.verification import stops_by_itself
from nram_env.tasks import get_task

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


@dataclass
class ProgramJudge:
    """Accepts a solved member if its program passes every check, and keeps those programs by member.

    Attributes:
        seed: Seed of the extraction.
        programs: Those of the accepted members.
    """

    seed: int = 0
    programs: dict[int, Program] = field(default_factory=dict)

    def __call__(self, agent: Agent) -> bool:
        """Read and check the member's program, and say what came out."""
        say(f"Member {agent.info['member']} passes every test. Reading and checking its program ...")
        program = extract(agent, seed=self.seed)
        if faults := faults_of(agent, program):
            say(f"Its program is not good: {', '.join(faults)}; training goes on.")
            return False
        self.programs[agent.info["member"]] = program
        return True


def refuted_checks(program: Program) -> list[str]:
    """The checks that must hold and do not."""
    must_hold = (*FAITHFUL, *MUST_HOLD)
    return [c.check for c in program.certificates if c.check in must_hold and c.verdict == "REFUTED"]


def faults_of(agent: Agent, program: Program) -> list[str]:
    """What is wrong with an agent's program: the checks that refute it; that it is not known to equal the
    agent; and that it does not stop, if the agent was to learn that."""
    faults = [f"{check} REFUTED" for check in refuted_checks(program)]
    if not is_equal(program.certificates):
        faults.append("it is not known to equal the agent")
    must_stop = agent.info.get("config", {}).get("halting", False)
    if must_stop and not stops_by_itself(program, get_task(agent.task)):
        faults.append("it does not stop by itself")
    return faults


def best_candidate(trainer: Trainer) -> Candidate:
    """Of the members that are right hardened the first whose program and soft run have fewest faults; else
    the best member."""
    agents, solved = trainer.agents(), int(trainer.population.solved.sum())
    found: list[Candidate] = []
    for agent in agents[: max(1, min(CANDIDATES, solved))]:
        found.append(Candidate(agent))
        if not any(found[-1].faults):
            break
    return min(found, key=lambda candidate: candidate.faults)


def training_record(
    chosen: Candidate, config: TrainConfig, outcome: Outcome, warm_start: bool = False
) -> dict[str, Any]:
    """What happened when a recipe was followed, as it stands in the recipe's file."""
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
        "exact": right and not faults_of(chosen.agent, chosen.program),
    }
    return {**record, "warm_start": True} if warm_start else record


def record_text(name: str, folder: Path, record: dict[str, Any]) -> str:
    """A record for people."""
    lines = [
        f"{name}: {record['solved']} of {record['members']} members solved after {record['updates']} "
        f"updates, {record['minutes']:.1f} minutes ({record['reason']})."
    ]
    for mode, found in record["errors"].items():
        shown = ", ".join(f"n = {n}: {error:.0%}" for n, error in found.items())
        lines.append(f"best, {mode} exact error: {shown}")
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
