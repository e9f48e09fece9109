"""Episodes by kernel, and their gradients, equal those of the reference in float64, timestep by timestep."""

import weakref
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from agents.controllers import Controller
from agents.cuda import episodes
from agents.spec import ControllerSpec
from nram_env.envs.episode import Rules, advance, begin
from nram_env.machine import PAPER_GATES, Gate, MachineConfig
from nram_env.machine.backends.cuda import kernels
from nram_env.tasks import TaskBatch
from tests.cuda.emulator import emulated

SECOND_READ = (*PAPER_GATES[:6], Gate.READ, *PAPER_GATES[6:])
WRITES = (Gate.WRITE, Gate.READ, Gate.MAX, Gate.WRITE, Gate.SUB, Gate.READ)


@dataclass(frozen=True)
class Shape:
    """What a kernel is specialised on, how many members and examples, how many timesteps."""

    kind: str
    registers: int
    hidden: int
    gates: tuple[Gate, ...]
    memory: int
    members: int
    batch: int
    loss: str
    timesteps: int = 4
    clip: float | None = 0.5
    sharp: bool = False
    sharp_registers: bool = False
    noisy_registers: bool = False


LSTM, FEED = "lstm", "feedforward"
SHAPES = [
    Shape(LSTM, 4, 16, PAPER_GATES, 16, 2, 16, "expected", 5),
    Shape(FEED, 5, 16, SECOND_READ, 22, 2, 16, "mixture", 5),
    Shape(FEED, 6, 16, SECOND_READ, 9, 2, 8, "mixture", 6, sharp=True),
    Shape(LSTM, 3, 8, PAPER_GATES, 6, 2, 5, "expected", 6, sharp=True),
    Shape(FEED, 6, 16, SECOND_READ, 10, 2, 8, "mixture", 6, sharp=True, sharp_registers=True),
    Shape(FEED, 6, 16, SECOND_READ, 10, 2, 8, "mixture", 6, sharp_registers=True, noisy_registers=True),
    Shape(LSTM, 3, 8, PAPER_GATES, 18, 2, 5, "expected", 6, sharp_registers=True),
    Shape(LSTM, 3, 8, PAPER_GATES, 11, 3, 5, "expected", 6, sharp_registers=True, noisy_registers=True),
    Shape(LSTM, 3, 10, PAPER_GATES * 2, 7, 2, 5, "mixture"),
    Shape(FEED, 4, 16, PAPER_GATES, 32, 1, 4, "expected"),
    Shape(LSTM, 4, 20, PAPER_GATES, 40, 1, 3, "expected"),
    Shape(FEED, 2, 7, WRITES, 2, 3, 1, "expected", 6),
    Shape(LSTM, 2, 8, WRITES, 17, 1, 17, "mixture", 6),
    Shape(LSTM, 2, 5, (Gate.INC, Gate.LESS_THAN), 9, 2, 3, "expected"),
    Shape(FEED, 16, 64, (Gate.READ, Gate.LESS_THAN, Gate.WRITE), 12, 1, 64, "expected", 4, None),
    Shape(LSTM, 6, 64, (Gate.READ, Gate.INC, Gate.WRITE), 64, 1, 2, "mixture"),
    Shape(LSTM, 1, 1, (Gate.DEC, Gate.MIN), 3, 2, 2, "mixture"),
    Shape(FEED, 3, 12, (Gate.EQUALITY_TEST, Gate.READ, Gate.WRITE), 5, 2, 8, "expected", 4, 0.01),
    Shape(FEED, 2, 9, (Gate.ADD, Gate.TWO, Gate.WRITE), 33, 1, 2, "mixture"),
    Shape(LSTM, 5, 12, (Gate.READ, Gate.READ, Gate.LESS_OR_EQUAL_THAN), 24, 1, 9, "expected"),
    Shape(LSTM, 2, 6, (Gate.SUB, Gate.MAX, Gate.WRITE), 11, 2, 6, "expected"),
    Shape(FEED, 2, 6, (Gate.WRITE, Gate.ADD, Gate.READ), 20, 3, 1, "mixture"),
    Shape(LSTM, 8, 32, (Gate.READ, Gate.ONE, Gate.WRITE), 8, 2, 32, "mixture", 3),
    Shape(FEED, 2, 33, (Gate.MIN, Gate.ZERO, Gate.WRITE), 31, 1, 7, "expected"),
    Shape(LSTM, 3, 4, (Gate.READ, Gate.WRITE), 4, 4, 2, "expected", 9),
    Shape(FEED, 1, 2, (Gate.WRITE,), 6, 1, 16, "mixture", 7),
    Shape(LSTM, 2, 3, (Gate.READ, Gate.DEC, Gate.WRITE), 37, 1, 4, "mixture"),
    Shape(FEED, 4, 8, (Gate.EQUALITY_TEST, Gate.ADD, Gate.WRITE), 10, 1, 10, "expected"),
]


