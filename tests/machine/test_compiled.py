"""The compiled backend is one graph and equals the reference; on a GPU also when it is really compiled."""

import logging

import pytest
import torch

from nram_env.machine import MachineConfig, MachineState, backends, timestep
from nram_env.machine.backends import choose_backend, compiled, reference
from nram_env.support import warn_once

gpu = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="there is no CUDA GPU here, for which the backend is meant"
)
CONFIG = MachineConfig(2, ["READ", "TWO", "INC", "ADD", "SUB", "LESS-THAN", "MIN", "WRITE"])


def solve(
    backend: str, device: str, batch: int = 3, size: int = 4, scored: bool = True
) -> list[torch.Tensor]:
    """Outputs of a timestep on random inputs, and the gradients of their sum of squares."""
    generator = torch.Generator().manual_seed(0)
    shapes = [(batch, 2, size), (batch, size, size), (batch,), (batch, CONFIG.layout.size)]
    values = [torch.randn(shape, generator=generator) for shape in shapes]
    inputs = [torch.softmax(value, -1) for value in values[:2]] + [values[2].sigmoid(), values[3]]
    inputs = [value.to(device).requires_grad_() for value in inputs]
    target = torch.randint(size, (batch, size), generator=generator).to(device)
    mask = torch.ones(batch, size, dtype=torch.bool, device=device)
    result = timestep(
        CONFIG,
        MachineState(*inputs[:3]),
        inputs[3],
        target=target if scored else None,
        mask=mask if scored else None,
        activation_clip=0.1,
        rescale=True,
        backend=backend,
    )
    after = (result.state.registers, result.state.memory, result.state.survival)
    outputs = [*after, result.entropy, result.halting_entropy, result.log_likelihood]
    return outputs + list(torch.autograd.grad(sum((output**2).sum() for output in outputs), inputs))


@pytest.mark.filterwarnings("default")  # torch warns of its own use of what it will remove
def test_it_is_one_graph_that_equals_the_reference(monkeypatch):
    monkeypatch.setattr(compiled, "COMPILER", "eager")  # traced whole, but nothing is generated from it
    before = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    for scored in (True, False):
        found, wanted = (solve(backend, "cpu", scored=scored) for backend in ("compiled", "reference"))
        for one, other in zip(found, wanted, strict=True):
            torch.testing.assert_close(one, other)
    solve("compiled", "cpu")
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == before + 2


class OnGpu:
    device = torch.device("cuda")


STATE = MachineState(torch.zeros(1, 2, 3), torch.zeros(1, 3, 3), torch.ones(1))


@pytest.fixture
def unable(monkeypatch):
    """What says why a backend cannot run."""

    def say(name: str, reason: str | None) -> None:
        monkeypatch.setitem(backends._TAKE, name, lambda *given: reason or getattr(backends, name).run)

    warn_once.cache_clear()
    return say


def test_on_a_gpu_the_first_that_can_run_is_chosen_and_a_slower_one_is_told_once(unable, caplog):
    unable("cuda", "it is too large")
    unable("compiled", None)
    with caplog.at_level(logging.WARNING, "nram_env"):
        for _ in range(3):
            assert choose_backend("auto", CONFIG, STATE, OnGpu()) is compiled.run
        unable("compiled", "it has no compiler")
        assert choose_backend("auto", CONFIG, STATE, OnGpu()) is reference.run
    assert [record.message for record in caplog.records] == [
        "the cuda backend cannot run: it is too large; a slower one does",
        "the compiled backend cannot run: it has no compiler; a slower one does",
    ]
    with pytest.raises(
        ValueError, match=r"the compiled backend cannot run: it has no compiler; backend='ref"
    ):
        choose_backend("compiled", CONFIG, STATE, OnGpu())


def test_elsewhere_none_of_those_is_chosen(unable, caplog):
    unable("cuda", None)
    unable("fused", "it was not built")
    assert choose_backend("auto", CONFIG, STATE, torch.zeros(1, CONFIG.layout.size)) is reference.run
    assert not caplog.records


def test_it_cannot_look_into_what_is_transformed_or_traced_already():
    logits = torch.zeros(1, CONFIG.layout.size)

    def entropy(given: torch.Tensor) -> torch.Tensor:
        return timestep(CONFIG, STATE, given, backend="compiled").entropy.sum()

    with pytest.raises(ValueError, match=r"torch.compile takes plain tensors outside of torch.func alone"):
        torch.func.grad(entropy)(logits)
    with pytest.raises(ValueError, match=r"torch.compile is looking into it already"):
        torch.compile(entropy, backend="eager")(logits)


@gpu
@pytest.mark.parametrize("scored", [True, False])
def test_on_a_gpu_values_and_gradients_equal_the_reference(scored):
    found, wanted = (solve(backend, "cuda", 33, 9, scored) for backend in ("compiled", "reference"))
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)
