"""Sharp registers: p_i^2 / sum_j p_j^2 after each timestep of the differentiable machine, nothing else."""

import gymnasium as gym
import pytest
import torch

from nram_env.envs import NRAMVectorEnv

ROWS = 6


def make(**arguments: object) -> NRAMVectorEnv:
    arguments = {"num_envs": ROWS, "differentiable": True, "dtype": "float64", "difficulty": 3} | arguments
    return gym.make_vec("NRAM/Copy-v0", **arguments)


def play(envs: NRAMVectorEnv, timesteps: int, horizon: object = 8) -> list[torch.Tensor]:
    """Registers (B, R, M) after each timestep of random actions that never stop of themselves."""
    envs.reset(seed=1, options={"horizon": horizon})
    generator, found = torch.Generator().manual_seed(0), []
    for _ in range(timesteps):
        actions = torch.randn((ROWS, envs.layout.size), generator=generator, dtype=torch.float64)
        actions[:, envs.layout.halt] = -1.0
        observed = envs.step(0.3 * actions)[0]
        assert torch.equal(observed, envs.state.registers[..., 0])
        found.append(envs.state.registers)
    return found


def test_the_first_timestep_leaves_the_squares_of_what_it_would_have_left():
    (plain,), (sharp,) = play(make(), 1), play(make(sharp_registers=True), 1)
    assert not torch.equal(plain, sharp)
    torch.testing.assert_close(sharp, plain**2 / (plain**2).sum(-1, keepdim=True))


def test_memory_after_the_first_timestep_is_the_same():
    envs = make(), make(sharp_registers=True)
    for env in envs:
        play(env, 1)
    assert torch.equal(envs[0].state.memory, envs[1].state.memory)


def test_rows_that_have_finished_stay_as_they_are():
    horizon = [1, 2, 3, 4, 5, 6]
    found = play(make(sharp_registers=True), 6, horizon)
    for row, last in enumerate(horizon):
        for after in found[last:]:
            assert torch.equal(after[row], found[last - 1][row])


def test_hard_runs_are_the_same():
    plain, sharp = (play(make(hard=True, **options), 5) for options in ({}, {"sharp_registers": True}))
    assert all(torch.equal(before, after) for before, after in zip(plain, sharp, strict=True))


def test_gradients_pass():
    envs = make(sharp_registers=True)
    generator = torch.Generator().manual_seed(0)
    shape = (3, ROWS, envs.layout.size)
    actions = torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()

    def score(actions: torch.Tensor) -> torch.Tensor:
        envs.reset(seed=1, options={"horizon": 3})
        return sum(envs.step(0.3 * action)[1].sum() for action in actions)

    (gradient,) = torch.autograd.grad(score(actions), actions)
    direction = torch.randn(shape, generator=generator, dtype=torch.float64)
    step = 1e-6 * direction
    with torch.no_grad():
        slope = (score(actions + step) - score(actions - step)) / 2e-6
    torch.testing.assert_close((gradient * direction).sum(), slope, rtol=1e-6, atol=1e-9)


def test_only_true_and_false_are_taken():
    with pytest.raises(ValueError, match=r"sharp_registers must be True or False, got 2"):
        make(sharp_registers=2)
