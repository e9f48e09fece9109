"""Errors of controllers that stop by themselves are those where they stop; of others those at T(n)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from agents import zoo
from agents.checkpoint import Agent
from agents.evaluation import evaluate
from analysis.extraction.adapters import HardenedAgent
from analysis.extraction.stops import network_stops
from analysis.measurement.errors import measure_errors, measure_sizes
from analysis.measurement.hardening import measure_hardening
from nram_env.tasks import draw_plan, get_task
from tests.analysis.programs import CASES, program_of, stopping_at_zero
from tests.analysis.weights import lstm_weights

REVERSE = get_task("reverse")


@pytest.fixture(scope="module")
def late() -> Agent:
    """The paper's Reverse as an LSTM that stops when its counter has come round: after M + 1 steps."""
    program = stopping_at_zero(program_of(CASES["reverse"]), register=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.analysis.weights.MARGIN", 40.0)  # so that the soft run is as firm
        controller = lstm_weights(program, np.random.default_rng(0))
    return Agent(controller.to(torch.float32), "reverse")


def test_an_agent_is_measured_where_it_stops_however_late_that_is(late: Agent) -> None:
    assert network_stops(HardenedAgent(late), REVERSE)
    for mode in ("soft", "hard"):
        rng = np.random.default_rng(0)
        found = measure_errors(late, mode, draw_plan(REVERSE, rng, [2, 5], 40), rng)
        assert (found.mode, found.n, found.examples, found.exact_error) == (mode, 5, 80, 0)


def test_hardening_is_measured_to_the_stop(late: Agent) -> None:
    found = measure_hardening(late, n=4, examples=24, seed=0)
    assert {mode.name: mode.exact for mode in found.modes} == pytest.approx(
        {"soft": 1, "soft argmax": 1, "hard": 1, "program": 1}, abs=1e-3
    )
    assert found.hard_stop > REVERSE.horizon(4)
    assert found.first_difference is None


def test_a_run_that_does_not_stop_where_most_do_is_wrong(
    late: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    never = Agent(replace(late.controller, parameters=late.controller.parameters.clone()), "reverse")
    never.controller.parameters[:, -1] -= 1e6  # the halting logit
    monkeypatch.setattr("analysis.measurement.errors.network_stops", lambda network, task: True)
    rng = np.random.default_rng(0)
    assert measure_errors(never, "hard", draw_plan(REVERSE, rng, [2], 8), rng).exact_error == 1


def test_an_agent_that_does_not_stop_is_measured_at_the_task_s_horizon() -> None:
    agent = zoo.find_entry("copy").agent
    assert measure_sizes(agent, [3, 5], 20, 0) == [
        evaluate(agent, mode, n, 20, 0) for mode in ("soft", "hard") for n in (3, 5)
    ]


def test_an_unknown_mode_is_refused(late: Agent) -> None:
    plan = draw_plan(REVERSE, np.random.default_rng(0), [2], 8)
    with pytest.raises(ValueError, match="unknown mode 'sofd'"):
        measure_errors(late, "sofd", plan, np.random.default_rng(0))
