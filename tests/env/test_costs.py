"""What timesteps cost: the return is minus the loss with both costs in it, and p_t says when a run ends."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded
from gymnasium.vector import SyncVectorEnv

from nram_env.envs import NRAMVectorEnv
from nram_env.tasks import get_task, instance_of

COSTS = {"step_cost": 0.25, "unfinished_cost": 3.0}
HORIZONS = np.arange(64) % 6 + 1
MILLIONTH = 1e-6
"""Below this survival a run has ended."""


def make(num_envs: int = 64, **arguments: object) -> NRAMVectorEnv:
    arguments = {"differentiable": True, "difficulty": 3, "dtype": "float64"} | arguments
    return gym.make_vec("NRAM/Copy-v0", num_envs=num_envs, **arguments)


def play(envs: NRAMVectorEnv, scale: float = 1.0, horizon: object = HORIZONS) -> dict[str, torch.Tensor]:
    """Random logits to the end: returns (B,), p_t (T, B) and halting logits (T, B)."""
    envs.reset(seed=1, options={"horizon": horizon})
    generator, steps = torch.Generator().manual_seed(0), []
    while not envs.finished.all():
        shape = (envs.num_envs, envs.layout.size)
        actions = scale * torch.randn(shape, generator=generator, dtype=torch.float64)
        rewards = envs.step(actions)[1]
        steps.append((rewards, envs.halting, envs.logit_scale * actions[:, envs.layout.halt]))
    rewards, halting, logits = map(torch.stack, zip(*steps, strict=True))
    return {"returns": rewards.sum(0), "halting": halting, "logits": logits}


def cost_by_definition(logits: torch.Tensor, horizon: int, hard: bool) -> float:
    """Of one row, in Python's numbers: its survival before every timestep, and what the horizon finds."""
    survival, cost = 1.0, 0.0
    for step, logit in enumerate(logits[:horizon].tolist(), start=1):
        cost += COSTS["step_cost"] * survival
        f = float(logit > 0) if hard else 1 / (1 + np.exp(-logit))
        if step == horizon:
            return cost + COSTS["unfinished_cost"] * survival
        survival *= 1 - f
        if survival < MILLIONTH:
            return cost
    raise AssertionError("the run has no end")


@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("hard", [False, True])
def test_the_return_is_minus_the_loss_with_the_costs_in_it(loss, hard):
    free, costly = (play(make(loss=loss, hard=hard, **costs)) for costs in ({}, COSTS))
    wanted = [
        cost_by_definition(free["logits"][:, row], int(horizon), hard) for row, horizon in enumerate(HORIZONS)
    ]
    found = free["returns"] - costly["returns"]
    torch.testing.assert_close(found, torch.tensor(wanted, dtype=torch.float64), rtol=1e-9, atol=1e-9)
    assert len(set(found.tolist())) > 5, "rows end at many timesteps, some of them by themselves"


@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("name", list(COSTS))
def test_each_cost_is_taken_off_by_itself(name, loss):
    free, costly = (play(make(loss=loss, **costs)) for costs in ({}, {name: COSTS[name]}))
    halting = free["halting"]
    steps = torch.arange(1, len(halting) + 1, dtype=torch.float64)[:, None]
    last = steps == torch.from_numpy(HORIZONS)
    units = (halting * (steps if name == "step_cost" else last)).sum(0)
    torch.testing.assert_close(free["returns"] - costly["returns"], COSTS[name] * units, rtol=0, atol=2e-5)


@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("hard", [False, True])
def test_p_t_sums_to_one_and_is_nothing_once_a_row_has_ended(loss, hard):
    halting = play(make(loss=loss, hard=hard))["halting"]
    torch.testing.assert_close(halting.sum(0), torch.ones(64, dtype=torch.float64))
    assert (halting >= 0).all()
    for row, horizon in enumerate(HORIZONS):
        assert not halting[horizon:, row].any()
    if hard:
        assert set(halting.flatten().tolist()) == {0.0, 1.0}


