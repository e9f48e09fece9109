"""`nram search`: studies of many training runs."""

from __future__ import annotations

import sys
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tyro

from analysis.commands.output import command, emit, say
from analysis.commands.search_view import SearchView, status_view
from analysis.proofs.checking import require_solvers
from analysis.studies.driver import Driver, driven, plan, take
from analysis.studies.on_ray import RayWorkers, require_ray
from analysis.studies.processes import Processes
from analysis.studies.progress import Standings, standings
from analysis.studies.report import write_report
from analysis.studies.scheduler import Scheduler
from analysis.studies.study import STUDY, Study, parse_setting, read_study
from analysis.studies.summary import Summary, by_task, counts
from analysis.studies.table import Table
from analysis.studies.trial import Trial
from nram_env.files import reading

REPORT_FILE = "report.md"


@dataclass(frozen=True)
class Search:
    """Train many runs, tasks x seeds x settings, on this computer or a cluster, and count what comes out.

    A study is a file, TOML or JSON, or what is said here, which overrides the file. Each of its trials is an
    ordinary run folder, as nram train makes it, and equals the run made singly. Whatever is killed, the same
    call goes on; trials that join a study later are done besides those that it has. The trials run on Ray
    (pip install 'nram[ray]'), or with --local N on N processes.

    The exit code is 0 once all trials are finished, 1 if some were given up after three errors.

    Examples:
        nram search docs/seeds.toml --local 2
        nram search --tasks copy access --seeds 0 1 2 --grid 'sharpening=[0.0, 0.1]' --run runs/sharp
        nram search study.toml --address auto --processors 0.5
        nram search --run runs/seeds --status
    """

    study: tyro.conf.Positional[Path | None] = None
    """File of the study; docs/scale.md says what stands in it."""
    tasks: tuple[str, ...] | None = None
    """Tasks; nram tasks lists them."""
    seeds: tuple[int, ...] | None = None
    """Seeds of every task and setting."""
    success: Literal["solved", "halting", "checked", "proved"] | None = None
    """What a trial has to reach; default: checked, a program that passes every check."""
    minutes: float | None = None
    """Stop a trial after this many minutes; default, if updates have no limit either: 30."""
    updates: int | None = None
    """Stop a trial after this many updates."""
    settings: tuple[str, ...] = ()
    """NAME=VALUE: hyper-parameters of all trials; nram train --help lists them."""
    grid: tuple[str, ...] = ()
    """NAME=[VALUES]: hyper-parameters of which every combination is tried."""
    ranges: tuple[str, ...] = ()
    """NAME=[LOW, HIGH]: hyper-parameters that are drawn, log-uniformly."""
    draws: int | None = None
    """How often they are drawn."""
    run: Path | None = None
    """Folder of the study, which all workers have to see; default: runs/NAME of the file."""
    local: int | None = None
    """Run on so many processes of this computer, without Ray."""
    address: str | None = None
    """Ray cluster to run on, as in auto or 10.0.0.1:6379; default: Ray on this computer alone."""
    processors: float = 1.0
    """Processors that Ray keeps for a trial; may be a fraction."""
    at_once: int | None = None
    """Most trials at once on Ray; default: as many as there are processors for."""
    take: Path | None = None
    """Take over results from these rows, as they stand beside a report, instead of training."""
    status: bool = False
    """Show how the study stands; train nothing."""
    report: Path | None = None
    """Where the report goes, with a picture and rows of the same name beside it; default: report.md in the
    folder of the study, once that has run."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Do it."""
        self._check()
        trials, folder = self._trials(), self._folder()
        if self.local is None and not self.status:
            require_ray()
        interrupted = False
        if self.take or not self.status:
            with driven(folder, new=bool(trials)) as table:
                interrupted = self._drive(folder, table, trials)
        with Table(folder) as table:
            found = standings(table.events())
        report = self.report or (None if self.status else folder / REPORT_FILE)
        if report is not None:
            title = self.study.stem if self.study else folder.name
            write_report(found, report, title.capitalize(), self._call())
            say(f"report: {report}")
        emit(_record(folder, found), status_view(folder, found), self.json)
        if interrupted:
            say(f"Go on with:  {self._call()}")
            raise KeyboardInterrupt
        return 1 if counts(found)["given_up"] else 0

    def _check(self) -> None:
        """Refuse what cannot be, before anything is made."""
        if self.local is not None and self.address is not None:
            raise ValueError("--local runs on this computer without Ray, --address on a cluster; name one")
        if self.local is not None and self.local < 1:
            raise ValueError(f"local must be at least 1, got {self.local}")
        if self.at_once is not None and self.at_once < 1:
            raise ValueError(f"at_once must be at least 1, got {self.at_once}")
        if not 0 < self.processors < float("inf"):
            raise ValueError(f"processors must be more than 0 and finite, got {self.processors}")

    def _trials(self) -> list[Trial]:
        """What is said of the study, by its file and by words; none if nothing is."""
        values = {} if self.study is None else read_study(self.study)
        for name in ("tasks", "seeds", "success", "minutes", "updates", "draws"):
            if (said := getattr(self, name)) is not None:
                values[name] = said
        for name in ("settings", "grid", "ranges"):
            if words := getattr(self, name):
                values[name] = {**values.get(name, {}), **dict(map(parse_setting, words))}
        if not values:
            return []
        with reading(self.study) if self.study else nullcontext():
            study: Study = STUDY(values, "")
            if study.goal.success == "proved":
                require_solvers()
            return list(study.trials())

    def _folder(self) -> Path:
        if self.run is None and self.study is None and self.tasks is None:
            raise ValueError("name the file of a study, --tasks, or the folder of a study with --run")
        return self.run or Path("runs") / (self.study.stem if self.study else "study")

    def _drive(self, folder: Path, table: Table, trials: list[Trial]) -> bool:
        """Plan, take over and do; returns whether it was interrupted."""
        plan(table, trials)
        if self.take is not None:
            taken, strange = take(table, self.take)
            say(f"{self.take}: {taken} results taken over, {strange} rows are of no trial of this study")
        found = standings(table.events())
        if self.status or not counts(found)["open"]:
            return False
        with closing(self._workers()) as workers, SearchView(folder) as view:
            return Driver(folder, table, workers, view.watch, say).run()

    def _workers(self) -> Scheduler:
        if self.local is not None:
            return Processes(self.local)
        return RayWorkers(self.address, self.processors, self.at_once)

    def _call(self) -> str:
        """The call that goes on with this study."""
        return command(*sys.argv[1:])


def _record(folder: Path, found: Standings) -> dict[str, Any]:
    tasks = {task: Summary.of(trials).to_json() for task, trials in by_task(found).items()}
    return {"study": str(folder), **counts(found), "tasks": tasks}
