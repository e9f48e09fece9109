"""Episodes on a device: by the kernel, or by torch, which gives what the library gives."""

import logging
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from agents.controllers import CONTROLLER_KINDS, Controller, ControllerSpec
from agents.cuda.episodes import Examples
from agents.device import episodes
from nram_env.envs.actions import LARGEST_LOGIT
from nram_env.envs.episode import Rules
from nram_env.machine import MachineConfig
from nram_env.tasks import get_task

MEMBERS, BATCH = 3, 4


def examples() -> Examples:
    batch = get_task("reverse").sample(np.random.default_rng(0), 3, 8, MEMBERS * BATCH)
    horizon = torch.tensor([1, 4, 6, 5] * MEMBERS)
    arrays = (batch.memory, batch.target, batch.mask)
    return Examples(*(torch.from_numpy(array) for array in arrays), horizon, timesteps=8)


def controller(kind: str, scale: float = 4.0) -> Controller:
    spec = ControllerSpec(kind, MachineConfig(3), 8)
    weights = spec.initialise(torch.Generator().manual_seed(0), torch.full((MEMBERS,), scale))
    return Controller(spec, weights.requires_grad_())


def rules(kind: Controller, loss: str, backend: str) -> Rules:
    return Rules(kind.spec.machine, loss, activation_clip=1.0, backend=backend)


def numbers(played, stack: Controller) -> dict[str, torch.Tensor]:
    entropies = (played.halting_entropy * 0.1).sum() + played.entropy.sum()
    (gradient,) = torch.autograd.grad(played.returns.sum() + entropies, stack.parameters)
    return {"returns": played.returns, "entropy": played.entropy, "gradient": gradient}


@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("kind", CONTROLLER_KINDS)
def test_torch_plays_as_the_library_does_also_where_runs_end_early(kind, loss):
    stack, given = controller(kind), examples()
    one = episodes.unrolled(stack, rules(stack, loss, "auto"), given)
    slow = replace(stack, backend="reference")
    other = episodes.unrolled(slow, rules(slow, loss, "reference"), given)
    wanted = numbers(one, stack)
    for name, values in numbers(other, slow).items():
        torch.testing.assert_close(values, wanted[name], rtol=1e-4, atol=1e-5)
    steps = len(one.halting)
    assert (len(other.halting), steps) == (8, 6), "the library stops once nobody runs"
    torch.testing.assert_close(other.halting[:steps], one.halting, rtol=1e-4, atol=1e-5)
    assert not other.halting[steps:].any()
    assert torch.equal(other.wrong, one.wrong)
    assert other.finite.all()


def test_a_member_whose_logits_are_not_finite_disturbs_no_other():
    stack = replace(controller("lstm"), backend="reference")
    wild = stack.parameters.detach().clone()
    wild[1] = 10 * LARGEST_LOGIT
    broken = replace(stack, parameters=wild.requires_grad_())
    plain = rules(stack, "expected", "reference")
    healthy, found = (episodes.unrolled(one, plain, examples()) for one in (stack, broken))
    assert found.finite.tolist() == [True, False, True]
    rows = slice(0, BATCH)
    assert torch.equal(found.returns[rows], healthy.returns[rows])
    assert torch.equal(numbers(found, broken)["gradient"][0], numbers(healthy, stack)["gradient"][0])


def test_where_the_kernel_cannot_play_torch_does_and_that_is_said_once(monkeypatch, caplog):
    parameters = SimpleNamespace(is_cuda=True)
    on_a_card = SimpleNamespace(parameters=parameters, backend="auto", num_members=MEMBERS)
    monkeypatch.setattr(episodes, "unrolled", lambda *_: "by torch")
    monkeypatch.setattr(episodes.kernel, "play", lambda *_: "by the kernel")
    monkeypatch.setattr(episodes.kernel, "obstacle", lambda *_: None)
    plain = Rules(MachineConfig(3))
    assert episodes.play(on_a_card, plain, examples()) == "by the kernel"
    reference = SimpleNamespace(**{**vars(on_a_card), "backend": "reference"})
    assert episodes.play(reference, plain, examples()) == "by torch"
    monkeypatch.setattr(episodes.kernel, "obstacle", lambda *_: "libnvrtc is missing (of this test)")
    with caplog.at_level(logging.WARNING):
        assert [episodes.play(on_a_card, plain, examples()) for _ in range(3)] == ["by torch"] * 3
    (record,) = caplog.records
    assert record.getMessage().endswith("slower timesteps do instead: libnvrtc is missing (of this test)")