def test_there_is_no_p_t_before_the_first_timestep():
    envs = make(2)
    with pytest.raises(ResetNeeded, match="there is no timestep yet"):
        envs.halting  # noqa: B018
    envs.reset(seed=0)
    assert envs.halting.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("loss", ["expected", "mixture"])
def test_the_gradient_of_costly_episodes_equals_finite_differences(loss):
    envs = make(1, difficulty=1, num_registers=2, gates=["READ", "INC", "WRITE"], loss=loss, **COSTS)
    instance = instance_of(get_task("copy"), [[2, 1, 0]])

    def total(actions: torch.Tensor) -> torch.Tensor:
        envs.reset(options={"instance": instance, "horizon": 3})
        rewards, halting = [], []
        for action in actions:
            rewards.append(envs.step(action)[1])
            halting.append(envs.halting)
        return torch.stack([torch.stack(rewards).sum(), torch.stack(halting)[1].sum()])

    generator = torch.Generator().manual_seed(0)
    actions = 0.1 * torch.randn(3, 1, envs.layout.size, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(total, actions.requires_grad_())


def test_a_cut_graph_cuts_p_t_too():
    envs = make(2)
    envs.reset(seed=0)
    envs.step(torch.zeros(2, envs.layout.size, dtype=torch.float64, requires_grad=True))
    assert envs.halting.requires_grad
    envs.detach_state()
    assert not envs.halting.requires_grad


@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("hard", [False, True])
def test_single_environments_side_by_side_give_the_rewards_of_the_vector_environment(loss, hard):
    arguments = {"difficulty": 2, "hard": hard, "loss": loss, **COSTS}
    envs = gym.make_vec("NRAM/Copy-v0", num_envs=3, **arguments)
    singles = SyncVectorEnv([lambda: gym.make("NRAM/Copy-v0", **arguments)] * 3)
    envs.reset(seed=1)
    for single, memory in zip(singles.envs, envs.instance.memory, strict=True):
        assert single.unwrapped.settings.rules.step_cost == COSTS["step_cost"]
        single.reset(options={"instance": instance_of(get_task("copy"), [memory.tolist()])})
    rng = np.random.default_rng(0)
    ended = np.zeros(3, dtype=bool)
    for _ in range(get_task("copy").horizon(2)):
        actions = rng.uniform(-1, 1, (3, envs.single_action_space.shape[0])).astype(np.float32)
        actions[:, -1] = [-0.1, 0.0, -0.3]
        _, rewards, terminated, *_ = envs.step(actions)
        for row in np.flatnonzero(~ended):
            _, reward, over, *_ = singles.envs[row].step(actions[row])
            assert reward == pytest.approx(rewards[row], rel=1e-6, abs=1e-6)
            assert over == terminated[row]
        assert not rewards[ended].any(), "the step that resets a row costs nothing"
        if (ended & ~terminated).any():
            break
        ended |= terminated
    assert ended.any()


@pytest.mark.parametrize("name", list(COSTS))
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (-0.5, "-0.5"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ("1", "'1'"),
        (True, "True"),
        (None, "None"),
    ],
)
@pytest.mark.parametrize("maker", [gym.make, gym.make_vec])
def test_a_cost_that_is_none_is_one_clear_error(maker, name, value, said):
    with pytest.raises(ValueError, match=rf"^{name} must be a number in 0..3.4e\+38, got {said}$"):
        maker("NRAM/Copy-v0", **{name: value})


def test_costs_are_kept_as_plain_numbers():
    env = gym.make("NRAM/Copy-v0", step_cost=np.float32(0.5), unfinished_cost=2)
    assert (env.unwrapped.settings.step_cost, env.unwrapped.settings.unfinished_cost) == (0.5, 2.0)
    assert gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json())).spec == env.spec
