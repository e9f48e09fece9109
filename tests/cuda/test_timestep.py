"""A timestep by kernel equals the reference in float64, whatever the machine, and so do its gradients."""

from dataclasses import replace

import gymnasium
import pytest
import torch
from torch import Tensor

import nram_env
from nram_env.machine import PAPER_GATES, Gate, MachineState, Runs, timestep
from nram_env.machine.backends.cuda import kernels
from tests.cuda.emulator import emulated
from tests.cuda.timesteps import (
    CPU,
    INPUTS,
    SMALL,
    WITH_GRADIENT,
    Problem,
    Shape,
    assert_equal_to_reference,
    gradients,
    normal,
)

gymnasium.register_envs(nram_env)

READ, WRITE, ADD = Gate.READ, Gate.WRITE, Gate.ADD

SHAPES = [
    Shape(4, PAPER_GATES, 16, 33),
    Shape(1, (READ, WRITE), 2, 1, None),
    Shape(16, (READ, WRITE), 64, 2, 0.2),
    Shape(2, (WRITE, READ, Gate.INC), 33, 3),
    Shape(3, (READ, ADD, READ, WRITE), 9, 5, None),
    Shape(2, (WRITE, READ, WRITE, Gate.EQUALITY_TEST, Gate.TWO), 5, 17),
    Shape(2, (Gate.LESS_THAN, Gate.MAX, Gate.LESS_THAN, Gate.MIN), 7, 4, None),
    Shape(5, (Gate.SUB, Gate.DEC, Gate.LESS_OR_EQUAL_THAN), 24, 6),
    Shape(1, (Gate.ZERO,), 4, 3),
    Shape(3, (READ, ADD, WRITE), 32, 9, scored=False),
    Shape(2, (Gate.SUB, Gate.MIN, WRITE), 47, 2, None),
    Shape(2, (Gate.ONE, Gate.EQUALITY_TEST, READ), 11, 20, scored=False),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"R{shape.registers}-M{shape.memory}")
def test_a_timestep_and_its_gradients_equal_the_reference(shape, device):
    problem = Problem.drawn(shape)
    for how in ({"follow": True}, {"follow": False}, {"rescale": False}):
        assert_equal_to_reference(problem, device, **how)


@pytest.mark.parametrize("name", WITH_GRADIENT)
def test_the_gradient_of_one_output_alone_equals_the_reference(name, device):
    problem = Problem.drawn(SMALL)
    assert_equal_to_reference(problem, device, (name,))
    for asked in (("logits",), ("memory", "logits")):
        assert_equal_to_reference(problem, device, (name, "entropy"), asked=asked)


def test_sharp_selectors_equal_the_reference(device):
    problem = Problem.drawn(SMALL)
    problem.inputs["logits"].mul_(50)
    assert_equal_to_reference(problem, device)


def test_a_finished_run_stands_still_whatever_is_done_to_it(device):
    problem = Problem.drawn(SMALL)
    still = problem.runs.finished
    problem.inputs["logits"][still] *= 100
    given, found = problem.solve("cuda", device)
    for name, before in (*problem.inputs.items(), ("output", problem.runs.output)):
        if name in found and name != "survival":
            assert torch.equal(found[name][still].cpu(), before[still]), name
    (through,) = torch.autograd.grad(found["memory"][still].sum(), [given["memory"]])
    assert torch.equal(through, still.to(through)[:, None, None].expand_as(through))


def test_an_example_depends_on_no_other_in_its_batch(device):
    whole, inner = Problem.drawn(SMALL), slice(21, 22)
    fields = {name: value if name == "floor" else value[inner] for name, value in vars(whole.runs).items()}
    alone = Problem(
        replace(SMALL, batch=1),
        {name: value[inner] for name, value in whole.inputs.items()},
        whole.target[inner],
        whole.mask[inner],
        Runs(**fields),
    )
    together, single = (problem.solve("cuda", device)[1] for problem in (whole, alone))
    assert all(torch.equal(together[name][inner], single[name]) for name in single)


