"""Sharp registers: p_i^2 / sum_j p_j^2 after each timestep of the differentiable machine; their noise."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from nram_env.envs import NRAMVectorEnv
from nram_env.envs.sharpness import noise, sharpened
from nram_env.tasks import get_task, instance_of

ROWS = 6


def make(**arguments: object) -> NRAMVectorEnv:
    arguments = {"num_envs": ROWS, "differentiable": True, "dtype": "float64", "difficulty": 3} | arguments
    return gym.make_vec("NRAM/Copy-v0", **arguments)


def play(envs: NRAMVectorEnv, timesteps: int, **options: object) -> list[torch.Tensor]:
    """Registers (B, R, M) after each timestep of random actions that never stop of themselves."""
    envs.reset(seed=1, options={"horizon": 8} | options)
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
    found = play(make(sharp_registers=True), 6, horizon=horizon)
    for row, last in enumerate(horizon):
        for after in found[last:]:
            assert torch.equal(after[row], found[last - 1][row])


def test_hard_runs_are_the_same():
    plain, sharp = (play(make(hard=True, **options), 5) for options in ({}, {"sharp_registers": True}))
    assert all(torch.equal(before, after) for before, after in zip(plain, sharp, strict=True))


@pytest.mark.parametrize("noisy", [False, True])
def test_gradients_pass(noisy):
    envs = make(sharp_registers=True, noisy_registers=noisy)
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


NOISY = {"sharp_registers": True, "noisy_registers": True}


def test_noise_is_a_function_of_chance_alone():
    chance = [1, 2, 3, 4, 5, 6]
    found, again, other = (
        torch.stack(play(make(**NOISY), 3, chance=chance)) for chance in (chance, chance, [*chance[:-1], 7])
    )
    assert torch.equal(found, again)
    assert [torch.equal(*pair) for pair in zip(found[0], other[0], strict=True)] == [True] * 5 + [False]


def test_without_chance_there_is_no_noise():
    sharp, noisy = play(make(sharp_registers=True), 3), play(make(**NOISY), 3, chance=0)
    assert all(torch.equal(*pair) for pair in zip(sharp, noisy, strict=True))


def test_registers_and_timesteps_have_noise_of_their_own():
    envs = make(**NOISY)
    envs.reset(seed=1)
    seen = set()
    for _ in range(2):
        envs.step(torch.zeros((ROWS, envs.layout.size), dtype=torch.float64))
        rows = envs.state.registers.flatten(0, 1)
        assert (rows.sum(-1) - 1).abs().max() < 1e-12
        seen |= {tuple(row.tolist()) for row in rows}
    assert len(seen) == 2 * len(rows)


def test_a_register_that_holds_two_values_equally_comes_down_on_either_of_them():
    words = np.random.default_rng(0).integers(1, 2**31, 1000)
    registers = torch.tensor([0.5, 0.0, 0.5], dtype=torch.float64).expand(1000, 1, 3)
    drawn = noise(torch.from_numpy(words), torch.zeros(1000, dtype=torch.int64), 1, 3)
    first = sharpened(registers, drawn)[:, 0, 0]
    assert 0.45 < float((first > 0.5).double().mean()) < 0.55
    assert float(((first < 0.2) | (first > 0.8)).double().mean()) == pytest.approx(0.5, abs=0.05)


def test_noise_is_uniform():
    words = np.random.default_rng(0).integers(1, 2**31, 500)
    drawn = noise(torch.from_numpy(words), torch.arange(500), 4, 10).flatten().sort().values
    assert 0 < drawn[0] < drawn[-1] < 1
    assert (drawn - torch.linspace(0, 1, len(drawn))).abs().max() < 0.015
    pairs = noise(torch.from_numpy(words), torch.arange(500), 4, 10).flatten(1).T
    assert (torch.corrcoef(pairs) - torch.eye(40)).abs().max() < 0.2


def test_a_reset_draws_chance_from_the_seed_after_the_instance():
    plain, noisy = make(sharp_registers=True), make(**NOISY)
    for envs in (plain, noisy):
        envs.reset(seed=3)
    assert torch.equal(plain.state.memory, noisy.state.memory)
    assert plain.state.chance.eq(0).all()
    assert noisy.state.chance.gt(0).all()
    first = noisy.state.chance
    noisy.reset(seed=3)
    assert torch.equal(noisy.state.chance, first)
    noisy.reset()
    assert not torch.equal(noisy.state.chance, first)


def test_hard_runs_draw_no_chance():
    envs = make(hard=True, **NOISY)
    envs.reset(seed=3)
    assert envs.state.chance.eq(0).all()


def test_noise_goes_on_from_a_saved_state():
    envs = make(**NOISY)
    envs.reset(seed=1)
    actions = torch.zeros((ROWS, envs.layout.size), dtype=torch.float64)
    envs.step(actions)
    saved = envs.state
    envs.step(actions)
    after = envs.state.registers
    envs.reset(seed=2)
    envs.set_state(saved)
    envs.step(actions)
    assert torch.equal(envs.state.registers, after)


def test_the_single_environment_has_the_noise_of_a_batch():
    single = gym.make("NRAM/Copy-v0", difficulty=3, **NOISY).unwrapped
    batch = make(dtype="float32", **NOISY)
    instance = instance_of(get_task("copy"), [[4, 1, 2, 3, 0, 0, 0]])
    single.reset(options={"instance": instance, "chance": 9})
    batch.reset(options={"instance": instance_of(get_task("copy"), [instance.memory[0]] * ROWS), "chance": 9})
    single.step(np.zeros(single.layout.size, np.float32))
    batch.step(torch.zeros(ROWS, single.layout.size))
    torch.testing.assert_close(single.state.registers[0], batch.state.registers[0])


@pytest.mark.parametrize(
    ("arguments", "chance", "message"),
    [
        ({"noisy_registers": True}, None, "noisy_registers needs sharp_registers"),
        (
            {"noisy_registers": 1, "sharp_registers": True},
            None,
            "noisy_registers must be True or False, got 1",
        ),
        ({}, 1, "chance needs noisy_registers=True, got chance=1"),
        (NOISY, -1, "chance must be an integer of at least 0 or an array"),
        (NOISY, 2**31, "chance must be at most 2147483647, got 2147483648"),
        (NOISY, [1, 2], "chance must be an integer of at least 0 or an array"),
    ],
)
def test_what_is_not_right_is_refused(arguments, chance, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments).reset(options={"chance": chance})
