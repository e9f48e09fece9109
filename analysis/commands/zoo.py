"""`nram zoo | reproduce`: the shipped controllers, their recipes, and the table of results."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from rich.table import Table

from agents import zoo
from agents.checkpoint import AGENT_FILE, Agent, save_agent
from agents.config import TrainConfig
from agents.run import Budget, Outcome, start_run
from analysis.commands.display import TrainingDisplay, broken_off
from analysis.commands.output import command, emit, say
from analysis.commands.programs import MUST_HOLD
from analysis.pipeline import extract
from nram_env.support import write_atomically

if TYPE_CHECKING:
    from agents.trainer import Trainer

CHECKED_SIZES = (8, 50, 200)
"""Sizes at which a fresh training is checked, soft and hard."""
CANDIDATES = 6
"""Solved members among which the best is chosen."""


@dataclass(frozen=True)
class Zoo:
    """List the trained controllers that come with the package.

    Examples:
        nram zoo
        nram show zoo:copy
    """

    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """List."""
        rows = [_entry_row(entry) for entry in zoo.entries().values()]
        emit({"entries": rows}, _entries_table(rows), self.json)
        return 0


def _entry_row(entry: zoo.ZooEntry) -> dict[str, Any]:
    recipe = entry.recipe
    config, spec = recipe.config, recipe.config.spec  # those of the controller, which loads with torch
    return {
        "name": entry.name,
        "task": config.task,
        "controller": spec.kind,
        "hidden_size": spec.hidden_size,
        "registers": spec.machine.num_registers,
        "gates": len(spec.machine.gates),
        "kilobytes": round(entry.size / 1000, 1),
        "recipe": f"nram reproduce {entry.name}",
        "settings": dict(recipe.settings),
        "records": {kind: dict(record) for kind, record in recipe.records.items()},
    }


def _entries_table(rows: list[dict[str, Any]]) -> Table:
    title = "nram show zoo:NAME prints a program, nram reproduce NAME trains a new one"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1))
    table.add_column("name", no_wrap=True)
    for heading in ("controller", "registers", "gates", "kB", "solved", "minutes"):
        table.add_column(heading)
    for row in rows:
        record = row["records"].get("population", {})
        share = f"{record['solved']} of {record['members']}" if record else "not run"
        minutes = f"{record['minutes']:.1f}" if record else ""
        cells = (row["controller"], row["registers"], row["gates"], row["kilobytes"], share, minutes)
        table.add_row(row["name"], *map(str, cells))
    return table


@dataclass(frozen=True)
class Reproduce:
    """Train a controller of the zoo from nothing by its recipe and check it; or make the table of results.

    The exit code is 0 only if the fresh controller makes no error, soft and hard, at n = 8, 50 and 200, and
    no check refutes its program; for the table, if all of it was measured.

    Examples:
        nram reproduce copy
        nram reproduce copy --seed 7 --independent
        nram reproduce --table --entries copy reverse
    """

    name: Annotated[str | None, tyro.conf.Positional] = None
    """Recipe to follow; nram zoo lists them."""
    seed: int | None = None
    """Seed of all chance; default: the recipe's."""
    run: Path | None = None
    """Folder of the run; default runs/reproduce-NAME-SEED."""
    independent: bool = False
    """Select nothing and train for as many updates as the recipe allows: every member is one fresh start."""
    keep: bool = False
    """Put what comes out into the zoo of this installation: the record, and the controller if it is right;
    nothing of a run that was broken off."""
    table: bool = False
    """Measure the shipped controllers and write the table of results."""
    entries: tuple[str, ...] = ()
    """Controllers to measure again; the others' figures stay as they are. Default: all."""
    out: Path = Path("docs/results.md")
    """Where the table goes; its figures go beside it as JSON."""
    examples: int = 2_000
    """Examples of each size and mode in the table."""
    far_examples: int | None = None
    """Examples of the soft runs at n = 200, which take longest; default: as many as of all others."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Do it."""
        import torch

        torch.set_num_threads(1)
        if self.table:
            return self._make_table()
        if self.name is None:
            raise ValueError(f"name a recipe: {', '.join(zoo.recipes())}; or ask for the --table")
        return self._train(self.name)

    def _train(self, name: str) -> int:
        recipe = zoo.find_recipe(name)
        config = recipe.config if self.seed is None else replace(recipe.config, seed=self.seed)
        budget, kind = recipe.budget, "population"
        if self.independent:
            config, kind = replace(config, cull_every=0, generation_every=0), "independent"
            budget = Budget(updates=budget.updates, solved=config.population)
        folder = self.run or Path("runs") / f"reproduce-{name}-{kind}-{config.seed}"
        with TrainingDisplay(budget, f"Following the recipe of {name} in {folder}.") as display:
            outcome = start_run(folder, config, budget, display.watch)
        if outcome.reason == "interrupted":
            raise broken_off(folder)
        say("choosing among the solved members, and checking the chosen one")
        agent, stands = best_agent(outcome.trainer)
        save_agent(folder / AGENT_FILE, agent)
        record = _record(agent, stands, config, outcome)
        if self.keep:
            _keep(
                name, recipe.with_record(kind, record), agent, bool(record["exact"]) and not self.independent
            )
        emit({"name": name, "run": str(folder), **record}, _record_text(name, folder, record), self.json)
        return 0 if record["exact"] else 1

    def _make_table(self) -> int:
        from analysis.results import Effort, measure, page

        far_examples = self.examples if self.far_examples is None else self.far_examples
        effort, figures = Effort(self.examples, far_examples), self.out.with_suffix(".json")
        rows = json.loads(figures.read_text())["rows"] if figures.exists() else {}
        shipped = zoo.entries()
        for entry in [zoo.find_entry(name) for name in self.entries or shipped]:
            rows[entry.name] = measure(entry, effort, say)
            rows = {known: _recorded(rows[known], entry) for known, entry in shipped.items() if known in rows}
            write_atomically(figures, json.dumps({"rows": rows}, indent=2) + "\n")
            write_atomically(self.out, page(list(rows.values())))
        emit({"file": str(self.out), "rows": rows}, f"written: {self.out}, {figures}", self.json)
        return 0


