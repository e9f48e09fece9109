"""Pictures of training and of what was learned. Numbers in, a figure out; no global state, no display."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import seaborn
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter
from sklearn.decomposition import PCA

from nram_env.support import write_atomically

if TYPE_CHECKING:
    from analysis.pictures.observe import ErrorPoint, HiddenStates, ObservedRun

_DPI = 130
_COLOURS = {"soft": "#4c72b0", "hard": "#dd8452", "program": "#2a9d5c"}
_WIDTHS = {"soft": 5.0, "hard": 3.0, "program": 1.4}


@contextmanager
def style() -> Iterator[None]:
    """What all pictures look like."""
    with rc_context({**seaborn.axes_style("whitegrid"), "font.size": 10, "axes.titlesize": 11}):
        yield


def save_figure(figure: Figure, path: str | Path) -> None:
    """Write a figure as PNG.

    Raises:
        OSError: The place cannot be written; the message names the path.
    """
    picture = BytesIO()
    figure.savefig(picture, format="png", dpi=_DPI)
    write_atomically(path, picture.getvalue())


_LOSS_TITLES = {
    "cell_loss": "minus log-likelihood of an output cell, mean of members",
    "loss": "mean loss of members, rising as its entropy bonus fades",
}


def learning_curves(metrics: Sequence[Mapping[str, Any]]) -> Figure:
    """Error, curriculum level, loss and solved members against updates.

    The loss is that of an output cell; where no update has it, as in runs of earlier versions, the loss with
    what entropies are worth stands there and is called so.

    Args:
        metrics: One entry an update, as in a run's metrics.jsonl: update, level, error, cell_loss or else
            loss, solved; what was not finite is None.
    """
    updates = [entry["update"] for entry in metrics]
    loss = "cell_loss" if any("cell_loss" in entry for entry in metrics) else "loss"
    titles = {
        "error": "running exact error at the highest level, best member",
        "level": "highest level n of the curriculum",
        loss: _LOSS_TITLES[loss],
        "solved": "members without hard error on held-out sizes",
    }
    with style():
        figure = Figure(figsize=(9, 6.5), layout="constrained")
        panels = figure.subplots(2, 2, sharex=True)
        for panel, (name, title) in zip(panels.flat, titles.items(), strict=True):
            values = np.array([entry.get(name) for entry in metrics], dtype=float)
            stepwise = name in ("level", "solved")
            seaborn.lineplot(
                x=updates,
                y=values,
                ax=panel,
                drawstyle="steps-post" if stepwise else "default",
                errorbar=None,
                linewidth=1.4,
            )
            panel.set(title=title, xlabel="", ylabel=name)
            panel.yaxis.set_major_locator(MaxNLocator(integer=stepwise))
        panels[0, 0].set_ylim(-0.02, 1.02)
        for panel in panels[1]:
            panel.set_xlabel("updates")
    return figure


def error_by_size(points: Sequence[ErrorPoint], trained_to: int) -> Figure:
    """Exact error of each mode against n.

    Args:
        points: Errors at several sizes.
        trained_to: Largest n of the training, marked by a line.
    """
    with style():
        figure, panel = _error_panel([point.n for point in points], points)
        panel.set_xscale("log", base=2)
        sizes = sorted({point.n for point in points})
        panel.set_xticks(sizes, [str(n) for n in sizes])
        panel.set(xlabel="n", title="exact error where the run ends")
        _mark(panel, trained_to, "trained to here")
    return figure


def error_by_horizon(points: Sequence[ErrorPoint], horizon: int) -> Figure:
    """Exact error of each mode against T, at one size.

    Args:
        points: Errors at several T.
        horizon: The task's T(n), marked by a line.
    """
    with style():
        figure, panel = _error_panel([point.horizon for point in points], points)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.set(xlabel="T, timesteps before the output is read", title=f"exact error at n = {points[0].n}")
        _mark(panel, horizon, "the task's T(n)")
    return figure


def _error_panel(x: Sequence[int], points: Sequence[ErrorPoint]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    panel = figure.subplots()
    for mode in dict.fromkeys(point.mode for point in points):
        chosen = [(at, point.error) for at, point in zip(x, points, strict=True) if point.mode == mode]
        seaborn.lineplot(
            x=[at for at, _ in chosen],
            y=[error for _, error in chosen],
            ax=panel,
            label=mode,
            color=_COLOURS[mode],
            linewidth=_WIDTHS[mode],
            marker="o",
            markersize=_WIDTHS[mode] + 4,
            errorbar=None,
        )
    panel.set(ylabel="examples with any wrong output cell", ylim=(-0.04, 1.04))
    panel.yaxis.set_major_formatter(PercentFormatter(1.0))
    panel.legend(title="run as")
    return figure, panel


def _mark(panel: Axes, x: float, text: str) -> None:
    panel.axvline(x, color="#777", linestyle=":", zorder=0)
    panel.annotate(
        text,
        (x, 0.5),
        rotation=90,
        xytext=(3, 0),
        textcoords="offset points",
        color="#555",
        fontsize=9,
        va="center",
    )


def selectors_over_time(run: ObservedRun) -> Figure:
    """What every selector prefers at every timestep of a soft run, shaded by how sure it is."""
    names = [*map(_selector_label, run.selector_names), "stop"]
    halting = run.halting_probs[:, None]
    probabilities = np.concatenate([run.choice_probs, np.maximum(halting, 1 - halting)], axis=1)
    stops = np.where(halting > 0.5, "yes", "no")
    texts = np.concatenate([np.vectorize(_choice_label)(run.choice_names), stops], axis=1)
    times = range(1, len(texts) + 1)
    with style():
        figure = Figure(
            figsize=(max(5.5, 3.2 + 0.72 * len(times)), 1.4 + 0.29 * len(names)), layout="constrained"
        )
        panel = figure.subplots()
        _heat_map(panel, probabilities.T, texts.T, names, times, "probability of the choice")
        panel.set(xlabel="timestep", title="most probable choice of every selector, soft run")
    return figure


def _selector_label(name: str) -> str:
    if name.startswith("register"):
        return f"r{name.removeprefix('register')} :="
    _, gate, argument = name.split(".")
    return f"{gate} {argument}"


def _choice_label(name: str) -> str:
    short = {"LESS-THAN": "<", "LESS-OR-EQUAL-THAN": "<=", "EQUALITY-TEST": "=="}
    gate = name.rpartition(".")[2]
    return short.get(gate, gate)


def memory_over_time(run: ObservedRun) -> Figure:
    """The memory before and after every timestep: soft, shaded by certainty, and hard, changes shaded."""
    size, tall = run.output.size, max(len(run.soft_memory), len(run.hard_memory))
    changed = np.zeros(run.hard_memory.shape)
    changed[1:] = run.hard_memory[1:] != run.hard_memory[:-1]
    with style():
        wide = 2.4 + 2 * 0.34 * size
        figure = Figure(figsize=(wide + 1.2, 1.6 + 0.29 * tall), layout="constrained")
        soft, hard = figure.subplots(1, 2, width_ratios=(1.12, 1))
        cells = range(size)
        _heat_map(
            soft,
            run.soft_probs,
            run.soft_memory,
            range(len(run.soft_memory)),
            cells,
            "probability of the value",
        )
        _heat_map(hard, changed, run.hard_memory, range(len(run.hard_memory)), cells, None)
        soft.set(title="soft: most probable values", xlabel="cell", ylabel="timesteps done")
        hard.set(title="hard: values, changes shaded", xlabel="cell")
        for panel, rows in ((soft, len(run.soft_memory)), (hard, len(run.hard_memory))):
            _frame_columns(panel, run.output, rows)
        figure.suptitle("memory over time; output cells are framed")
    return figure


def _frame_columns(panel: Axes, chosen: np.ndarray, rows: int) -> None:
    for column in np.flatnonzero(chosen).tolist():
        frame = Rectangle((column, 0), 1, rows, fill=False, edgecolor="#c44e52", linewidth=1.6, clip_on=False)
        panel.add_patch(frame)


def _heat_map(
    panel: Axes,
    shades: np.ndarray,
    texts: np.ndarray,
    rows: Iterable[Any],
    columns: Iterable[Any],
    bar: str | None,
) -> None:
    seaborn.heatmap(
        shades,
        ax=panel,
        vmin=0,
        vmax=1.6 if bar is None else 1,
        cmap="Blues" if bar is None else "crest_r",
        annot=texts,
        fmt="",
        annot_kws={"fontsize": 8},
        linewidths=0.5,
        cbar=bar is not None,
        cbar_kws={"label": bar} if bar else None,
        xticklabels=list(columns),
        yticklabels=list(rows),
    )
    panel.tick_params(axis="y", rotation=0)
    panel.tick_params(axis="x", rotation=0)


def hidden_states_by_machine_state(states: HiddenStates) -> Figure:
    """The controller's states in the plane of their largest variance, coloured by the program's state."""
    plane = PCA(n_components=2, svd_solver="full").fit(states.vectors)
    points, shares = plane.transform(states.vectors), plane.explained_variance_ratio_
    names = sorted(set(states.machine_states))
    with style():
        figure = Figure(figsize=(7, 5), layout="constrained")
        panel = figure.subplots()
        seaborn.scatterplot(
            x=points[:, 0],
            y=points[:, 1],
            hue=list(states.machine_states),
            hue_order=names,
            palette=seaborn.color_palette("husl" if len(names) > 10 else "colorblind", len(names)),
            style=list(states.machine_states) if len(names) <= 10 else None,
            ax=panel,
            s=34,
            alpha=0.75,
            legend="full" if len(names) <= 20 else False,
        )
        panel.set(
            xlabel=f"first component ({shares[0]:.0%} of the variance)",
            ylabel=f"second component ({shares[1]:.0%})",
            title=f"controller's hidden state after {len(points):,} timesteps, by state of the program",
        )
        if len(names) <= 20:
            panel.legend(title="machine state", loc="upper left", bbox_to_anchor=(1.01, 1))
    return figure