def test_threads_in_any_order_give_the_same_bits(device, monkeypatch):
    results = []
    for seed in range(4):
        if device == CPU:
            build = lambda source, defines, _, seed=seed: emulated(source, defines, seed)  # noqa: E731
            monkeypatch.setattr(kernels, "build", build)
        given, found = Problem.drawn(SMALL).solve("cuda", device)
        results.append([*found.values(), *gradients(given, found, WITH_GRADIENT)])
    assert all(a.equal(b) for other in results[1:] for a, b in zip(results[0], other, strict=True))


def test_less_shared_memory_gives_the_same_bits_and_too_little_is_an_obstacle(device, monkeypatch):
    results, build = [], kernels.build
    for room in (227 * 1024, 5000, 1000):
        monkeypatch.setattr(kernels, "build", lambda *order: build(*order))  # nothing built before counts
        monkeypatch.setattr(kernels, "shared_memory", lambda device, room=room: room)
        problem = Problem.drawn(replace(SMALL, gates=(READ, WRITE)))
        if room == 1000:
            with pytest.raises(ValueError, match=r"bytes of shared memory in a block, and the card has 1000"):
                problem.solve("cuda", device)
        else:
            results.append(problem.solve("cuda", device)[1])
    assert all(results[0][name].equal(results[1][name]) for name in results[0])


def test_a_number_that_is_not_one_stays_in_its_own_example(device):
    problem = Problem.drawn(SMALL)
    problem.inputs["logits"][2] = torch.nan
    given, found = problem.solve("cuda", device)
    left = gradients(given, found, WITH_GRADIENT)
    others = torch.arange(SMALL.batch) != 2
    assert all(values[others].isfinite().all() for values in (*found.values(), *left))
    for name in ("registers", "memory", "entropy", "log_likelihood"):
        assert found[name][2].isnan().any(), name
    assert left[-1][2].isnan().any()


def test_a_broken_gradient_is_not_clipped_to_one_that_looks_whole(device):
    given, found = Problem.drawn(SMALL).solve("cuda", device)
    upper = torch.zeros_like(found["registers"])
    upper[0, 0, 0] = torch.nan
    (left,) = torch.autograd.grad(found["registers"], given["logits"], upper)
    assert left[0].isnan().any()
    assert left[1:].isfinite().all()


@pytest.mark.parametrize("wrong", [6, 7, -1, 2**32 + 1, 2**62])
def test_a_target_that_no_cell_can_hold_counts_as_the_floor_and_has_no_gradient(wrong, device):
    problem = Problem.drawn(SMALL)
    problem.mask[0] = False
    problem.mask[0, 3] = True
    problem.target[0, 3] = wrong
    given, found = problem.solve("cuda", device)
    assert found["log_likelihood"][0].item() == pytest.approx(torch.tensor(0.02).log().item())
    (left,) = torch.autograd.grad(found["log_likelihood"].sum(), given["logits"])
    assert not left[0].any()
    assert left.isfinite().all()


def test_tensors_may_begin_anywhere(device):
    problem = Problem.drawn(SMALL)
    for name in ("registers", "memory"):
        values = torch.zeros(problem.inputs[name].numel() + 1, device=device)
        problem.inputs[name] = values[1:].view_as(problem.inputs[name]).copy_(problem.inputs[name])
    inputs = {name: value.to(device) for name, value in problem.inputs.items()}
    state = MachineState(*(inputs[name].requires_grad_() for name in INPUTS[:3]))
    apart = timestep(SMALL.config, state, inputs["logits"], backend="cuda").state
    plain = problem.solve("cuda", device, follow=False, rescale=False)[1]
    torch.testing.assert_close(apart.registers, plain["registers"])
    upper = torch.randn(apart.memory.numel() + 1, generator=torch.Generator().manual_seed(0)).to(device)
    shifted = upper[1:].view_as(apart.memory)
    one, other = (
        torch.autograd.grad(apart.memory, state.memory, given_upper, retain_graph=True)[0]
        for given_upper in (shifted, shifted.clone())
    )
    assert torch.equal(one, other)


