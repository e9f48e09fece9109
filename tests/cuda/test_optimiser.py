"""The step of a population by a card's kernel: clipping, noise and Adam as torch does them."""

import math
from dataclasses import replace

import pytest
import torch

from agents import optimiser
from agents.config import TrainConfig
from agents.cuda import optimiser as kernel
from agents.noise import gaussian
from agents.population import Population, start
from nram_env.machine.backends.cuda import kernels
from tests.cuda.emulator import emulated

CONFIG = TrainConfig(task="access")
STATE = ("parameters", "momentum", "variance")
KEY = (123, 2**32 - 5)


@pytest.fixture(autouse=True)
def no_library(monkeypatch):
    """On the processor the library would do what is to be done by the kernel."""
    monkeypatch.setattr(optimiser.library, "missing", lambda: "it stands aside")


def generator(seed):
    return torch.Generator().manual_seed(seed)


def members(count, columns, device="cpu", noise=0.5, **changes):
    """Members with few parameters, of various ages."""
    population = replace(
        start(CONFIG, count, generator(0)),
        parameters=torch.randn(count, columns, generator=generator(1)),
        momentum=torch.randn(count, columns, generator=generator(2)),
        variance=torch.rand(count, columns, generator=generator(3)),
        age=torch.arange(count) * 99,
        gradient_noise=torch.full((count,), noise),
    )
    return Population(*(values.to(device) for values in vars(replace(population, **changes)).values()))


def gradient_of(population, scale=1.0):
    return scale * torch.randn(population.parameters.shape, generator=generator(4)).to(
        population.parameters.device
    )


def assert_equal_to_torch(device, change, columns, noise=0.5, clip=1.0, tolerance=2e-6):
    """Some updates with gradients that `change` makes of normal ones, by both; nothing breaks."""
    ours, theirs = members(4, columns, device, noise), members(4, columns, noise=noise)
    for update in range(3):
        key = (KEY[0], KEY[1] + update)
        ours, finite = optimiser.step(ours, change(gradient_of(ours)), clip, key)
        theirs, wanted = optimiser.step(theirs, change(gradient_of(theirs)), clip, key, "reference")
        assert finite.tolist() == wanted.tolist() == [True] * 4
    for name in STATE:
        found, wanted = getattr(ours, name).cpu(), getattr(theirs, name)
        torch.testing.assert_close(found, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("columns", [1, 2, 3, 255, 256, 257, 512, 513, 1001])
@pytest.mark.parametrize("scale", [1e-4, 100.0])
def test_members_of_any_length_below_and_above_the_clip(device, columns, scale):
    assert_equal_to_torch(device, lambda gradient: scale * gradient, columns)


def test_a_gradient_of_zeros(device):
    assert_equal_to_torch(device, torch.zeros_like, 77, noise=0.0)


@pytest.mark.parametrize("clip", [1.0, 0.3, 1e9])
def test_a_norm_that_float32_cannot_square(device, clip):
    assert_equal_to_torch(device, lambda gradient: gradient.clamp(-3, 3) * 1e38, 700, clip=clip)


@pytest.mark.parametrize("place", [0, 150, 300])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("spoiled", ["gradient", "parameters"])
def test_a_broken_number_is_found_and_harms_no_other_member(device, spoiled, value, place):
    healthy, broken = members(3, 301, device), members(3, 301, device)
    gradient = gradient_of(healthy)
    optimiser.step(healthy, gradient, 1.0, KEY)
    (gradient if spoiled == "gradient" else broken.parameters)[1, place] = value
    _, finite = optimiser.step(broken, gradient, 1.0, KEY)
    assert finite.tolist() == [True, False, True]
    for index in (0, 2):
        assert torch.equal(broken.parameters[index], healthy.parameters[index])


@pytest.mark.parametrize("columns", [40, 41])
def test_the_noise_is_that_of_its_place(device, columns):
    young = {"momentum": torch.zeros(3, columns), "age": torch.zeros(3)}
    population = members(3, columns, device, 1.0, **young)
    optimiser.step(population, torch.zeros_like(population.parameters), 1.0, KEY)
    wanted = gaussian(KEY, 3, columns)
    torch.testing.assert_close(population.momentum.cpu() * 10, wanted, rtol=1e-6, atol=1e-6)


def test_no_bit_differs_between_runs(device, monkeypatch):
    results = []
    for seed in range(3):
        if device.type == "cpu":  # threads run in another order
            monkeypatch.setattr(kernels, "build", lambda *given, seed=seed: emulated(*given[:2], seed))
        population = members(2, 1001, device)
        optimiser.step(population, gradient_of(population, 10.0), 1.0, KEY)
        results.append(torch.cat([getattr(population, name) for name in STATE]))
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


def test_a_population_without_members_takes_no_launch(device):
    population = members(0, 5, device)
    _, finite = optimiser.step(population, torch.zeros_like(population.parameters), 1.0, KEY)
    assert finite.shape == (0,)


def test_arrays_that_do_not_fit_are_refused(device):
    population = members(2, 5, device)
    arrays = {name: getattr(population, name) for name in STATE}
    arrays |= {"gradient": gradient_of(population).double(), **optimiser._coefficients(population)}
    assert kernel.obstacle(arrays) == "gradient must be torch.float32, got torch.float64"
    with pytest.raises(ValueError, match=r"gradient must be torch.float32"):
        kernel.update(arrays, 1.0, KEY, optimiser.ADAM_BETAS)


def test_without_a_card_torch_steps_in(monkeypatch):
    monkeypatch.setattr(kernels, "build", None)
    ours, theirs = members(2, 9), members(2, 9)
    for population, backend in ((ours, "auto"), (theirs, "reference")):
        optimiser.step(population, gradient_of(population), 1.0, KEY, backend)
    assert torch.equal(ours.parameters, theirs.parameters)


def test_on_a_card_the_log_says_once_why_the_kernel_cannot_run(monkeypatch, caplog):
    class OnCard:
        is_cuda, device, shape = True, "a card", (2, 5)

    monkeypatch.setattr(kernels, "obstacle", lambda device: f"{device} is broken")
    monkeypatch.setattr(kernel.Update, "obstacle", lambda *given: None)
    assert not any(kernel.serves({"parameters": OnCard}) for _ in range(2))
    assert caplog.messages == [
        "the kernel of the optimiser cannot run, slower torch runs instead: a card is broken"
    ]
