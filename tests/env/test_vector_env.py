"""The vector environment: gradients, rewards, entropy, agreement with the single environment."""

import gymnasium as gym
import numpy as np
import pytest
import torch

import nram_env
from nram_env.envs import NRAMVectorEnv
from nram_env.machine import (
    expected_loss,
    halting_distribution,
    initial_state,
    mixture_loss,
    output_log_likelihood,
    output_probabilities,
    transition,
)
from nram_env.tasks import get_task, instance_of, task_names

gym.register_envs(nram_env)

DIFFICULTY = 3


def make(task="copy", num_envs=4, **arguments) -> NRAMVectorEnv:
    arguments = {"differentiable": True, "difficulty": DIFFICULTY} | arguments
    return gym.make_vec(get_task(task).environment_id, num_envs=num_envs, **arguments)


def random_actions(envs, seed=0, scale=0.1):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(
        envs.num_envs, envs.layout.size, generator=generator, dtype=envs.state.memory.dtype
    )


def play(envs, scale=0.1):
    """Random logits to the end; every step's actions, rewards and entropy."""
    steps = []
    while not envs.finished.all():
        actions = random_actions(envs, len(steps), scale).requires_grad_()
        steps.append((actions, envs.step(actions)[1], envs.entropy))
    return [torch.stack(part) if i else part for i, part in enumerate(zip(*steps, strict=True))]


def losses_by_definition(envs, actions, loss):
    """Loss of every row from the machine's own functions, over the whole horizon."""
    config, batch = envs.settings.rules.machine, envs.instance
    state = initial_state(config, batch.memory, dtype=envs.state.memory.dtype)
    target, mask = torch.tensor(batch.target), torch.tensor(batch.mask)
    halting, terms = [], []
    for action in actions:
        logits = envs.logit_scale * action
        state = transition(config, state, logits)
        halting.append(torch.sigmoid(logits[:, config.layout.halt]))
        score = output_log_likelihood if loss == "expected" else output_probabilities
        terms.append(score(state.memory, target, mask))
    function = expected_loss if loss == "expected" else mixture_loss
    return function(halting_distribution(torch.stack(halting, 1)), torch.stack(terms, 1))


