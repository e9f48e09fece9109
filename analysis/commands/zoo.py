"""`nram zoo | reproduce`: the shipped controllers, their recipes, and the table of results."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import tyro
from rich.table import Table

from agents import zoo
from agents.checkpoint import AGENT_FILE, save_agent
from agents.run import Budget, start_run
from analysis.commands.display import TrainingDisplay, broken_off
from analysis.commands.output import emit, say
from analysis.extraction.pipeline import extract
from analysis.extraction.resolve import PROGRAM_FILE
from analysis.program.certificate import PROOF
from analysis.program.file import load_program, save_program
from analysis.program.program import Program
from analysis.proofs.certify import evidence_file, with_proof
from analysis.simplification.canonical import canonical_hash
from nram_env.files import read_json
from nram_env.support import write_atomically


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
        "card": dict(recipe.card),
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
        share += " (WRONG at some M)" if record.get("exact") is False else ""
        minutes = f"{record['minutes']:.1f}{zoo.where(record)}" if record else ""
        cells = (row["controller"], row["registers"], row["gates"], row["kilobytes"], share, minutes)
        table.add_row(row["name"], *map(str, cells))
    return table


@dataclass(frozen=True)
class Reproduce:
    """Train a controller of the zoo from nothing by its recipe and check it; or make again what is made from
    the controllers, the table of results and the programs that are shipped beside them.

    The exit code is 0 only if the fresh controller makes no error, soft and hard, at n = 8, 50 and 200, and
    no check refutes its program; for the table and the programs, if all of it was made.

    Examples:
        nram reproduce copy
        nram reproduce copy --seed 7 --independent
        nram reproduce --programs
        nram reproduce --table --entries copy reverse
    """

    name: Annotated[str | None, tyro.conf.Positional] = None
    """Recipe to follow; nram zoo lists them."""
    seed: int | None = None
    """Seed of all chance; default: the recipe's."""
    run: Path | None = None
    """Folder of the run; default runs/reproduce-NAME-SEED."""
    device: str = "cpu"
    """What trains, as in nram train; an entry that a GPU trained comes out again only there."""
    independent: bool = False
    """Select nothing and train for as many updates as the recipe allows: every member is one fresh start."""
    keep: bool = False
    """Put what comes out into the zoo of this installation: the record, and the controller if it is right;
    nothing of a run that was broken off."""
    table: bool = False
    """Measure the shipped controllers and write the table of results."""
    programs: bool = False
    """Extract the programs of the shipped controllers anew, with their certificates, and ship those; with
    --table as well, the table has the controllers' figures as they are and those of the new programs."""
    entries: tuple[str, ...] | None = None
    """Controllers to measure or to extract again; the others' results stay as they are. Default: all."""
    out: Path = Path("docs/results.md")
    """Where the table goes; its figures go beside it as JSON."""
    examples: int = 2_000
    """Examples of hard runs of each size in the table, and of soft runs of the sizes trained on."""
    soft_examples: int = 200
    """Examples of the soft runs at n = 50."""
    far_examples: int = 20
    """Examples of the soft runs at n = 200, which take longest; 0 for none."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Do it."""
        import torch

        torch.set_num_threads(1)
        if self.name is not None and (self.table or self.programs):
            raise ValueError(f"--table and --programs take no recipe but --entries, got {self.name}")
        if self.programs:
            made = self._make_programs()
        if self.table:
            made = self._make_table()
        if self.table or self.programs:
            return made
        if self.name is None:
            raise ValueError(
                f"name a recipe: {', '.join(zoo.recipes())}; or ask for the --table or the --programs"
            )
        return self._train(self.name)

    def _train(self, name: str) -> int:
        from analysis.commands.fresh import best_candidate, candidates, keep, record_text, training_record

        recipe = zoo.find_recipe(name)
        config = recipe.on(self.device)
        if self.seed is not None:
            config = replace(config, seed=self.seed)
        budget, kind = recipe.budget, "population"
        if self.independent:
            config, kind = replace(config, cull_every=0, generation_every=0), "independent"
            budget = Budget(updates=budget.updates, solved=config.population)
        folder = self.run or Path("runs") / f"reproduce-{name}-{kind}-{config.seed}"
        with TrainingDisplay(budget, f"Following the recipe of {name} in {folder}.") as display:
            outcome = start_run(folder, config, budget, display.watch, device=self.device)
        if outcome.reason == "interrupted":
            raise broken_off(folder, config.task)
        say("choosing among the solved members, and checking the chosen one")
        found = candidates(outcome.trainer)
        chosen = best_candidate(found)
        save_agent(folder / AGENT_FILE, chosen.agent)
        record = training_record(found, config, outcome, self.device)
        if self.keep:
            keep(name, recipe.with_record(kind, record), chosen, record["exact"] and not self.independent)
        emit({"name": name, "run": str(folder), **record}, record_text(name, folder, record), self.json)
        return 0 if record["exact"] else 1

    def _make_programs(self) -> int:
        lines, hashes = [], {}
        for entry in self._chosen_entries():
            say(f"extracting the program of {entry.name}")
            file = entry.place / PROGRAM_FILE
            program = with_proof(extract(entry.agent), evidence_file(file))
            save_program(program, file)
            if evidence_file(file).exists() and PROOF not in {found.check for found in program.certificates}:
                say(f"the evidence beside {entry.name} could not be put to z3, or is of another program")
            hashes[entry.name] = canonical_hash(program)
            lines.append(f"{entry.name:<24}{hashes[entry.name]}  {_verdicts(program)}")
        emit({"programs": hashes}, "\n".join(lines), self.json)
        return 0

    def _chosen_entries(self) -> list[zoo.ZooEntry]:
        if self.entries == ():
            raise ValueError(f"entries must name at least one of {', '.join(zoo.entries())}")
        return [zoo.find_entry(name) for name in self.entries or zoo.entries()]

    def _make_table(self) -> int:
        from analysis.measurement.results import Effort, measure, measure_program
        from analysis.measurement.results_page import page
        from analysis.studies.shares import shares_beside

        effort = Effort(self.examples, self.soft_examples, self.far_examples)
        place = next(parent for parent in self.out.absolute().parents if parent.exists())
        if not place.is_dir():
            raise ValueError(f"cannot write {self.out}: {place} is no folder")
        figures = self.out.with_suffix(".json")
        rows = _earlier_rows(self.out, figures)
        shipped = zoo.entries()
        for entry in self._chosen_entries():
            known = rows.get(entry.name, {})
            measured = (measure_program if self.programs and known else measure)(entry, effort, say)
            rows[entry.name] = {**known, **measured}
            rows = {known: _recorded(rows[known], entry) for known, entry in shipped.items() if known in rows}
            write_atomically(figures, json.dumps({"rows": rows}, indent=2) + "\n")
            write_atomically(self.out, page(rows.values(), shares_beside(self.out)))
        emit({"file": str(self.out), "rows": rows}, f"written: {self.out}, {figures}", self.json)
        return 0


def _earlier_rows(table: Path, figures: Path) -> dict[str, Any]:
    """The figures of an earlier table, by entry.

    Raises:
        ValueError: One of the files is none of ours; it would be written over.
    """
    from analysis.measurement.results_file import FIGURES

    if figures.exists():
        return read_json(figures, FIGURES)["rows"]
    if table.exists():
        raise ValueError(
            f"{table} is no table of results: there is no {figures}; name another file with --out"
        )
    return {}


def _recorded(row: dict[str, Any], entry: zoo.ZooEntry) -> dict[str, Any]:
    recipe = entry.recipe
    records = {kind: dict(record) for kind, record in recipe.records.items()}
    kept = {**row, "easy_share": recipe.config.easy_share, "records": records}
    if row.get("proof", {}).get("program") != canonical_hash(load_program(entry.place / PROGRAM_FILE)):
        kept.pop("proof", None)  # of another program
    return kept


def _verdicts(program: Program) -> str:
    return ", ".join(f"{found.check} {found.verdict}" for found in program.certificates)
