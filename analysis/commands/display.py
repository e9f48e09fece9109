"""What one sees of a training run while it is under way, on standard error."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.live import Live
from rich.table import Table

from agents.run import Budget
from analysis.commands.output import command, plain_console, say

if TYPE_CHECKING:
    from agents.portfolio import Portfolio
    from agents.trainer import Progress, Trainer

PLAIN_SECONDS = 10.0
"""Seconds between two lines where the output is no terminal."""


def resume_command(folder: Path, task: str, device: str = "cpu") -> str:
    """The call that goes on with a run on a task, on a device."""
    there = () if device == "cpu" else ("--device", device)
    return command("train", "--run", folder, "--resume", *there, task=task)


def broken_off(folder: Path, task: str) -> KeyboardInterrupt:
    """Say how to go on with a run that was asked to stop and saved; returns what to raise then."""
    say(f"Saved in {folder}. Go on with:  {resume_command(folder, task)}")
    return KeyboardInterrupt()


class Display:
    """Something live on a terminal, lines elsewhere, on standard error; a context manager."""

    def __init__(self) -> None:
        console = plain_console(stderr=True)
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()


class TrainingDisplay(Display):
    """Live table of a training run on a terminal; a line every ten seconds elsewhere.

    Use as a context manager and hand `watch` to the run.

    Args:
        budget: When the run will stop.
        note: Said once training has begun.
    """

    def __init__(self, budget: Budget, note: str = "") -> None:
        super().__init__()
        self._budget, self._note = budget, note
        self._first_update: int | None = None
        self._shown = -PLAIN_SECONDS

    def watch(self, portfolio: Portfolio, progress: Progress, seconds: float) -> None:
        """Show an update, at most four times a second."""
        if self._first_update is None:
            self._first_update = progress.update - 1
            if self._note:
                say(self._note)
        if seconds - self._shown < (0.25 if self._live else PLAIN_SECONDS):
            return
        self._shown = seconds
        line = self._line(portfolio, progress, seconds)
        if self._live:
            self._live.update(_members(portfolio.leader, line), refresh=True)
        else:
            say(line)

    def _line(self, portfolio: Portfolio, progress: Progress, seconds: float) -> str:
        rate = (progress.update - (self._first_update or 0)) / max(seconds, 1e-9)
        limits = []
        if self._budget.updates is not None:
            limits.append((self._budget.updates - progress.update) / rate)
        if self._budget.minutes is not None:
            limits.append(60 * self._budget.minutes - seconds)
        left = f", at most {clock(min(limits))} left" if limits else ""
        config, islands = portfolio.active.config, len(portfolio.islands)
        island = f"island {progress.island} of {islands}, " if islands > 1 else ""
        attempt = f"attempt {progress.attempt} of {config.attempts}, " if progress.attempt > 1 else ""
        stopping = f"{progress.stopping} learn to stop, " if progress.stopping else ""
        level = min(progress.level, config.max_level)
        return (
            f"{config.task}: {island}{attempt}update {progress.update}, level {level} of {config.max_level}, "
            f"error {progress.error:.3f}, {stopping}{progress.solved} solved, {rate:.1f} updates/s{left}"
        )


def _members(trainer: Trainer, caption: str) -> Table:
    """The five best members of the best population."""
    table = Table(title=caption, title_justify="left", box=None, padding=(0, 2))
    for heading in ("member", "level", "error", "hard error", "learning rate", "updates"):
        table.add_column(heading, justify="right")
    population = trainer.population
    for index in population.ranking()[:5]:
        hard = population.best_error[index, 0].item()
        table.add_row(
            str(index),
            str(population.level[index].item()),
            f"{population.error[index].item():.3f}",
            "solved" if population.solved[index] else f"{hard:.3f}",
            f"{population.learning_rate[index].item():.4f}",
            str(population.age[index].item()),
        )
    return table


def clock(seconds: float) -> str:
    """Seconds as hours, minutes and seconds.

    Example:
        >>> clock(90_061.5)
        '25:01:01'
    """
    whole = int(max(0.0, seconds))
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
