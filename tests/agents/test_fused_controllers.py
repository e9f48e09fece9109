"""The library's controllers equal those of torch, values and gradients."""

import numpy as np
import pytest
import torch

from agents import library
from agents.controllers import CONTROLLER_KINDS, Controller, ControllerSpec
from agents.rollout import hard_wrong
from nram_env.machine import MachineConfig
from nram_env.tasks import get_task

built = pytest.mark.skipif(not library.LIBRARY_FILE.exists(), reason="the native library was not built here")
INSTRUCTION_SETS = range(library.best_instruction_set() + 1 if library.LIBRARY_FILE.exists() else 1)


def make(kind: str, hidden: int, registers: int, members: int, backend: str) -> Controller:
    spec = ControllerSpec(kind, MachineConfig(registers), hidden)
    parameters = spec.initialise(torch.Generator().manual_seed(0), torch.ones(members))
    return Controller(spec, parameters.requires_grad_(), backend)


def play(controller: Controller, batch: int, steps: int = 3) -> dict[str, torch.Tensor]:
    """Outputs and gradients of an unrolled controller whose observations depend on its logits."""
    generator = torch.Generator().manual_seed(1)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(controller.num_members, batch, *shape, generator=generator)

    state = start = normal(controller.spec.state_size).requires_grad_()
    observations = first = normal(controller.spec.machine.num_registers).requires_grad_()
    score, outputs = torch.zeros(()), {}
    for step in range(steps):
        logits, state = controller(observations, state)
        outputs |= {f"logits {step}": logits, f"state {step}": state}
        score = score + (logits * normal(logits.shape[-1])).sum() + (state * normal(state.shape[-1])).sum()
        observations = logits[..., : observations.shape[-1]].sigmoid()
    wanted = (controller.parameters, first, start)
    names = ("d parameters", "d observations", "d state")
    return outputs | dict(zip(names, torch.autograd.grad(score, wanted), strict=True))


@built
@pytest.mark.parametrize("instruction_set", INSTRUCTION_SETS)
@pytest.mark.parametrize("kind", CONTROLLER_KINDS)
@pytest.mark.parametrize(
    ("hidden", "registers", "members", "batch"),
    [(32, 4, 3, 16), (16, 4, 2, 5), (8, 2, 1, 1), (1, 1, 2, 3), (5, 7, 3, 9), (50, 9, 2, 33)],
)
def test_values_and_gradients_equal_those_of_torch(
    instruction_set, kind, hidden, registers, members, batch, monkeypatch
):
    monkeypatch.setattr(library, "best_instruction_set", lambda: instruction_set)
    found, wanted = (
        play(make(kind, hidden, registers, members, name), batch) for name in ("fused", "reference")
    )
    for name, values in wanted.items():
        assert found[name].shape == values.shape
        if values.numel():
            assert (found[name] - values).abs().max() <= 1e-5 * values.abs().max(), name


@built
@pytest.mark.parametrize("instruction_set", INSTRUCTION_SETS)
@pytest.mark.parametrize("steps", [1, 4, 5, 8, 9, 13])
@pytest.mark.parametrize("hidden", [6, 32])
def test_a_gradient_summed_up_a_few_timesteps_at_a_time_is_that_of_all(
    instruction_set, steps, hidden, monkeypatch
):
    monkeypatch.setattr(library, "best_instruction_set", lambda: instruction_set)
    found, wanted = (
        play(make("lstm", hidden, 4, 2, name), batch=5, steps=steps)["d parameters"]
        for name in ("fused", "reference")
    )
    assert (found - wanted).abs().max() <= 1e-5 * wanted.abs().max()


@built
@pytest.mark.parametrize("kind", CONTROLLER_KINDS)
def test_the_number_of_threads_changes_no_bit(kind):
    alone = play(make(kind, 32, 4, 16, "fused"), 64)
    torch.set_num_threads(3)
    try:
        shared = play(make(kind, 32, 4, 16, "fused"), 64)
    finally:
        torch.set_num_threads(1)
    assert all(torch.equal(values, shared[name]) for name, values in alone.items())


