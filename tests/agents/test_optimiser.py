"""One step of the population: clipping, noise and Adam, by torch and by the library."""

import math
from dataclasses import replace

import pytest
import torch

from agents import library, optimiser
from agents.config import TrainConfig
from agents.noise import gaussian, threefry
from agents.population import Population, start

built = pytest.mark.skipif(not library.LIBRARY_FILE.exists(), reason="the native library was not built here")
INSTRUCTION_SETS = range(library.best_instruction_set() + 1 if library.LIBRARY_FILE.exists() else 1)
CONFIG = TrainConfig(task="access")
STATE = ("parameters", "momentum", "variance")
NO_CLIP = 1e9


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def members(count: int, columns: int = 37, noise: float = 0.5) -> Population:
    """Members with few parameters, of various ages."""
    population = start(CONFIG, count, generator())
    return replace(
        population,
        parameters=torch.randn(count, columns, generator=generator(1)),
        momentum=torch.randn(count, columns, generator=generator(2)),
        variance=torch.rand(count, columns, generator=generator(3)),
        age=torch.arange(count) * 99,
        gradient_noise=torch.full((count,), noise),
    )


def copy_of(population: Population) -> Population:
    return Population(*(values.clone() for values in vars(population).values()))


def gradient_of(population: Population, scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(population.parameters.shape, generator=generator(4))


@pytest.mark.parametrize(
    ("key", "counter", "words"),
    [  # the known answers of Random123, the authors' library
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_gives_its_known_answers(key, counter, words):
    found = threefry(key, *(torch.tensor([word]) for word in counter))
    assert tuple(word.item() for word in found) == words


def test_the_noise_is_standard_normal():
    noise = gaussian((5, 6), 64, 4001).double()
    assert noise.mean().item() == pytest.approx(0, abs=0.01)
    assert noise.var().item() == pytest.approx(1, abs=0.01)
    assert (noise**4).mean().item() == pytest.approx(3, abs=0.1)
    assert (noise.abs() < 1).double().mean().item() == pytest.approx(math.erf(1 / math.sqrt(2)), abs=0.005)
    half = noise[:, :2000]
    assert (half * noise[:, 2001:]).mean().item() == pytest.approx(0, abs=0.01)
    assert (half[:-1] * half[1:]).mean().item() == pytest.approx(0, abs=0.01)


def test_the_noise_differs_between_updates_seeds_and_members():
    noises = [gaussian(key, 2, 8) for key in ((1, 2), (1, 3), (2, 2))]
    rows = torch.cat(noises)
    assert (rows[:, None] != rows[None]).any(-1).sum() == 6 * 5


@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_the_gradient_norm_is_clipped_row_by_row(backend):
    quiet = replace(members(2, 2, noise=0.0), momentum=torch.zeros(2, 2))
    gradient = torch.tensor([[3.0, 4.0], [0.3, 0.4]])
    optimiser.step(quiet, gradient, 1.0, (0, 0), backend)
    torch.testing.assert_close(quiet.momentum, 0.1 * torch.tensor([[0.6, 0.8], [0.3, 0.4]]))


@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_gradient_noise_decays_with_the_age_of_the_member(backend):
    population = members(3, 20_000)
    population = replace(
        population, age=torch.tensor([0, 99, 9999]), momentum=torch.zeros_like(population.momentum)
    )
    optimiser.step(population, torch.zeros_like(population.parameters), 1.0, (0, 0), backend)
    expected = 0.1 * 0.5 * torch.tensor([1.0, 100.0, 10_000.0]) ** (-0.55 / 2)
    torch.testing.assert_close(population.momentum.std(1), expected, rtol=0.05, atol=0)


@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_adam_agrees_with_torch_for_each_learning_rate(backend):
    population = start(CONFIG, 2, generator())
    population = replace(population, gradient_noise=torch.zeros(2))
    own = [torch.nn.Parameter(row.clone()) for row in population.parameters]
    optimisers = [
        torch.optim.Adam([parameter], lr=rate.item(), betas=optimiser.ADAM_BETAS, eps=optimiser.ADAM_EPSILON)
        for parameter, rate in zip(own, population.learning_rate, strict=True)
    ]
    for update in range(5):
        gradient = torch.randn(population.parameters.shape, generator=generator(update))
        population, finite = optimiser.step(population, gradient, NO_CLIP, (0, update), backend)
        assert finite.all()
        for parameter, row, torch_adam in zip(own, gradient, optimisers, strict=True):
            parameter.grad = row.clone()
            torch_adam.step()
    torch.testing.assert_close(population.parameters, torch.stack([p.detach() for p in own]))
    assert population.age.tolist() == population.tenure.tolist() == [5, 5]


@built
@pytest.mark.parametrize("instruction_set", INSTRUCTION_SETS)
@pytest.mark.parametrize("columns", [1, 2, 15, 32, 37, 1000])
def test_the_library_equals_torch(instruction_set, columns, monkeypatch):
    monkeypatch.setattr(library, "best_instruction_set", lambda: instruction_set)
    fused, reference = members(5, columns), members(5, columns)
    for update in range(3):
        gradient = gradient_of(fused, scale=10.0**update / 10)
        key = (123, 2**32 - 1 - update)
        optimiser.step(fused, gradient, 1.0, key, "fused")
        optimiser.step(reference, gradient, 1.0, key, "reference")
    for name in STATE:
        found, wanted = getattr(fused, name), getattr(reference, name)
        torch.testing.assert_close(found, wanted, rtol=2e-5, atol=2e-6)


@built
def test_the_number_of_threads_changes_no_bit():
    alone, shared = members(64, 5000), members(64, 5000)
    optimiser.step(alone, gradient_of(alone), 1.0, (1, 2), "fused")
    torch.set_num_threads(3)
    try:
        optimiser.step(shared, gradient_of(shared), 1.0, (1, 2), "fused")
    finally:
        torch.set_num_threads(1)
    assert all(torch.equal(getattr(alone, name), getattr(shared, name)) for name in STATE)


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("place", [0, 16, 36])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_broken_number_is_found_and_harms_no_other_member(backend, place, value):
    healthy = members(4)
    for spoiled in ("gradient", "parameters"):
        broken = copy_of(healthy)
        gradient = gradient_of(broken)
        (gradient if spoiled == "gradient" else broken.parameters)[2, place] = value
        beside = copy_of(healthy)
        optimiser.step(beside, gradient_of(beside), 1.0, (0, 0), backend)
        _, finite = optimiser.step(broken, gradient, 1.0, (0, 0), backend)
        assert finite.tolist() == [True, True, False, True]
        for index in (0, 1, 3):
            assert torch.equal(broken.parameters[index], beside.parameters[index])


@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_large_finite_numbers_are_no_broken_ones(backend):
    population = members(2, 100)
    gradient = torch.full_like(population.parameters, 3e38)
    _, finite = optimiser.step(population, gradient, 1.0, (0, 0), backend)
    assert finite.all()


@built
@pytest.mark.parametrize("shape", [(1, 1), (3, 16), (2, 1001), (5, 0)])
def test_rows_that_are_not_finite_are_found_by_both(shape):
    values = torch.full(shape, -3e38)
    assert library.finite_rows(values).tolist() == values.isfinite().all(1).tolist() == [True] * shape[0]
    if values.numel():
        for place in {0, shape[1] // 2, shape[1] - 1}:
            spoiled = values.clone()
            spoiled[-1, place] = math.nan
            assert library.finite_rows(spoiled).tolist() == [True] * (shape[0] - 1) + [False]


@built
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda g: g.double(), r"gradient must be torch.float32, got torch.float64; backend='reference' can"),
        (lambda g: g.t().contiguous().t(), r"gradient must be contiguous, got strides"),
        (lambda g: g[:, 1:], r"gradient must have shape \(P, N\) = \(2, 37\), got \(2, 36\)"),
    ],
)
def test_a_gradient_that_does_not_fit_is_refused(change, message):
    population = members(2)
    with pytest.raises(ValueError, match=message):
        optimiser.step(population, change(gradient_of(population)), 1.0, (0, 0), "fused")
