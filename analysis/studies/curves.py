"""The share of trials without success against time, as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import seaborn
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from analysis.pictures.plots import save_figure, style
from analysis.studies.summary import Summary


def survival_curves(summaries: Mapping[str, Summary], file: Path) -> None:
    """Draw a curve for each task, with a mark where a trial ended without success.

    Raises:
        OSError: The place cannot be written.
    """
    colours = seaborn.color_palette("colorblind", max(1, len(summaries)))
    with style():
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        panel = figure.subplots()
        for (task, summary), colour in zip(summaries.items(), colours, strict=False):
            times, shares = zip(*_curve(summary), strict=True)
            seaborn.lineplot(
                x=times, y=shares, ax=panel, drawstyle="steps-post", label=task, color=colour, errorbar=None
            )
            marks = list(_ends(summary))
            seaborn.scatterplot(
                x=[time for time, _ in marks],
                y=[share for _, share in marks],
                ax=panel,
                marker="|",
                s=90,
                color=colour,
                linewidth=1.5,
            )
        panel.set(xlabel="seconds of training", ylabel="trials without success")
        panel.set(xlim=(0, None), ylim=(0, 1.02))
        panel.yaxis.set_major_formatter(PercentFormatter(1.0))
        save_figure(figure, file)


def _curve(summary: Summary) -> list[tuple[float, float]]:
    """The steps, up to the last trial that ended."""
    last = max(result.seconds for result in summary.results)
    return [*summary.steps, (last, summary.steps[-1][1])]


def _ends(summary: Summary) -> list[tuple[float, float]]:
    """Where trials ended without success: seconds, and the share that the curve has there."""
    seconds = sorted(result.seconds for result in summary.results if not result.success)
    return [(end, [share for time, share in summary.steps if time <= end][-1]) for end in seconds]