@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("task", [*task_names()[:10], *task_names("NRAM-X")])
def test_the_undiscounted_return_is_minus_the_loss(task, loss):
    horizon = min(get_task(task).horizon(DIFFICULTY), 13)  # behind that some rows have surely ended
    envs = make(task, num_envs=16, loss=loss, horizon=horizon)
    envs.reset(seed=1)
    actions, rewards, _ = play(envs)
    assert envs.state.elapsed.tolist() == [horizon] * 16
    assert torch.allclose(-rewards.sum(0), losses_by_definition(envs, actions, loss), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("hard", [False, True])
def test_the_return_is_minus_the_loss_when_rows_end_early(loss, hard):
    envs = make(num_envs=64, loss=loss, hard=hard, dtype="float64")
    envs.reset(seed=1)
    output, returns = 0, 0
    while not envs.finished.all():
        before = envs.state
        _, rewards, *_ = envs.step(random_actions(envs, int(envs.state.elapsed.max()), scale=1.0))
        ended_here = before.survival - envs.state.survival
        output = output + ended_here[:, None, None] * envs.state.memory
        returns = returns + rewards
        if loss == "expected":
            returns = returns - ended_here * output_log_likelihood(
                envs.state.memory, envs.state.target, envs.state.mask
            )
    assert (envs.state.elapsed < envs.state.horizon).any()
    assert torch.allclose(envs.output, output)
    assert torch.allclose(envs.output.sum((1, 2)), torch.full((64,), 7.0, dtype=torch.float64))
    if loss == "mixture":
        returns = returns - output_log_likelihood(output, envs.state.target, envs.state.mask)
    assert returns.abs().max() < 1e-9


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_reach_the_first_timestep(dtype):
    envs = make(dtype=dtype)
    envs.reset(seed=0)
    actions, rewards, _ = play(envs)
    (-rewards.sum()).backward()
    assert len(actions) == get_task("copy").horizon(DIFFICULTY)
    assert all((action.grad.abs().sum(1) > 0).all() and action.grad.isfinite().all() for action in actions)


def test_the_gradient_of_a_whole_episode_equals_finite_differences():
    envs = make(num_envs=2, dtype="float64", difficulty=1, num_registers=2, gates=["READ", "INC", "WRITE"])

    def total(actions):
        envs.reset(options={"instance": instance_of(get_task("copy"), [[2, 1, 0], [2, 2, 0]])})
        return sum(envs.step(action)[1].sum() for action in actions)

    generator = torch.Generator().manual_seed(0)
    actions = 0.1 * torch.randn(4, 2, envs.layout.size, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(total, actions.requires_grad_())


def test_detach_state_stops_gradients_from_later_rewards():
    envs = make()
    envs.reset(seed=0)
    first = random_actions(envs).requires_grad_()
    envs.step(first)
    envs.detach_state()
    second = random_actions(envs, 1).requires_grad_()
    envs.step(second)[1].sum().backward()
    assert first.grad is None
    assert second.grad.abs().sum() > 0


def test_observations_and_entropy_keep_their_graph():
    envs = make()
    envs.reset(seed=0)
    actions = random_actions(envs).requires_grad_()
    observations = envs.step(actions)[0]
    (observations.sum() + envs.entropy.sum()).backward()
    assert actions.grad.abs().sum() > 0


@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("task", task_names()[:10])
def test_a_row_of_a_batch_equals_the_single_environment(task, hard, loss):
    arguments = {"hard": hard, "loss": loss, "num_registers": 4}
    envs = make(task, num_envs=3, differentiable=False, **arguments)
    single = gym.make(f"NRAM/{get_task(task).title}-v0", **arguments)
    difficulty = np.array([2, 4, 3])
    observations, infos = envs.reset(seed=3, options={"difficulty": difficulty})
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (20, 3, envs.layout.size)).astype(np.float32)
    actions[..., -1] -= 0.2 * (actions[..., -1] + 1)
    batch, together = envs.instance, [envs.step(row)[:3] for row in actions]
    for row in range(3):
        observation, info = single.reset(
            options={"instance": batch.rows(row), "horizon": int(infos["horizon"][row])}
        )
        assert np.array_equal(observation, observations[row])
        assert info["difficulty"] == difficulty[row]
        for action, (observed, rewards, terminated) in zip(actions, together, strict=True):
            observation, reward, ended, _, _ = single.step(action[row])
            assert np.allclose(observation, observed[row], atol=1e-6)
            assert np.isclose(reward, rewards[row], rtol=1e-6, atol=1e-6)
            assert ended == terminated[row]
            if ended:
                break


def test_a_finished_row_is_frozen_and_earns_nothing():
    envs = make(num_envs=3)
    envs.reset(seed=0, options={"horizon": [1, 3, 5]})
    envs.step(random_actions(envs))
    assert envs.finished.tolist() == [True, False, False]
    frozen = envs.state
    for step in range(1, 5):
        before = envs.finished
        _, rewards, terminated, truncated, infos = envs.step(random_actions(envs, step))
        assert rewards[0] == 0
        assert envs.entropy[0] == 0
        assert terminated.tolist() == (envs.finished & ~before).tolist()
        assert not truncated.any()
        assert infos["_survival"].tolist() == (~before).tolist()
    assert torch.equal(envs.state.memory[0], frozen.memory[0])
    assert torch.equal(envs.state.registers[0], frozen.registers[0])
    assert envs.state.elapsed.tolist() == [1, 3, 5]
    assert not torch.equal(envs.state.memory[2], frozen.memory[2])


def test_a_row_ends_once_its_survival_is_below_a_millionth():
    envs = make(num_envs=2)
    envs.reset(seed=0)
    actions = torch.zeros(2, envs.layout.size)
    actions[:, envs.layout.halt] = torch.tensor([2.0, 0.0])
    terminated = envs.step(actions)[2]
    assert terminated.tolist() == [True, False]
    assert envs.state.survival.tolist() == [0.0, 0.5]
    memory = envs.state.memory
    assert torch.allclose(envs.output[0], memory[0])


def test_the_last_step_of_a_row_takes_all_the_survival_that_is_left():
    envs = make(num_envs=2)
    envs.reset(seed=0, options={"horizon": 2})
    halts = torch.zeros(2, envs.layout.size)
    halts[:, envs.layout.halt] = -3.0
    envs.step(halts)
    envs.step(halts)
    assert envs.finished.all()
    assert torch.allclose(envs.output.sum((1, 2)), torch.tensor(7.0))


def test_the_entropy_is_that_of_the_selectors():
    envs = make(num_envs=2)
    envs.reset(seed=0)
    envs.step(torch.zeros(2, envs.layout.size))
    uniform = sum(np.log(count) for count in envs.layout.choice_counts)
    assert torch.allclose(envs.entropy, torch.full((2,), uniform, dtype=torch.float32))


def test_the_numpy_handle_gives_the_numbers_of_the_differentiable_one():
    torch_envs, numpy_envs = make(num_envs=3), make(num_envs=3, differentiable=False)
    torch_envs.reset(seed=0)
    numpy_envs.reset(seed=0)
    for step in range(6):
        actions = random_actions(torch_envs, step).clamp(-1, 1)
        outcome, arrays = torch_envs.step(actions), numpy_envs.step(actions.numpy())
        for tensor, array in zip(outcome[:4], arrays[:4], strict=True):
            assert isinstance(array, np.ndarray)
            assert np.allclose(tensor.numpy(), array, atol=1e-6)
    assert np.array_equal(torch_envs.wrong_cells().numpy(), numpy_envs.wrong_cells().numpy())
