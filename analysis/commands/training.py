"""`nram train` and `nram eval`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass, field
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import tyro
from rich.console import Group, RenderableType
from rich.table import Table

from agents import zoo
from agents.config import TrainConfig
from agents.generic import islands_of
from agents.metrics import EVENTS_FOLDER, METRICS_FILE, tensorboard_installed
from agents.run import Outcome, usual_budget
from analysis.commands.display import TrainingDisplay, resume_command
from analysis.commands.hardening import hardening_report
from analysis.commands.output import command, emit, page_width, say, sizes_text
from analysis.extraction.resolve import find_agent
from analysis.printing.page import listing

if TYPE_CHECKING:
    from agents.evaluation import Evaluation


USUAL_THREADS = 2
"""Of training: more than two have not been measured."""


@dataclass(frozen=True)
class Train:
    """Train a population of controllers on a task, from input-output examples alone.

    Every member has its own seed and hyper-parameters. Training ends with the first member whose hardened
    runs stop by themselves with the right output on held-out sizes, and whose program passes every check; it
    and its program are saved. A population that does not leave the first level gives way to that of the next
    seed. Ctrl-C saves and says how to go on.

    A task of the zoo is trained by its recipe, of the --controller that is asked for; whatever else is said
    here overrides it. Other tasks get generic settings, a portfolio of them: islands, populations that differ
    in controller, registers, gates, loss and levels, share the time by how far each has come. With
    --controller, or --no-portfolio, there is one population alone.

    Examples:
        nram train copy
        nram train swap --controller feedforward --seed 3
        nram train merge --minutes 10 --run runs/merge
        nram train merge --run runs/merge --resume --minutes 30
        nram train merge --device cuda
    """

    config: tyro.conf.OmitArgPrefixes[TrainConfig] = field(default_factory=TrainConfig)
    run: Path | None = None
    """Folder of the run; default runs/TASK-CONTROLLER-SEED."""
    updates: int | None = None
    """Stop after this many updates, those before a resume included."""
    minutes: float | None = None
    """Stop after this many minutes, whatever the attempt; default, if updates have no limit either: 30."""
    solved: int | None = 1
    """Stop once this many members are solved and their programs hold; None to go on."""
    threads: int | None = None
    """Threads of arithmetic, which changes no number; default: two, where there are two processors."""
    device: str = "cpu"
    """What computes: cpu, cuda for the first GPU, cuda:1 for the second. A GPU trains sixteen times as many
    members where --population does not say how many. A run may be resumed on either."""
    resume: bool = False
    """Go on with the run in the folder, with its own configuration."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    @classmethod
    def defaults(cls, words: Sequence[str]) -> Self:
        """The defaults of a call: the recipe for the task, and the controller, that its words name."""
        named = cls._named(words)
        asked = any(word.partition("=")[0] == "--controller" for word in words)
        controller = named.config.controller if asked else None
        return cls(config=zoo.usual_config(named.config.task, controller, named.device))

    @classmethod
    def _named(cls, words: Sequence[str]) -> Self:
        """A call without recipes; that without words if it is refused."""
        calm = [word for word in words if word not in ("-h", "--help")]
        try:
            with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
                return tyro.cli(cls, args=calm)
        except (SystemExit, ValueError):  # it will be read, and refused, once more
            return cls()

    def __call__(self) -> int:
        """Train; exit code 0 if at least one member is solved.

        Raises:
            KeyboardInterrupt: Training was asked to stop; it was saved before.
        """
        import torch

        from analysis.studies.judged import judged_run

        if self.threads is not None and self.threads < 1:
            raise ValueError(f"threads must be at least 1, got {self.threads}")
        torch.set_num_threads(self.threads or min(USUAL_THREADS, torch.get_num_threads()))
        budget = usual_budget(self.updates, self.minutes, self.solved)
        config = None if self.resume else self.config
        folder = self.run or Path("runs") / f"{self.config.task}-{self.config.controller}-{self.config.seed}"
        with TrainingDisplay(budget, _metrics_note(folder)) as display:
            if config is not None:
                say(_settings_note(config))
            outcome, program = judged_run(folder, config, budget, display.watch, say, self.device)
        if program is not None:
            say(listing(program, page_width()))
        report = _report(folder, outcome)
        emit(report, "\n".join(_closing_lines(folder, outcome, self.device)), self.json)
        if outcome.reason == "interrupted":
            raise KeyboardInterrupt
        return 0 if report["solved"] else 1


def _settings_note(config: TrainConfig) -> str:
    """Which recipe holds, and what differs from it."""
    name = zoo.recipe_of(config.task, config.controller)
    if name is None:
        said = f"There is no recipe for {config.task} with this controller: generic settings hold."
        return said + _islands_note(islands_of(config))
    usual = zoo.find_recipe(name).config.to_json()
    changed = _differences(config, usual)
    return f"Following the recipe of zoo:{name}" + (f", but {changed}." if changed else ".")


