"""How much of the output is right: four modes of execution, four stop rules."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.checkpoint import Agent
from agents.evaluation import evaluate
from analysis.machine.vm import run
from analysis.measurement.accuracy import STOP_RULES
from analysis.measurement.errors import SOFT_MARGIN
from analysis.measurement.hardening import Hardening, measure_hardening
from analysis.simplification.program import simplify_program
from nram_env.tasks import draw_plan, get_task
from tests.analysis.programs import CASES, program_of
from tests.analysis.weights import copier

SIZE, EXAMPLES, SEED = 4, 6, 0


def _measured(agent: Agent) -> Hardening:
    return measure_hardening(agent, SIZE, EXAMPLES, SEED)


def _stopping(halting: list[float]) -> Agent:
    """A sharp copier that wants to stop with these probabilities in the first step and in all later ones."""

    def change(head):
        changed, edges = 10 * head, 2
        logits = [np.log(f / (1 - f)) for f in halting]
        changed[:, -1] = 0
        changed[:edges, -1] = np.array(logits) / (2 * np.tanh(1))
        changed[-1, -1] = sum(logits) / 2
        return changed

    return copier(change)


def _right_after(steps: int) -> np.ndarray:
    """(B, cells); which output cells are right after so many steps of the paper's Copy."""
    task, program = get_task("copy"), simplify_program(program_of(CASES["copy"]))
    rng = np.random.default_rng(SEED)
    batches = list(draw_plan(task, rng, [SIZE], EXAMPLES).batches(task, rng))
    assert len({batch.memory_size for batch in batches}) > 1
    right = []
    for batch in batches:
        memories = [run(program, memory, steps).memory for memory in batch.memory.tolist()]
        right.append((np.array(memories) == batch.target)[batch.mask].reshape(batch.batch_size, -1))
    return np.concatenate(right)


def test_every_mode_of_a_sharp_agent_is_right_as_often_as_its_program():
    found = _measured(copier(lambda head: 10 * head))
    right = _right_after(get_task("copy").horizon(SIZE))
    assert [mode.name for mode in found.modes] == ["soft", "soft argmax", "hard", "program"]
    for mode in found.modes:
        assert (mode.cells, mode.exact) == pytest.approx((right.mean(), right.all(1).mean()))


def test_the_modes_of_a_blurred_agent_are_those_of_eval_and_soft_is_less_sure():
    agent = copier(lambda head: 0.5 * head)
    agent = replace(agent, controller=agent.controller.to(torch.float32))
    soft, argmax, hard, _ = _measured(agent).modes
    for mode, word in ((argmax, "soft"), (hard, "hard")):
        errors = evaluate(agent, word, SIZE, EXAMPLES, SEED)
        assert (mode.cells, mode.exact) == pytest.approx((1 - errors.cell_error, 1 - errors.exact_error))
    assert 0 < soft.exact < soft.cells < 1
    assert soft.cells < hard.cells


def test_soft_weighs_every_timestep_by_the_chance_to_stop_there():
    """With sharp selectors the soft memory is the hard one: f is 1/4 at every step, T takes the rest."""
    horizon = get_task("copy").horizon(SIZE)
    chance = [0.25 * 0.75**t for t in range(horizon - 1)]
    chance.append(1 - sum(chance))
    soft = _measured(_stopping([0.25, 0.25])).modes[0]
    right = [_right_after(step) for step in range(1, horizon + 1)]
    assert soft.cells == pytest.approx(sum(p * r.mean() for p, r in zip(chance, right, strict=True)))
    assert soft.exact == pytest.approx(sum(p * r.all(1).mean() for p, r in zip(chance, right, strict=True)))


def test_the_four_stop_rules_of_a_worked_example():
    """f = 0.3 0.3 0.6 0.1, so p = 0.3 0.21 0.294 0.196; then an f that never is over 1/2."""
    halting = np.array([[0.3, 0.3, 0.6, 0.1], [0.1, 0.1, 0.1, 0.1]])
    found = {name: rule(halting).tolist() for name, rule in STOP_RULES.items()}
    assert found == {"never": [3, 3], "first_over_half": [2, 3], "median": [1, 3], "argmax_p": [0, 3]}


@pytest.mark.parametrize(
    ("halting", "steps"),
    [([0.25, 0.25], ("T", "T", 3, 1)), ([0.1, 0.6], ("T", 2, 2, 2)), ([0.01, 0.01], ("T", "T", "T", "T"))],
)
def test_a_stop_rule_reads_the_memory_after_its_step(halting, steps):
    horizon = get_task("copy").horizon(SIZE) if max(halting) < 0.5 else 2 + SOFT_MARGIN
    found = _measured(_stopping(halting))
    wanted = [horizon if step == "T" else step for step in steps]
    assert [rule.name for rule in found.stop_rules] == list(STOP_RULES)
    assert [rule.step for rule in found.stop_rules] == wanted
    for rule, step in zip(found.stop_rules, wanted, strict=True):
        right = _right_after(step)
        assert (rule.cells, rule.exact) == pytest.approx((right.mean(), right.all(1).mean()))


def test_the_rule_of_the_program_is_the_one_of_the_hard_mode():
    found = _measured(_stopping([0.1, 0.6]))
    hard, rule = found.modes[2], found.stop_rules[1]
    assert (hard.cells, hard.exact) == (rule.cells, rule.exact)
    assert rule.step == found.hard_stop
