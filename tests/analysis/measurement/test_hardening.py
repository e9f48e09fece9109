"""What hardening does to an agent: margins, ties, and where the soft and the hard run part."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from agents.checkpoint import Agent, save_agent
from analysis.commands.cli import main
from analysis.extraction.adapters import HardenedAgent
from analysis.extraction.labels import live_margins, live_selectors, smallest_margin
from analysis.extraction.record import Inputs, record
from analysis.measurement.errors import SOFT_MARGIN
from analysis.measurement.hardening import measure_hardening
from nram_env.tasks import get_task
from tests.analysis.programs import CASES
from tests.analysis.weights import copier

SIZE, EXAMPLES, SEED = 4, 6, 0


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def sharp() -> Agent:
    return copier(lambda head: 10 * head)


@pytest.fixture(scope="module")
def blurred() -> Agent:
    return copier(lambda head: 0.5 * head)


def _tied(factor: float) -> Agent:
    """Sharp, but the loop reads mem[r0] with a logit of `factor` times that of mem[r3], the right one."""

    def change(head):
        start = CASES["copy"].config.layout["gate0.READ.p"].start
        changed = 10 * head
        changed[:, start] = factor * changed[:, start + 3]
        return changed

    return copier(change)


def test_a_sharp_agent_agrees_with_itself_everywhere_and_has_no_ties(sharp):
    found = measure_hardening(sharp, SIZE, EXAMPLES, SEED)
    horizon = get_task("copy").horizon(SIZE)
    assert [row.time for row in found.agreement] == list(range(1, horizon + 1))
    assert {(row.rows, row.registers, row.memory) for row in found.agreement} == {(EXAMPLES, 1.0, 1.0)}
    assert found.first_difference is None
    assert (found.ties, found.fragile) == (0, 0)
    assert found.hard_stop == horizon
    assert found.expected_stop == pytest.approx(horizon)


def test_margins_are_those_of_an_explicit_loop(sharp):
    task = get_task("copy")
    batch = task.sample(np.random.default_rng(SEED), SIZE, task.smallest_memory_size(SIZE), EXAMPLES)
    inputs = Inputs(batch.memory, np.full(EXAMPLES, task.horizon(SIZE)))
    recording = record(HardenedAgent(sharp), [inputs])
    live = frozenset(range(sharp.machine.num_registers))
    slow = []
    for step, margins in zip(recording.steps, recording.margins, strict=True):
        for number in range(len(step.choices)):
            if number in live_selectors(sharp.machine, step, live):
                slow.append(margins[number])
    assert sorted(slow) == sorted(live_margins(recording, live))
    assert min(slow) == smallest_margin(recording, live)


def test_quantiles_are_in_order_and_scale_with_the_logits(sharp, blurred):
    first, second = (measure_hardening(agent, SIZE, EXAMPLES, SEED) for agent in (sharp, blurred))
    quantiles = list(asdict(first.margins).values())
    assert quantiles == sorted(quantiles)
    assert quantiles == pytest.approx([20 * value for value in asdict(second.margins).values()])
    assert first.live_selectors == second.live_selectors


def test_a_tie_is_counted_once_and_is_no_matter_of_precision_if_exact():
    found = measure_hardening(_tied(1.0), SIZE, EXAMPLES, SEED)
    assert found.ties == 1
    assert found.margins.smallest == pytest.approx(0, abs=1e-9)


def test_a_choice_that_float32_cannot_tell_is_fragile():
    found = measure_hardening(_tied(1 - 1e-9), SIZE, EXAMPLES, SEED)
    assert (found.ties, found.fragile) == (1, 1)


def test_of_a_blurred_agent_the_first_difference_names_its_selector(blurred):
    found = measure_hardening(blurred, SIZE, EXAMPLES, SEED)
    first = found.first_difference
    worse = [row.time for row in found.agreement if min(row.registers, row.memory) < 1]
    assert first.time == worse[0]
    assert first.soft != first.hard
    assert first.selector in {selector.name for selector in blurred.machine.layout.selectors}
    assert 1 <= first.selector_time <= first.time
    assert first.chosen != first.other
    assert 0 < first.other_mass < first.chosen_mass < 0.9


def test_a_choice_with_half_the_mass_is_the_one_that_is_blamed():
    first = measure_hardening(_tied(1.0), SIZE, EXAMPLES, SEED).first_difference
    assert (first.time, first.selector, first.selector_time) == (2, "gate0.READ.p", 2)
    assert (first.chosen, first.other) == ("r0", "r3")
    assert (first.chosen_mass, first.other_mass) == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize("halting", [0.25, 0.75])
def test_stop_steps_are_those_of_a_constant_willingness_to_stop(halting):
    def change(head):
        changed = 10 * head
        changed[:, -1] = 0
        changed[-1, -1] = np.log(halting / (1 - halting))
        return changed

    found = measure_hardening(copier(change), SIZE, EXAMPLES, SEED)
    horizon = get_task("copy").horizon(SIZE) if halting < 0.5 else 1 + SOFT_MARGIN
    assert found.hard_stop == (1 if halting > 0.5 else horizon)
    assert len(found.agreement) == found.hard_stop
    assert found.expected_stop == pytest.approx(sum((1 - halting) ** t for t in range(horizon)), abs=1e-5)


def test_eval_prints_and_reports_hardening(tmp_path, capsys, blurred):
    blurred = replace(blurred, controller=blurred.controller.to(torch.float32))
    save_agent(tmp_path / "agent.safetensors", blurred)
    words = ["eval", str(tmp_path / "agent.safetensors"), "--sizes", "4", "--examples", "6", "--seed", "0"]
    assert main([*words, "--hardening", "--json"]) == 0
    said = capsys.readouterr()
    (reported,) = json.loads(said.out)["hardening"]
    assert reported == json.loads(json.dumps(asdict(measure_hardening(blurred, 4, 6, 0))))
    assert "first difference" in said.err
    assert "expected soft stop step" in said.err
    assert "hard, stopped by" in said.err
    assert "\n  argmax_p" in said.err