@built
def test_activations_far_from_zero_equal_those_of_torch():
    fused, reference = (make("lstm", 16, 4, 2, name) for name in ("fused", "reference"))
    for scale in (1e-3, 1.0, 30.0, 1e6):
        observations, state = scale * torch.randn(2, 8, 4), scale * torch.randn(2, 8, 32)
        for found, wanted in zip(fused(observations, state), reference(observations, state), strict=True):
            torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6 * max(1.0, scale))


@built
def test_a_gradient_can_be_asked_for_twice_and_for_inputs_alone():
    controller = make("lstm", 8, 4, 2, "fused")
    observations = torch.randn(2, 3, 4, requires_grad=True)
    score = controller(observations, controller.initial_state(3))[0].square().sum()
    (alone,) = torch.autograd.grad(score, observations, retain_graph=True)
    both = [
        torch.autograd.grad(score, (observations, controller.parameters), retain_graph=True) for _ in range(2)
    ]
    assert torch.equal(alone, both[0][0])
    assert torch.equal(both[0][1], both[1][1])


@built
@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            lambda p: p.double(),
            r"parameters must be torch.float32, got torch.float64; backend='reference' can",
        ),
        (lambda p: p.t().contiguous().t(), r"parameters must be contiguous, got strides"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_and_run_with_auto(parameters, message):
    plain = make("lstm", 8, 4, 3, "fused")
    changed = parameters(plain.parameters.detach())
    observations = torch.rand(3, 2, 4, dtype=changed.dtype)
    state = torch.zeros(3, 2, 16, dtype=changed.dtype)
    with pytest.raises(ValueError, match=message):
        Controller(plain.spec, changed, "fused")(observations, state)
    logits, _ = Controller(plain.spec, changed, "auto")(observations, state)
    wanted, _ = plain(observations.float(), state.float())
    torch.testing.assert_close(logits.float(), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize(
    ("observations", "state", "message"),
    [
        ((3, 2, 5), (3, 2, 16), r"observations must have shape \(3, 2, 4\), got \(3, 2, 5\)"),
        ((3, 2, 4), (3, 1, 16), r"state must have shape \(3, 2, 16\), got \(3, 1, 16\)"),
        ((2, 2, 4), (2, 2, 16), r"observations must have shape \(3, 2, 4\), got \(2, 2, 4\)"),
    ],
)
def test_inputs_of_another_shape_are_refused(backend, observations, state, message):
    controller = make("lstm", 8, 4, 3, backend)
    with pytest.raises(ValueError, match=message):
        controller(torch.zeros(observations), torch.zeros(state))


def test_without_the_library_torch_computes(monkeypatch, tmp_path, caplog):
    monkeypatch.setattr(library, "LIBRARY_FILE", tmp_path / "missing.so")
    library.load.cache_clear()
    try:
        found, wanted = (play(make("lstm", 8, 4, 2, name), 3) for name in ("auto", "reference"))
        with pytest.raises(ValueError, match=r"missing.so was not built"):
            make("lstm", 8, 4, 2, "fused")(torch.zeros(2, 3, 4), torch.zeros(2, 3, 16))
    finally:
        library.load.cache_clear()
    assert all(torch.equal(found[name], values) for name, values in wanted.items())
    assert len([record for record in caplog.records if "learner is missing" in record.message]) == 1


@built
def test_the_hardened_machine_runs_on_a_stack_whatever_its_backend():
    batch = get_task("copy").sample(np.random.default_rng(0), 3, 9, 4)
    horizon = np.full(4, 6)
    found, wanted = (
        hard_wrong(make("lstm", 8, 4, 1, name), batch, horizon) for name in ("fused", "reference")
    )
    assert np.array_equal(found, wanted)