def specification(shape):
    return ControllerSpec(shape.kind, MachineConfig(shape.registers, shape.gates), shape.hidden, shape.sharp)


def problem(shape, device, seed=0):
    """Parameters (P, N) and examples."""
    generator, rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
    spec = specification(shape)
    parameters = spec.initialise(generator, torch.full((shape.members,), 1.5))
    parameters += 0.1 * torch.randn(parameters.shape, generator=generator)
    rows, cells = shape.members * shape.batch, (shape.members * shape.batch, shape.memory)
    drawn = (
        rng.integers(0, shape.memory, cells),
        rng.integers(0, shape.memory, cells),
        rng.random(cells) < 0.4,
    )
    horizon = rng.integers(1, shape.timesteps + 1, rows)
    tensors = [torch.tensor(part, device=device) for part in (*drawn, horizon)]
    chance = rng.integers(0, 2**31, rows) * (rng.random(rows) < 0.8) if shape.noisy_registers else None
    words = None if chance is None else torch.tensor(chance, device=device)
    return parameters.to(device), episodes.Examples(*tensors, shape.timesteps, words)


def rules_of(shape):
    machine = specification(shape).machine
    return Rules(
        machine,
        loss=shape.loss,
        activation_clip=shape.clip,
        backend="reference",
        sharp_registers=shape.sharp_registers,
        noisy_registers=shape.noisy_registers,
    )


def by_reference(shape, parameters, examples):
    """Returns, entropies, p_t and halting entropies, and what was wrong."""
    controller = Controller(specification(shape), parameters, "reference")
    parts = (part.numpy(force=True) for part in (examples.memory, examples.target, examples.mask))
    horizon = examples.horizon.numpy(force=True)
    batch = TaskBatch(*parts, np.full(len(horizon), 3))
    chance = None if examples.chance is None else examples.chance.numpy(force=True)
    state = begin(rules_of(shape), batch, horizon, chance, dtype=torch.float64, device="cpu")
    observed, memory, moves = state.observed, controller.initial_state(shape.batch), []
    for _ in range(shape.timesteps):
        logits, memory = controller(observed.unflatten(0, (shape.members, -1)), memory)
        moved = advance(rules_of(shape), state, logits.flatten(0, 1))
        state, observed = moved.state, moved.state.observed
        moves.append((moved.rewards, moved.entropy, moved.halting, moved.halting_entropy))
    rewards, entropy, halting, halting_entropy = map(torch.stack, zip(*moves, strict=True))
    wrong = (state.output.argmax(-1) != state.target) & state.mask
    return (rewards.sum(0), entropy.sum(0), halting, halting_entropy), wrong


def numbers(played):
    return played.returns, played.entropy, played.halting, played.halting_entropy


def upstream(values, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(value.shape, generator=generator, dtype=torch.float64) for value in values]


def gradient_of(values, parameters):
    chosen = zip(values, upstream(values), strict=True)
    total = sum((value * weight.to(value)).sum() for value, weight in chosen)
    return torch.autograd.grad(total, parameters)[0]


def play(shape, parameters, examples):
    return episodes.play(Controller(specification(shape), parameters), rules_of(shape), examples)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.kind}-M{shape.memory}-B{shape.batch}")
