"""Unrolling: gradients reach the first timestep, and the hard run equals the hard environment."""

import gymnasium
import numpy as np
import pytest
import torch

from agents.checkpoint import Agent
from agents.controllers import CONTROLLER_KINDS, Controller, ControllerSpec
from agents.evaluation import MODES, evaluate
from agents.hard import hard_steps, hard_wrong
from agents.rollout import make_envs, soft_wrong, unroll
from nram_env.machine import MachineConfig
from nram_env.tasks import get_task, join

MACHINE = MachineConfig(4)
COPY = get_task("copy")


def controller(kind: str = "lstm", members: int = 2) -> Controller:
    spec = ControllerSpec(kind, MACHINE, 8)
    return Controller(spec, spec.initialise(torch.Generator().manual_seed(0), 20 * torch.ones(members)))


@pytest.mark.parametrize("kind", CONTROLLER_KINDS)
def test_the_gradient_of_the_return_reaches_every_parameter(kind):
    spec = controller(kind).spec
    parameters = controller(kind).parameters.requires_grad_()
    rollout = unroll(Controller(spec, parameters), make_envs(COPY, MACHINE, 6), difficulty=2)
    (gradient,) = torch.autograd.grad(rollout.returns.sum(), parameters)
    for name, block in Controller(spec, gradient).weights.items():
        assert block.abs().sum() > 0, name


def unrolled(parameters: torch.Tensor, spec: ControllerSpec, loss: str = "expected", **options: object):
    envs = make_envs(COPY, MACHINE, 6, dtype="float64", loss=loss, **options)
    batch, horizon = COPY.sample(np.random.default_rng(0), 2, 6, 6), np.array([1, 3, 5, 5, 7, 7])
    return unroll(Controller(spec, parameters), envs, instance=batch, horizon=horizon)


