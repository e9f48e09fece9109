"""Runs followed to their end: the fused backend equals the reference, and a finished run stands still."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from nram_env.machine import MachineConfig, MachineState, Runs, Timestep, timestep
from nram_env.machine.backends import library

built = pytest.mark.skipif(not library.LIBRARY_FILE.exists(), reason="the native library was not built here")
INSTRUCTION_SETS = range(library.best_instruction_set() + 1 if library.LIBRARY_FILE.exists() else 1)
BACKENDS = [pytest.param("fused", marks=built), "reference"]
CONFIG, BATCH, SIZE, FLOOR = MachineConfig(3), 37, 6, 0.1
WITH_GRADIENT = (
    "registers",
    "memory",
    "survival",
    "entropy",
    "halting_entropy",
    "log_likelihood",
    "halting",
    "zero_probs",
)


@pytest.fixture(params=INSTRUCTION_SETS, ids=lambda index: library.INSTRUCTION_SETS[index])
def instruction_set(request, monkeypatch):
    """Every instruction set that this processor has, in turn."""
    monkeypatch.setattr(library, "best_instruction_set", lambda: request.param)


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def problem() -> tuple[list[Tensor], Runs]:
    """Rows that had finished, that end by the clock, that end below the floor, and that go on."""
    registers = torch.softmax(torch.randn(BATCH, 3, SIZE, generator=chance(1)), -1)
    memory = torch.softmax(torch.randn(BATCH, SIZE, SIZE, generator=chance(2)), -1)
    finished = torch.arange(BATCH) % 5 == 1
    survival = torch.rand(BATCH, generator=chance(3)).masked_fill(finished, 0.0)
    logits = torch.randn(BATCH, CONFIG.layout.size, generator=chance(4))
    horizon = 3 + torch.arange(BATCH) % 3
    elapsed = torch.full((BATCH,), 2)
    output = torch.rand(BATCH, SIZE, SIZE, generator=chance(5))
    return [registers, memory, survival, logits], Runs(horizon, elapsed, finished, output, FLOOR)


def solve(backend: str, inputs: list[Tensor], runs: Runs, **options: object) -> Timestep:
    target = torch.randint(SIZE, (BATCH, SIZE), generator=chance(6))
    mask = torch.rand(BATCH, SIZE, generator=chance(7)) < 0.5
    state, logits = MachineState(*inputs[:3]), inputs[3]
    return timestep(
        CONFIG, state, logits, target=target, mask=mask, runs=runs, rescale=True, backend=backend, **options
    )


def named(result: Timestep) -> dict[str, Tensor]:
    assert result.followed is not None
    scores = {name: getattr(result, name) for name in ("entropy", "halting_entropy", "log_likelihood")}
    return {**vars(result.state), **scores, **vars(result.followed)}


def gradients(backend: str, names: tuple[str, ...], **options: object) -> list[Tensor]:
    inputs, runs = problem()
    inputs = [tensor.requires_grad_() for tensor in inputs]
    outputs = named(solve(backend, inputs, runs, **options))
    upstream = [torch.randn(outputs[name].shape, generator=chance(8)) for name in names]
    for name, upper in zip(names, upstream, strict=True):
        if name == "log_likelihood":  # a finished run halts with probability 0, and so has no use for it
            upper[runs.finished] = 0.0
    loss = sum((outputs[name] * upper).sum() for name, upper in zip(names, upstream, strict=True))
    found = torch.autograd.grad(loss, inputs, allow_unused=True)
    return [torch.zeros_like(a) if b is None else b for a, b in zip(inputs, found, strict=True)]


@built
def test_what_is_left_of_a_run_equals_the_reference(instruction_set):
    fused, reference = (named(solve(backend, *problem())) for backend in ("fused", "reference"))
    finished = problem()[1].finished
    for name, values in reference.items():
        if name == "log_likelihood":
            values, fused[name] = values[~finished], fused[name][~finished]
        torch.testing.assert_close(fused[name], values, rtol=1e-5, atol=1e-5, msg=name)


@built
@pytest.mark.parametrize("clip", [None, 0.05])
@pytest.mark.parametrize(
    "names", [WITH_GRADIENT, *((name,) for name in WITH_GRADIENT), ("memory", "zero_probs")]
)
def test_the_gradients_of_runs_equal_the_reference(instruction_set, names, clip):
    found, wanted = (gradients(backend, names, activation_clip=clip) for backend in ("fused", "reference"))
    for one, other in zip(found, wanted, strict=True):
        assert (one - other).abs().max() <= 1e-5 * other.abs().max() + 1e-30


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_run_ends_by_the_clock_or_below_the_floor(backend):
    inputs, runs = problem()
    result = solve(backend, inputs, runs)
    free = timestep(CONFIG, MachineState(*inputs[:3]), inputs[3], backend=backend).state.survival
    ends = runs.finished | (runs.horizon == 3) | (free < FLOOR)
    assert 0 < ends.sum() < BATCH
    assert ((free < FLOOR) & ~runs.finished & (runs.horizon > 3)).any()
    assert result.followed is not None
    assert torch.equal(result.followed.finished, ends)
    assert torch.equal(result.followed.elapsed, torch.where(runs.finished, 2, 3))
    assert torch.equal(result.state.survival, free.masked_fill(ends, 0.0))
    assert torch.equal(result.followed.halting, inputs[2] - result.state.survival)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_finished_run_stands_still_whatever_is_done_to_it(backend):
    inputs, runs = problem()
    still = runs.finished
    inputs[3][still] *= 100
    inputs = [tensor.requires_grad_() for tensor in inputs]
    after = named(solve(backend, inputs, runs))
    for name, before in (("registers", inputs[0]), ("memory", inputs[1]), ("output", runs.output)):
        assert torch.equal(after[name][still], before[still]), name
    assert not after["entropy"][still].any()
    assert not after["halting_entropy"][still].any()
    upper = torch.randn(BATCH, SIZE, SIZE, generator=chance(9))
    of_memory, of_logits = torch.autograd.grad((after["memory"] * upper)[still].sum(), [inputs[1], inputs[3]])
    assert torch.equal(of_memory[still], upper[still])
    if backend == "fused":
        assert not of_logits.any()


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_a_run_puts_out_is_the_memory_weighted_by_the_halting_probability(backend):
    inputs, runs = problem()
    result = solve(backend, inputs, runs)
    assert result.followed is not None
    added = result.followed.halting[:, None, None] * result.state.memory
    torch.testing.assert_close(result.followed.output, runs.output + added)
    assert torch.equal(result.followed.zero_probs, result.state.registers[..., 0])


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        (
            "horizon",
            torch.zeros(BATCH),
            "horizon of the runs must be torch.int64 of shape .* got torch.float32",
        ),
        (
            "elapsed",
            torch.zeros(2, dtype=torch.int64),
            r"elapsed of the runs must be .* got torch.int64 of \(2,\)",
        ),
        ("finished", torch.zeros(BATCH, dtype=torch.int64), "finished of the runs must be torch.bool"),
        ("output", torch.zeros(BATCH, SIZE), "output of the runs must be torch.float32"),
    ],
)
def test_runs_that_do_not_fit_are_refused(backend, name, values, message):
    inputs, runs = problem()
    with pytest.raises(ValueError, match=message):
        solve(backend, inputs, replace(runs, **{name: values}))


@built
@pytest.mark.parametrize("name", ["horizon", "elapsed", "finished", "output"])
def test_runs_that_lie_apart_are_refused_by_fused_and_run_with_auto(name):
    inputs, runs = problem()
    values = getattr(runs, name)
    apart = replace(runs, **{name: torch.stack([values, values], dim=-1)[..., 0]})
    with pytest.raises(ValueError, match=f"{name} must be contiguous"):
        solve("fused", inputs, apart)
    assert solve("auto", inputs, apart).followed is not None


@pytest.mark.parametrize("backend", BACKENDS)
def test_without_runs_nothing_is_followed(backend):
    inputs, _ = problem()
    assert timestep(CONFIG, MachineState(*inputs[:3]), inputs[3], backend=backend).followed is None