def test_episodes_and_their_gradients_equal_the_reference(shape, device):
    parameters, examples = problem(shape, device)
    exact = parameters.double().cpu().requires_grad_()
    wanted, wrong = by_reference(shape, exact, examples)
    given = parameters.requires_grad_()
    played = play(shape, given, examples)
    for found, value in zip(numbers(played), wanted, strict=True):
        assert (found.double().cpu() - value).abs().max() < 1e-5 * max(1, value.detach().abs().max())
    assert played.finite.all()
    assert played.wrong.cpu().equal(wrong)
    true = gradient_of(wanted, exact)
    assert (gradient_of(numbers(played), given).double().cpu() - true).norm() < 1e-5 * true.norm()


SMALL = Shape(LSTM, 3, 4, (Gate.READ, Gate.WRITE), 4, 4, 2, "expected", 9)


def test_threads_in_any_order_give_the_same_bits(device, monkeypatch):
    found = []
    for seed in range(3):
        if device.type == "cpu":
            build = lambda source, defines, _, seed=seed: emulated(source, defines, seed)  # noqa: E731
            monkeypatch.setattr(kernels, "build", build)
        parameters, examples = problem(SMALL, device)
        given = parameters.requires_grad_()
        played = play(SMALL, given, examples)
        found.append([*numbers(played), gradient_of(numbers(played), given)])
    assert all(a.equal(b) for other in found[1:] for a, b in zip(found[0], other, strict=True))


def test_without_gradient_the_numbers_are_the_same(device):
    for shape in (SMALL, SHAPES[11]):
        parameters, examples = problem(shape, device)
        with torch.no_grad():
            bare = play(shape, parameters, examples)
        played = play(shape, parameters.requires_grad_(), examples)
        assert all(a.equal(b) for a, b in zip(numbers(bare), numbers(played), strict=True))


def test_more_time_than_any_run_has_changes_nothing(device):
    parameters, examples = problem(SMALL, device)
    longer = episodes.Examples(
        *[getattr(examples, name) for name in ("memory", "target", "mask", "horizon")], 40
    )
    given = parameters.requires_grad_()
    short, long = play(SMALL, given, examples), play(SMALL, given, longer)
    assert long.returns.equal(short.returns)
    assert not long.halting[9:].any()
    first, second = (
        torch.autograd.grad(run.returns.sum() + run.entropy.sum(), given)[0] for run in (short, long)
    )
    assert (first - second).norm() < 1e-6 * first.norm()


def test_a_member_with_broken_logits_plays_on_and_disturbs_no_other(device):
    parameters, examples = problem(SMALL, device)
    whole = play(SMALL, parameters, examples)
    parameters[1, -1] = torch.inf
    given = parameters.requires_grad_()
    played = play(SMALL, given, examples)
    assert played.finite.tolist() == [True, False, True, True]
    others = torch.tensor([0, 2, 3], device=device)
    apart = [run.returns.view(4, -1)[others] for run in (whole, played)]
    assert apart[0].equal(apart[1])
    assert played.returns.isfinite().all()
    (gradient,) = torch.autograd.grad(played.returns.sum(), given)
    assert gradient[others].isfinite().all()


def test_what_the_kernel_cannot_play_is_said(device):
    parameters, _ = problem(SMALL, device)
    controller = Controller(specification(SMALL), parameters)
    assert episodes.obstacle(controller, rules_of(SMALL), 64) is None
    assert episodes.obstacle(controller, rules_of(SMALL), 65) == "M is 65, and the kernel takes 64 at most"
    wide = episodes.obstacle(controller.to(torch.float64), rules_of(SMALL), 4)
    assert wide == "the kernel computes in float32, not torch.float64"


def test_what_was_played_goes_when_nobody_holds_it(device):
    whole = replace(SMALL, batch=4)
    parameters, examples = problem(whole, device)
    played = play(whole, parameters.requires_grad_(), examples)
    kept = weakref.ref(played.halting.grad_fn.episodes)
    del played
    assert kept() is None