def test_no_examples_are_none(device):
    problem = Problem.drawn(replace(SMALL, batch=0))
    given, found = problem.solve("cuda", device)
    assert found["memory"].shape == (0, 6, 6)
    assert [left.numel() for left in gradients(given, found, WITH_GRADIENT)] == [0] * 4


def small(device: torch.device, **changes: object) -> Tensor:
    """The entropy of a timestep of which some part is another."""
    shape, inputs = replace(SMALL, batch=2, **changes), {}
    for name, value in Problem.drawn(shape).inputs.items():
        inputs[name] = value.to(device)
    return timestep(
        shape.config, MachineState(*(inputs[name] for name in INPUTS[:3])), inputs["logits"], backend="cuda"
    ).entropy


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"memory": 65}, "M is 65, and the kernel takes 64 at most"),
        ({"registers": 17}, "R is 17, and the kernel takes 16 at most"),
        ({"registers": 16, "gates": PAPER_GATES * 2}, "the number of logits is 1897, and the kernel takes"),
    ],
)
def test_machines_that_are_too_large_are_refused(device, changes, message):
    with pytest.raises(ValueError, match=rf"the cuda backend cannot run: {message}.*'reference' can"):
        small(device, **changes)


def logits_of(device: torch.device) -> tuple[MachineState, Tensor]:
    inputs = Problem.drawn(SMALL).inputs
    return MachineState(*(inputs[name].to(device) for name in INPUTS[:3])), inputs["logits"].to(device)


def entropy(state: MachineState, logits: Tensor) -> Tensor:
    return timestep(SMALL.config, state, logits, backend="cuda").entropy.sum()


@pytest.mark.filterwarnings("ignore:Dynamo detected a call to a `functools.lru_cache`")  # torch 2.11 alone
def test_tensors_that_do_not_fit_are_refused(device):
    state, logits = logits_of(device)
    with pytest.raises(ValueError, match=r"logits must be contiguous, got strides"):
        entropy(state, torch.stack([logits, logits], -1)[..., 0])
    wide = MachineState(state.registers.double(), state.memory.double(), state.survival.double())
    with pytest.raises(ValueError, match=r"registers must be torch.float32, got torch.float64"):
        entropy(wide, logits.double())
    with pytest.raises(ValueError, match="logits must be a tensor with numbers in memory"):
        torch.func.grad(lambda given: entropy(state, given))(logits)
    with pytest.raises(ValueError, match=r"torch.compile cannot look into native code"):
        torch.compile(lambda given: entropy(state, given), backend="eager")(logits)


def test_there_are_first_derivatives_backward_alone(device):
    state, logits = logits_of(device)
    given = logits.requires_grad_()
    (first,) = torch.autograd.grad(entropy(state, given), given, create_graph=True)
    with pytest.raises(RuntimeError, match="native code has first derivatives, backward, and no others"):
        first.sum().backward()


@pytest.mark.parametrize("loss", ["expected", "mixture"])
def test_episodes_of_an_environment_equal_those_of_the_reference(loss, device):
    results = []
    for backend in ("cuda", "reference", *(["auto"] if device.type == "cuda" else [])):
        envs = gymnasium.make_vec(
            "NRAM/Copy-v0",
            num_envs=3,
            differentiable=True,
            memory_size=6,
            difficulty=2,
            num_registers=2,
            gates=["READ", "ADD", "WRITE"],
            loss=loss,
            backend=backend,
            device=str(device),
        )
        envs.reset(seed=0)
        actions = normal(0, 3, SMALL.config.layout.size).to(device).requires_grad_()
        total = torch.stack([envs.step(actions)[1] for _ in range(3)]).sum()
        results.append((total.detach(), torch.autograd.grad(total, actions)[0]))
    for other in results[1:]:
        for one, wanted in zip(results[0], other, strict=True):
            torch.testing.assert_close(one, wanted, rtol=1e-4, atol=1e-5)


def test_without_a_card_the_backend_is_an_error_that_says_so():
    state, logits = logits_of(CPU)
    with pytest.raises(
        ValueError,
        match=r"the cuda backend cannot run: kernels run on NVIDIA cards, not on cpu; backend='ref",
    ):
        entropy(state, logits)