@pytest.mark.parametrize("kind", CONTROLLER_KINDS)
@pytest.mark.parametrize("name", ["returns", "halting_entropy", "steps", "unfinished"])
def test_gradients_equal_finite_differences(kind, name):
    made = controller(kind)
    parameters = made.parameters.double().requires_grad_()
    costs = {"step_cost": 0.5, "unfinished_cost": 3.0}
    weight = torch.rand(2, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def score(values: torch.Tensor) -> torch.Tensor:
        return (weight * getattr(unrolled(values, made.spec, **costs), name)).sum()

    (gradient,) = torch.autograd.grad(score(parameters), parameters)
    with torch.no_grad():
        for seed in range(3):
            way = torch.randn(
                parameters.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
            )
            step = 1e-6 * way
            slope = (score(parameters + step) - score(parameters - step)) / 2e-6
            torch.testing.assert_close((gradient * way).sum(), slope, rtol=1e-5, atol=1e-7)


def test_steps_and_unfinished_runs_are_those_of_the_halting_distribution():
    made = controller()
    rollout = unrolled(made.parameters.double(), made.spec)
    envs, exact = make_envs(COPY, MACHINE, 6, dtype="float64"), made.to(torch.float64)
    batch, horizon = COPY.sample(np.random.default_rng(0), 2, 6, 6), np.array([1, 3, 5, 5, 7, 7])
    observations, _ = envs.reset(options={"instance": batch, "horizon": horizon})
    state, left, steps, entropy = exact.initial_state(3), torch.ones(6).double(), 0.0, 0.0
    unfinished = torch.zeros(6).double()
    for step in range(1, 8):
        logits, state = exact(observations.unflatten(0, (2, 3)), state)
        f = torch.sigmoid(logits.flatten(0, 1)[:, -1])
        here = torch.where(torch.from_numpy(horizon == step), left, f * left)
        unfinished += left * torch.from_numpy(horizon == step)
        steps, left = steps + step * here, left - here
        if not envs.finished.all():
            observations, *_ = envs.step(logits.flatten(0, 1))
            entropy = entropy + (left + here) * envs.halting_entropy
    torch.testing.assert_close(rollout.steps.flatten(), steps, rtol=0, atol=1e-4)
    torch.testing.assert_close(rollout.unfinished.flatten(), unfinished, rtol=0, atol=1e-5)
    torch.testing.assert_close(rollout.halting_entropy.flatten(), entropy, rtol=0, atol=1e-4)


def test_members_do_not_touch_each_other():
    both = controller()
    batch = COPY.sample(np.random.default_rng(0), 3, 8, 6)
    horizon = np.full(6, 6)
    stacked = unroll(both, make_envs(COPY, MACHINE, 6), instance=batch, horizon=horizon)
    for index in range(2):
        rows = slice(3 * index, 3 * index + 3)
        envs = make_envs(COPY, MACHINE, 3)
        alone = unroll(both.member(index), envs, instance=batch.rows(rows), horizon=horizon[rows])
        torch.testing.assert_close(alone.returns[0], stacked.returns[index])
        torch.testing.assert_close(alone.entropy[0], stacked.entropy[index])


@pytest.mark.parametrize("kind", CONTROLLER_KINDS)
def test_the_hard_run_on_integers_equals_the_hard_environment_step_by_step(kind):
    agent = controller(kind, members=1)
    batch = COPY.sample(np.random.default_rng(1), np.arange(1, 9), 18)
    horizon = np.arange(3, 11)
    envs = gymnasium.make_vec(
        "NRAM/Copy-v0", num_envs=8, differentiable=True, hard=True, logit_scale=1.0, dtype="float64"
    )
    observations, _ = envs.reset(options={"instance": batch, "horizon": horizon})
    exact = agent.to(torch.float64)
    state = exact.initial_state(8)
    steps = [step.kept() for step in hard_steps(agent, batch.memory, horizon)]
    for step in steps:
        logits, state = exact(observations[None], state)
        observations, *_ = envs.step(logits[0])
        assert np.array_equal(envs.state.memory.argmax(-1).numpy(), step.memory)
        assert np.array_equal(envs.state.registers.argmax(-1).numpy(), step.registers)
    assert bool(envs.finished.all())
    wrong = (steps[-1].memory != batch.target) & batch.mask
    assert np.array_equal([wrong], hard_wrong(agent, batch, horizon))


def test_an_untrained_agent_is_wrong_everywhere_and_the_table_says_so():
    agent = Agent(controller(members=1), "copy")
    rows = [evaluate(agent, mode, n, examples=20, seed=0) for mode in MODES for n in (3, 5)]
    assert [(row.mode, row.n) for row in rows] == [("soft", 3), ("soft", 5), ("hard", 3), ("hard", 5)]
    assert all(row.exact_error > 0.9 and 0 < row.cell_error <= row.exact_error for row in rows)


@pytest.mark.parametrize("rows", [1, 3, 4, 9, 100])
def test_soft_runs_in_parts_equal_those_in_a_piece(monkeypatch, rows):
    stack, batch = controller(members=5), COPY.sample(np.random.default_rng(0), 3, 7, 20)
    horizon = np.arange(20) % 3 + 4
    whole = soft_wrong(stack, COPY, batch, horizon)
    monkeypatch.setattr("agents.rollout.SOFT_CELLS", rows * 7 * 7)
    assert np.array_equal(soft_wrong(stack, COPY, batch, horizon), whole)


def test_an_evaluation_draws_memory_sizes_unless_it_is_given_one():
    agent = Agent(controller(members=1), "copy")
    low, high = evaluate(agent, "hard", 3, 200, seed=0).memory_sizes
    assert low == 7
    assert high > 17
    given = evaluate(agent, "hard", 3, 200, seed=0, memory_size=9)
    assert (given.memory_sizes, given.examples) == ((9, 9), 200)


@pytest.mark.parametrize("kind", CONTROLLER_KINDS)
def test_members_on_mixed_sizes_are_as_wrong_as_each_alone_on_each_size(kind):
    both, rng = controller(kind), np.random.default_rng(0)
    batches = [COPY.sample(rng, n, memory_size, 5) for n, memory_size in ((1, 3), (3, 9), (3, 20))]
    mixed = join(COPY, batches)
    wrong = hard_wrong(both, mixed, mixed.horizon)
    for index in range(2):
        for part, batch in enumerate(batches):
            alone = hard_wrong(both.member(index), batch, np.full(5, COPY.horizon(batch.difficulty[0])))
            assert np.array_equal(wrong[index, 5 * part : 5 * part + 5, : batch.memory_size], alone[0])


def test_an_unknown_mode_is_refused():
    with pytest.raises(ValueError, match="did you mean 'hard'"):
        evaluate(Agent(controller(members=1), "copy"), "harder", 3, 10, seed=0)
