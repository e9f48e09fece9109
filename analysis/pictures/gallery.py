"""All pictures of a run: what is measured for each, and where the files go. Needs torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from agents.checkpoint import Agent
from agents.metrics import METRICS_FILE, read_metrics
from analysis.extraction.adapters import HardenedAgent
from analysis.extraction.stops import network_stops
from analysis.pictures.observe import (
    ObservedRun,
    errors_by_horizon,
    errors_by_size,
    hidden_states,
    observe_run,
)
from analysis.pictures.plots import (
    error_by_horizon,
    error_by_size,
    hidden_states_by_machine_state,
    learning_curves,
    memory_over_time,
    save_figure,
    selectors_over_time,
)
from analysis.program.program import Program
from analysis.verification.stopping import limits
from nram_env.tasks import get_task

FOLDER = "plots"
"""Name of the folder of pictures in a run folder."""

_EXAMPLES = 50
_BEYOND = 8


def draw_run(
    folder: Path, agent: Agent, program: Program, *, n: int, seed: int, progress: Callable[[str], None]
) -> tuple[list[Path], dict[str, str]]:
    """Write every picture that a run allows into its folder of pictures.

    Args:
        folder: The run folder.
        agent: Its agent.
        program: The agent's program.
        n: Difficulty of the example that is shown over time.
        seed: Seed of all examples.
        progress: Told before each picture.

    Returns:
        The files, and for pictures that were left out the reason.
    """
    gallery = _Gallery(folder, agent, program, n, seed)
    written, left_out = [], {}
    for name, draw in gallery.pictures.items():
        progress(f"drawing {name}")
        figure = draw()
        if isinstance(figure, str):
            left_out[name] = figure
        else:
            written.append(folder / FOLDER / f"{name}.png")
            save_figure(figure, written[-1])
    return written, left_out


class _Gallery:
    """Measures what each picture shows. A method returns its figure, or why there is none."""

    def __init__(self, folder: Path, agent: Agent, program: Program, n: int, seed: int) -> None:
        self._folder, self._agent, self._program = folder, agent, program
        self._n, self._seed, self._task = n, seed, get_task(agent.task)
        self._trained_to = agent.trained_to

    @property
    def pictures(self) -> Mapping[str, Callable[[], Figure | str]]:
        return {
            "learning_curves": self._learning_curves,
            "error_by_size": self._error_by_size,
            "error_by_horizon": self._error_by_horizon,
            "selectors": lambda: selectors_over_time(self._run),
            "memory": lambda: memory_over_time(self._run),
            "hidden_states": self._hidden_states,
        }

    @cached_property
    def _run(self) -> ObservedRun:
        return observe_run(self._agent, self._n, self._seed)

    def _learning_curves(self) -> Figure | str:
        metrics = read_metrics(self._folder)
        return learning_curves(metrics) if metrics else f"the run has no updates in {METRICS_FILE}"

    def _error_by_size(self) -> Figure:
        doubled = (2**power for power in range((_BEYOND * self._trained_to).bit_length()))
        sizes = [n for n in doubled if n >= self._task.smallest_difficulty]
        points = errors_by_size(self._agent, self._program, sizes, _EXAMPLES, self._seed)
        return error_by_size(points, self._trained_to)

    def _error_by_horizon(self) -> Figure:
        horizon = self._task.horizon(self._trained_to)
        times = range(1, 3 * horizon + 1)
        points = errors_by_horizon(self._agent, self._program, self._trained_to, times, _EXAMPLES, self._seed)
        return error_by_horizon(points, horizon)

    def _hidden_states(self) -> Figure | str:
        if self._agent.controller.spec.kind != "lstm":
            return "a feed-forward controller has no hidden state"
        largest = 4 * self._trained_to
        sizes = np.arange(self._task.smallest_difficulty, largest + 1)
        memory_size = self._task.smallest_memory_size(largest)
        batch = self._task.sample(np.random.default_rng(self._seed), sizes, memory_size)
        stops = network_stops(HardenedAgent(self._agent), self._task)
        found = hidden_states(self._agent, self._program, batch, limits(self._task, batch, stops))
        if not np.ptp(found.vectors, axis=0).any():
            return "the hidden state was the same at every timestep that was run"
        return hidden_states_by_machine_state(found)