def _islands_note(islands: Sequence[TrainConfig]) -> str:
    """What the populations differ in that share the time."""
    if len(islands) == 1:
        return ""
    first = islands[0].to_json()
    lines = [
        f"Island {place}: {_differences(island, first) or 'these settings'}."
        for place, island in enumerate(islands, 1)
    ]
    return "\n".join(["\nThe time is shared by how far each has come.", *lines])


def _differences(config: TrainConfig, usual: Mapping[str, Any]) -> str:
    values = config.to_json()
    return ", ".join(f"{name} = {value}" for name, value in values.items() if value != usual[name])


def _metrics_note(folder: Path) -> str:
    if tensorboard_installed():
        return f"Metrics: {folder / METRICS_FILE}; for TensorBoard: {folder / EVENTS_FOLDER}."
    return f"Metrics: {folder / METRICS_FILE}; for TensorBoard as well: pip install nram[tensorboard]"


def _report(folder: Path, outcome: Outcome) -> dict:
    best = outcome.trainer.agent(outcome.best)
    return {
        "task": best.task,
        "run": str(folder),
        "reason": outcome.reason,
        "updates": outcome.trainer.update,
        "attempts": outcome.trainer.attempt,
        "islands": len(outcome.trainer.islands),
        "island": outcome.trainer.place,
        "seconds": round(outcome.seconds, 2),
        "members": outcome.trainer.population.size,
        "solved": outcome.solved,
        "best": {key: value for key, value in best.info.items() if key != "config"},
    }


def _closing_lines(folder: Path, outcome: Outcome, device: str) -> list[str]:
    report = _report(folder, outcome)
    island = f"island {report['island']} of {report['islands']}, " if report["islands"] > 1 else ""
    lines = [
        f"Stopped ({report['reason']}) after {report['updates']} updates, {report['seconds']:.0f} s, {island}"
        f"attempt {report['attempts']}; {report['solved']} of {report['members']} members solved. Saved in "
        f"{folder}.",
    ]
    task = report["task"]
    again = resume_command(folder, task, device)
    if outcome.reason == "interrupted":
        return [*lines, f"Go on with:  {again}"]
    if not report["solved"]:
        return [
            *lines,
            f"No member is free of errors on held-out sizes yet. Go on with:  {again} --updates N",
        ]
    calls = [command(verb, folder, task=task) for verb in ("show", "verify", "eval")]
    return [*lines, f"Next:  {'   '.join(calls)}"]


@dataclass(frozen=True)
class Eval:
    """Measure a trained agent, soft and hard, on sizes that it was and was not trained on.

    soft: every selector a distribution, the argmax of the expected memory taken at the end (the paper's
    error). hard: every selector replaced by its largest choice. An agent whose hard runs stop by themselves
    is measured where they do, any other at the task's horizon. Every four examples of a size n have an M of
    their own, from the smallest legal one to three times as much.

    Examples:
        nram eval runs/demo --sizes 8 16 32 --examples 200
        nram eval zoo:copy --hardening
    """

    run: tyro.conf.Positional[str]
    """Run folder, agent file, or zoo:TASK."""
    sizes: tuple[int, ...] | None = None
    """Difficulties n; default: the training size and 2, 4 and 8 times as much."""
    examples: int = 100
    """Examples of each size."""
    seed: int = 1
    """Seed of the examples."""
    hardening: bool = False
    """Measure as well what is right in every mode and under every stop rule, how firm the choices are, and
    where the soft and the hard run part."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Measure and print a table; exit code 0 once everything is measured."""
        from analysis.measurement.errors import measure_sizes
        from analysis.measurement.hardening import measure_hardening

        agent = find_agent(self.run)
        top = agent.trained_to
        if self.examples < 1:
            raise ValueError(f"examples must be at least 1, got {self.examples}")
        if self.sizes == ():
            raise ValueError("sizes must name at least one difficulty, got none")
        sizes = self.sizes or [top * k for k in (1, 2, 4, 8)]
        rows = measure_sizes(agent, sizes, self.examples, self.seed)
        result = {"task": agent.task, "agent": self.run, "errors": [asdict(row) for row in rows]}
        shown: list[RenderableType] = [_table(f"{agent.task}: {self.run}", rows)]
        if self.hardening:
            found = [measure_hardening(agent, n, self.examples, self.seed) for n in sizes]
            result["hardening"] = [asdict(row) for row in found]
            shown += hardening_report(found, page_width())
        emit(result, Group(*shown), self.json)
        return 0


def _table(title: str, rows: list[Evaluation]) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 2))
    for heading in ("mode", "n", "M", "examples", "cell error", "exact error"):
        table.add_column(heading, justify="right")
    for row in rows:
        errors = (f"{row.cell_error:.4f}", f"{row.exact_error:.4f}")
        table.add_row(row.mode, str(row.n), sizes_text(row.memory_sizes), str(row.examples), *errors)
    return table
