"""Pictures show the numbers that they were given, and the numbers are those of the runs."""

import json

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.image import imread
from matplotlib.patches import Rectangle

from agents import zoo
from agents.checkpoint import Agent, save_agent
from agents.controllers import Controller, ControllerSpec
from agents.evaluation import evaluate
from analysis import find_program
from analysis.commands.cli import main
from analysis.extraction.circuits import circuit_block
from analysis.pictures.observe import (
    MODES,
    ErrorPoint,
    HiddenStates,
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
from analysis.program.block import Guard
from analysis.program.file import save_program
from analysis.program.program import Edge, Program, Register
from nram_env.machine import MachineConfig
from nram_env.tasks import get_task

MACHINE = MachineConfig(3)


def agent_of(kind):
    spec = ControllerSpec(kind, MACHINE, hidden_size=6)
    weights = spec.initialise(torch.Generator().manual_seed(2), torch.full((1,), 3.0))
    weights[:, -1] = -40  # the halting logit: it never stops by itself
    return Agent(Controller(spec, weights), "copy", {"config": {"max_level": 3}})


def constant_program(choices):
    """Does the same circuit at every timestep, two states taking turns."""
    block = circuit_block(MACHINE, choices)
    edges = tuple(Edge(state, Guard(), block, 1 - state) for state in (0, 1))
    registers = tuple(Register(f"r{r}", r) for r in range(3))
    return Program("copy", registers, ("S0", "S1"), edges, "machine", MACHINE, task="copy")


AGENT = agent_of("lstm")
PROGRAM = constant_program([0] * len(MACHINE.layout.selectors))


@pytest.fixture(scope="module")
def run():
    return observe_run(AGENT, n=3, seed=2)


# numbers


def test_errors_are_those_of_the_evaluation():
    points = errors_by_size(AGENT, PROGRAM, [1, 3], examples=40, seed=7)
    assert [(point.mode, point.n) for point in points] == [(mode, n) for n in (1, 3) for mode in MODES]
    for point in points:
        assert point.horizon == get_task("copy").horizon(point.n)
        if point.mode != "program":
            assert point.error == evaluate(AGENT, point.mode, point.n, 40, 7).exact_error


def test_errors_against_t_read_the_output_after_so_many_timesteps():
    points = errors_by_horizon(AGENT, PROGRAM, 2, [1, 5], examples=40, seed=7)
    assert [point.horizon for point in points] == [1] * 3 + [5] * 3
    assert points[3:] == errors_by_size(AGENT, PROGRAM, [2], 40, 7)


def test_an_agent_that_stops_by_itself_is_shown_to_its_stop():
    entry = zoo.find_entry("listsearch")
    points = errors_by_size(entry.agent, find_program("zoo:listsearch"), [2, 5], examples=24, seed=7)
    assert [(point.mode, point.n, point.error) for point in points] == [
        (mode, n, 0) for n in (2, 5) for mode in MODES
    ]
    run = observe_run(entry.agent, n=5, seed=1)
    assert (run.hard_memory[-1] == run.soft_memory[-1]).all()
    assert len(run.hard_memory) == len(run.soft_memory), "the soft run ends as firmly"


def test_an_observed_run_holds_distributions_and_the_memory_before_and_after_every_step(run):
    steps, size = len(run.choice_probs), run.output.size
    assert steps == get_task("copy").horizon(3)
    assert run.soft_memory.shape == run.soft_probs.shape == (steps + 1, size)
    assert run.choice_names.shape == run.choice_probs.shape == (steps, len(run.selector_names))
    assert ((run.soft_probs > 0) & (run.soft_probs <= 1 + 1e-5)).all()
    counts = np.array(MACHINE.layout.choice_counts)
    assert (run.choice_probs >= 1 / counts - 1e-12).all()
    assert (run.soft_memory[0] == run.hard_memory[0]).all()
    assert (run.soft_probs[0] == 1).all()


def test_hidden_states_come_one_a_timestep_with_the_state_that_the_program_was_in():
    batch = get_task("copy").sample(np.random.default_rng(0), [1, 2, 3], 9)
    found = hidden_states(AGENT, PROGRAM, batch, np.array([2, 3, 4]))
    assert found.vectors.shape[1] == 6
    assert len(found.vectors) == len(found.machine_states) <= 9
    assert found.machine_states[:3] == ("S0", "S0", "S0")
    assert set(found.machine_states[3:]) <= {"S1", "S0"}
    assert np.abs(found.vectors).max() <= 1


# figures


def test_learning_curves_show_every_update():
    metrics = [
        {"update": u, "level": 5 + u // 10, "error": 1 / u, "loss": u, "cell_loss": 9 - u, "solved": u // 20}
        for u in range(1, 31)
    ]
    panels = learning_curves(metrics).axes
    assert [panel.get_ylabel() for panel in panels] == ["error", "level", "cell_loss", "solved"]
    for panel in panels:
        (curve,) = panel.lines
        assert curve.get_ydata().tolist() == [entry[panel.get_ylabel()] for entry in metrics]


def test_the_loss_of_earlier_runs_is_called_what_it_is():
    """It holds the entropy bonus; a run that was resumed has the loss of a cell from then on."""
    old = [{"update": u, "level": 5, "error": None, "loss": u, "solved": 0} for u in (1, 2)]
    before = learning_curves(old).axes[2]
    assert (before.get_ylabel(), "entropy bonus" in before.get_title()) == ("loss", True)
    after = learning_curves([*old, {**old[0], "update": 3, "cell_loss": 0.5}]).axes[2]
    (curve,) = after.lines
    assert (after.get_ylabel(), "entropy" in after.get_title()) == ("cell_loss", False)
    assert np.isnan(curve.get_ydata()[:2]).all() or len(curve.get_ydata()) == 1
    assert curve.get_ydata()[-1] == 0.5


def test_error_pictures_have_a_line_a_mode_and_a_mark():
    points = [ErrorPoint(mode, n, n + 3, n / 8) for n in (1, 2, 4) for mode in MODES]
    for figure, ticks, mark in (
        (error_by_size(points, trained_to=2), [1, 2, 4], 2),
        (error_by_horizon(points, horizon=5), [4, 5, 7], 5),
    ):
        (panel,) = figure.axes
        *curves, marked = panel.lines
        assert [curve.get_label() for curve in curves] == list(MODES)
        assert list(marked.get_xdata()) == [mark, mark]
        for curve in curves:
            assert curve.get_xdata().tolist() == ticks
            assert curve.get_ydata().tolist() == [1 / 8, 2 / 8, 4 / 8]


def test_the_selector_picture_writes_every_choice_and_shades_it_by_its_probability(run):
    panel = selectors_over_time(run).axes[0]
    rows = [label.get_text() for label in panel.get_yticklabels()]
    assert rows[:3] == ["READ p", "INC a", "ADD a"]
    assert rows[-4:] == ["r0 :=", "r1 :=", "r2 :=", "stop"]
    shades = panel.collections[0].get_array().reshape(len(rows), -1)
    assert np.allclose(shades[:-1], run.choice_probs.T)
    assert len(panel.texts) == shades.size


def test_the_memory_picture_writes_both_memories_and_frames_the_output(run):
    soft, hard, *_ = memory_over_time(run).axes
    for panel, memory in ((soft, run.soft_memory), (hard, run.hard_memory)):
        assert [int(text.get_text()) for text in panel.texts] == memory.flatten().tolist()
        frames = [patch for patch in panel.patches if isinstance(patch, Rectangle)]
        assert [frame.get_x() for frame in frames] == np.flatnonzero(run.output).tolist()
    changes = (run.hard_memory[1:] != run.hard_memory[:-1]).sum()
    assert hard.collections[0].get_array().sum() == changes


@pytest.mark.parametrize("num_states", [1, 3, 12, 30])
def test_hidden_states_are_drawn_whatever_the_number_of_machine_states(num_states):
    rng = np.random.default_rng(0)
    names = tuple(f"S{index % num_states}" for index in range(90))
    figure = hidden_states_by_machine_state(HiddenStates(rng.normal(size=(90, 5)), names))
    (panel,) = figure.axes
    assert len(panel.collections[0].get_offsets()) == 90


def test_figures_become_files_and_leave_the_settings_of_matplotlib_alone(run, tmp_path):
    before = dict(matplotlib.rcParams)
    save_figure(memory_over_time(run), tmp_path / "plots" / "memory.png")
    assert dict(matplotlib.rcParams) == before
    height, width, _ = imread(tmp_path / "plots" / "memory.png").shape
    assert width > height > 100


# the verb


@pytest.fixture
def run_folder(tmp_path):
    save_agent(tmp_path / "agent.safetensors", AGENT)
    save_program(PROGRAM, tmp_path / "program.json")
    return tmp_path


def test_plot_writes_every_picture_that_the_run_allows_and_lists_them(run_folder, capsys):
    assert main(["plot", str(run_folder), "--n", "2", "--json"]) == 0
    captured = capsys.readouterr()
    report = json.loads(captured.out)
    files = sorted(str(path) for path in (run_folder / "plots").iterdir())
    assert sorted(report["pictures"]) == files
    assert len(files) == 5
    assert report["left_out"] == {"learning_curves": "the run has no updates in metrics.jsonl"}
    assert "drawing memory" in captured.err


def test_a_feed_forward_controller_has_no_picture_of_hidden_states(run_folder, capsys):
    save_agent(run_folder / "agent.safetensors", agent_of("feedforward"))
    assert main(["plot", str(run_folder), "--n", "2"]) == 0
    assert "no hidden_states: a feed-forward controller has no hidden state" in capsys.readouterr().out
    assert not (run_folder / "plots" / "hidden_states.png").exists()


def test_hidden_states_that_are_all_the_same_have_no_picture(run_folder, capsys):
    still = Controller(AGENT.controller.spec, torch.zeros_like(AGENT.controller.parameters))
    save_agent(run_folder / "agent.safetensors", Agent(still, "copy", AGENT.info))
    assert main(["plot", str(run_folder), "--n", "1"]) == 0
    assert "no hidden_states: the hidden state was the same at every timestep" in capsys.readouterr().out
