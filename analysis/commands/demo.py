"""`nram demo`: the whole path on Copy, from nothing to a checked program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table

from agents.checkpoint import Agent
from agents.config import TrainConfig
from agents.run import Budget, start_run
from analysis.commands.demo_folder import clear, write_summary
from analysis.commands.display import TrainingDisplay, broken_off
from analysis.commands.output import command, emit, page_width, say, sizes_text
from analysis.extraction.resolve import PROGRAM_FILE
from analysis.printing.page import listing
from analysis.program.file import save_program
from analysis.program.program import Program
from analysis.studies.judged import ProgramJudge
from analysis.verification import check_sizes
from nram_env.tasks import get_task

SIZES = (8, 32, 100, 500)
"""Difficulties at which the program is checked; the last needs M = 1,001 at least."""

EXAMPLES = 100
"""Examples of each size."""

UPDATES = 20_000
"""More updates than the time allows."""

IMPATIENT = 1_000
"""Updates after which a population without a solved member gives way to the next: it has one soon, or has
learned to count to nine for good."""

ATTEMPTS = 100
"""More populations than the time allows."""


@dataclass(frozen=True)
class Found:
    """A program that was read out of a solved member, and what the checks said.

    Attributes:
        program: The program.
        checks: One entry a size: mode, n, memory_sizes, examples, exact_error, cell_error.
    """

    program: Program
    checks: list[dict[str, Any]]


@dataclass(frozen=True)
class Demo:
    """Train the default LSTM agent on Copy, print the program that it learned, check it on larger memories.

    A population is trained at once. As soon as a member makes no error on sizes up to 25 times the largest
    that it was trained on, its program is extracted and checked; if a check fails, training goes on until
    the next member is there. A population that has none after 1,000 updates gives way to another. If the time
    is over first, the demo says so and exits with code 1: it never prints a program that was not learned in
    this very run.

    Example:
        nram demo --seed 3
    """

    seed: int = 0
    """Seed of all chance."""
    run: Path = Path("runs/demo")
    """Folder of the run; an earlier demo in it is replaced, nothing else is touched."""
    minutes: float = 6.0
    """Give up training after this long."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Train, extract, check, report; exit code 0 only if the program passed every check."""
        judge = _Judge(say, self.seed)
        config = TrainConfig("copy", seed=self.seed, unsolved_updates=IMPATIENT, attempts=ATTEMPTS)
        seconds = _train(self.run, config, self.minutes, judge)
        if judge.found is not None:
            save_program(judge.found.program, self.run / PROGRAM_FILE)
            program, checks = listing(judge.found.program), judge.found.checks
            summary = write_summary(self.run, seconds, program, checks)
            shown = _success(self.run, judge.found)
        else:
            summary = write_summary(self.run, seconds, None, [])
            shown = Group(
                f"No program passed every check within {seconds:.0f} s; none is shown.",
                f"Try another seed:  {command('demo', '--seed', self.seed + 1)}",
            )
        emit(summary, shown, self.json)
        return 0 if summary["program"] else 1


def _train(folder: Path, config: TrainConfig, minutes: float, judge: _Judge) -> float:
    """Train until a member is solved whose program holds, and return the seconds that it took.

    Raises:
        KeyboardInterrupt: Training was interrupted; it was saved before.
        RunError: The folder holds something else than an earlier demo.
    """
    budget = Budget(UPDATES, minutes, solved=1)
    clear(folder)
    write_summary(folder, 0.0, None, [])
    say(f"Training {config.population} LSTM agents on Copy from input-output examples, n <= 8.")
    if not minutes:
        return 0.0
    with TrainingDisplay(budget) as display:
        outcome = start_run(folder, config, budget, display.watch, judge=judge)
    if outcome.reason == "interrupted":
        raise broken_off(folder, config.task)
    return outcome.seconds


@dataclass
class _Judge(ProgramJudge):
    """Asks besides for no error at the sizes that the demo shows, and keeps what was found."""

    found: Found | None = None

    def __call__(self, agent: Agent) -> bool:
        if not super().__call__(agent):
            return False
        program = self.programs[agent.info["member"]]
        found = Found(program, check_sizes(program, get_task("copy"), SIZES, EXAMPLES, self.seed))
        if any(check["exact_error"] for check in found.checks):
            say("It makes errors on larger memories; training goes on.")
            return False
        self.found = found
        return True


def _success(folder: Path, found: Found) -> Group:
    return Group(
        "",
        listing(found.program, page_width()),
        "",
        checks_table(found.checks),
        f"\nSaved in {folder}: agent, program, population, metrics, summary.json.\n",
        "Next:",
        *(f"  {call:<40} {purpose}" for call, purpose in _next_commands(folder)),
    )


def _next_commands(folder: Path) -> tuple[tuple[str, str], ...]:
    return (
        (command("eval", folder), "the network itself, soft and hard, by size"),
        (command("verify", folder, "--n", 2000), "the program on still larger memories"),
        (command("trace", folder, "--n", 4), "the program at work, step by step"),
        (command("plot", folder), "pictures: errors, selectors, memory, hidden states"),
        (command("train", "increment"), "another task"),
        (command("tasks"), "all ten of them"),
    )


def checks_table(checks: list[dict[str, Any]]) -> Table:
    """Checks of a program by size, one row each."""
    table = Table(title="checks on fresh examples", title_justify="left", box=None, padding=(0, 2))
    for heading in ("mode", "n", "M", "examples", "exact error"):
        table.add_column(heading, justify="right")
    for check in checks:
        sizes = sizes_text(check["memory_sizes"])
        cells = (check["mode"], check["n"], sizes, check["examples"], check["exact_error"])
        table.add_row(*map(str, cells))
    return table