def _recorded(row: dict[str, Any], entry: zoo.ZooEntry) -> dict[str, Any]:
    recipe = entry.recipe
    records = {kind: dict(record) for kind, record in recipe.records.items()}
    return {**row, "easy_share": recipe.config.easy_share, "records": records}


def best_agent(trainer: Trainer) -> tuple[Agent, bool]:
    """The member to ship, and whether no check refutes its program.

    Of those that are right hardened, the first whose program and soft run have fewest faults; else the best.
    """
    agents, solved = trainer.agents(), int(trainer.population.solved.sum())
    found: list[tuple[tuple[int, float], Agent]] = []
    for agent in agents[: max(1, min(CANDIDATES, solved))]:
        faults = (_refuted(agent), _far_error(agent))
        found.append((faults, agent))
        if not any(faults):
            break
    (refuted, _), best = min(found, key=lambda candidate: candidate[0])
    return best, not refuted


def _far_error(agent: Agent) -> float:
    from agents.evaluate import evaluate

    return evaluate(agent, "soft", CHECKED_SIZES[-1], 20, seed=0).exact_error


def _refuted(agent: Agent) -> int:
    """How many checks refute the agent's program: equal to the agent, right at random, right on all small."""
    return sum(
        found.check in MUST_HOLD and found.verdict == "REFUTED" for found in extract(agent).certificates
    )


def _record(agent: Agent, stands: bool, config: TrainConfig, outcome: Outcome) -> dict[str, Any]:
    from agents.evaluate import evaluate

    population = outcome.trainer.population
    errors = {
        mode: {str(n): evaluate(agent, mode, n, 100, seed=1).exact_error for n in CHECKED_SIZES}
        for mode in ("soft", "hard")
    }
    return {
        "date": date.today().isoformat(),
        "seed": config.seed,
        "minutes": round(outcome.seconds / 60, 2),
        "updates": outcome.trainer.update,
        "reason": outcome.reason,
        "members": population.size,
        "solved": int(population.solved.sum()),
        "errors": errors,
        "exact": stands and not any(error for found in errors.values() for error in found.values()),
    }


def _record_text(name: str, folder: Path, record: dict[str, Any]) -> str:
    lines = [
        f"{name}: {record['solved']} of {record['members']} members solved after {record['updates']} "
        f"updates, {record['minutes']:.1f} minutes ({record['reason']})."
    ]
    for mode, found in record["errors"].items():
        shown = ", ".join(f"n = {n}: {error:.0%}" for n, error in found.items())
        lines.append(f"best, {mode} exact error: {shown}")
    return "\n".join([*lines, f"Next:  {command('extract', folder)}"])


def _keep(name: str, recipe: zoo.Recipe, agent: Agent, exact: bool) -> None:
    place = zoo.PLACE / name
    zoo.save_recipe(place / zoo.RECIPE_FILE, recipe)
    if exact or not (place / AGENT_FILE).exists():
        save_agent(place / AGENT_FILE, agent)
