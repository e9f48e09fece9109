"""Hardened stacks by a card's kernel: the failures and timesteps of the hard machine in numpy."""

import math

import numpy as np
import pytest
import torch

from agents import zoo
from agents.controllers import Controller
from agents.cuda import hard as kernel
from agents.hard import hard_failures
from agents.spec import ControllerSpec
from nram_env.machine import MachineConfig
from nram_env.machine.backends.cuda import kernels
from nram_env.tasks import MixedBatch, caps, draw_plan, get_task
from tests.cuda.emulator import emulated


def examples(rng, sizes):
    """Memories of these sizes; a few cells of each, or the only one, are to stay as they are."""
    sizes = np.asarray(sizes)
    inside = np.arange(sizes.max()) < sizes[:, None]
    memory = np.where(inside, rng.integers(0, sizes[:, None], inside.shape), 0)
    mask = inside & ((rng.random(inside.shape) < 0.2) | (sizes[:, None] == 1))
    horizon = rng.integers(0, 40, len(sizes))
    return MixedBatch(memory, memory.copy(), mask, np.ones_like(sizes), sizes, horizon)


def controller(kind, machine, hidden, members, scale=3.0):
    spec = ControllerSpec(kind, machine, hidden)
    weights = spec.initialise(torch.Generator().manual_seed(hidden), torch.full((members,), scale))
    return Controller(
        spec, weights + 0.1 * torch.randn(weights.shape, generator=torch.Generator().manual_seed(1))
    )


def on(device, stack):
    return Controller(stack.spec, stack.parameters.to(device))


def found_by_the_kernel(device, stack, *given):
    return [found.cpu().numpy() for found in kernel.hard_failures(on(device, stack), *given)]


def compare(device, stack, batch, limit, must_stop):
    """Failures and timesteps, the same by both."""
    wanted = hard_failures(stack, batch, limit, must_stop)
    found = found_by_the_kernel(device, stack, batch, limit, must_stop)
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    return wanted


PAPER = MachineConfig(4)
MACHINES = [
    PAPER,
    MachineConfig(1, ["INC", "WRITE"]),
    MachineConfig(2, ["WRITE", "READ", "ADD", "READ", "DEC", "WRITE", "SUB"]),
    MachineConfig(
        5, ["ZERO", "ONE", "TWO", "LESS_THAN", "LESS_OR_EQUAL_THAN", "EQUALITY_TEST", "MIN", "MAX"]
    ),
    MachineConfig(16, [gate for gate in PAPER.gates for _ in range(2)]),
]


@pytest.mark.parametrize("must_stop", [False, True])
@pytest.mark.parametrize("kind", ["lstm", "feedforward"])
@pytest.mark.parametrize(
    ("machine", "hidden", "members", "sizes"),
    [
        (0, 16, 3, [*range(1, 30)]),
        (0, 64, 1, [7] * 9),
        (0, 33, 2, [300, 2, 150]),
        (0, 9, 32, [1] * 3),
        (1, 1, 4, [1, 2, 3, 4, 5]),
        (2, 5, 2, [6] * 65),
        (3, 7, 3, [*range(2, 40, 3)]),
        (4, 10, 2, [40, 41, 42]),
    ],
)
def test_random_stacks_on_memories_of_many_sizes(device, machine, hidden, members, sizes, kind, must_stop):
    rng, stack = np.random.default_rng(hidden), controller(kind, MACHINES[machine], hidden, members)
    batch = examples(rng, sizes)
    compare(device, stack, batch, batch.horizon, must_stop)


def test_runs_end_in_each_way_that_there_is(device):
    stack = controller("lstm", PAPER, 16, 8, scale=1.0)
    batch = examples(np.random.default_rng(3), [12] * 24)
    failed, steps = compare(device, stack, batch, batch.horizon, must_stop=False)
    assert 0 < failed.mean() < 1
    early = steps < batch.horizon
    assert 0 < early.mean() < 1
    assert (steps[:, batch.horizon == 0] == 0).all()
    strict, _ = compare(device, stack, batch, batch.horizon, must_stop=True)
    assert (strict >= failed).all()
    assert strict.sum() > failed.sum()


@pytest.mark.parametrize("name", ["copy", "swap-feedforward", "merge", "listsearch", "walkbst"])
def test_agents_of_the_zoo_at_held_out_sizes(device, name):
    agent, rng = zoo.find_entry(name).agent, np.random.default_rng(0)
    task, stack = get_task(agent.task), agent.controller
    spoiled = stack.parameters + 0.3 * torch.randn(
        stack.parameters.shape, generator=torch.Generator().manual_seed(2)
    )
    both = Controller(stack.spec, torch.cat([stack.parameters, spoiled]))
    for batch in draw_plan(task, rng, [2, 20], 8).mixed(task, rng):
        failed, steps = compare(
            device, both, batch, caps(task, batch.difficulty, batch.memory_sizes), must_stop=True
        )
        assert not failed[0].any()
        assert (steps[0] > 0).all()


def test_a_batch_of_one_size_and_the_task_s_own_horizon(device):
    batch = get_task("copy").sample(np.random.default_rng(0), 4, 12, 5)
    compare(device, zoo.find_entry("copy").agent.controller, batch, np.full(5, 6), must_stop=False)


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e38])
@pytest.mark.parametrize("kind", ["lstm", "feedforward"])
def test_logits_that_are_no_numbers_end_in_time(device, kind, value):
    stack = controller(kind, PAPER, 16, 3)
    stack.parameters[1] *= value
    batch = examples(np.random.default_rng(0), [5, 9, 20])
    failed, steps = found_by_the_kernel(device, stack, batch, batch.horizon, True)
    alone = Controller(stack.spec, stack.parameters[::2].contiguous())
    wanted = hard_failures(alone, batch, batch.horizon, True)
    assert (steps[1] <= batch.horizon).all()
    np.testing.assert_array_equal(failed[::2], wanted[0])
    np.testing.assert_array_equal(steps[::2], wanted[1])


def test_the_first_of_equal_logits_is_taken_and_0_does_not_stop(device):
    spec = ControllerSpec("feedforward", MachineConfig(1, ["INC", "WRITE"]), 4)
    stack = Controller(spec, torch.zeros(1, spec.num_parameters))
    batch = examples(np.random.default_rng(0), [9] * 4)
    batch.target[:, 0], batch.mask[:, :] = 0, np.arange(9) == 0
    failed, steps = compare(device, stack, batch, np.full(4, 5), must_stop=False)
    assert not failed.any()
    assert (steps == 5).all()


def test_nothing_depends_on_the_order_of_threads(device, monkeypatch):
    stack, batch = controller("lstm", PAPER, 16, 3), examples(np.random.default_rng(5), range(3, 50))
    for seed in range(3):
        if device.type == "cpu":
            monkeypatch.setattr(kernels, "build", lambda *given, seed=seed: emulated(*given[:2], seed))
        compare(device, stack, batch, batch.horizon, must_stop=True)


@pytest.mark.parametrize(
    ("width", "count", "warps"), [(64, 50, 4), (64, 16, 2), (64, 8, 1), (4000, 17, 2), (9000, 9, 1)]
)
def test_wide_memories_and_few_examples_take_blocks_of_fewer_warps(device, width, count, warps, monkeypatch):
    shapes, build = [], kernels.build

    class Noting:
        def __init__(self, *given):
            self.built = build(*given)

        def launch(self, function, *shape):
            shapes.append(shape[:2])
            self.built.launch(function, *shape)

    monkeypatch.setattr(kernels, "build", Noting)
    stack = controller("feedforward", PAPER, 16, 2)
    compare(device, stack, batch := examples(np.random.default_rng(0), [width] * count), batch.horizon, True)
    assert shapes == [(2 * math.ceil(count / (8 * warps)), 32 * warps)]


def test_a_memory_that_does_not_fit_is_refused(device):
    stack, wide = controller("feedforward", PAPER, 16, 1), examples(np.random.default_rng(0), [20000])
    with pytest.raises(ValueError, match="does not hold 8 examples with M = 20000"):
        kernel.hard_failures(on(device, stack), wide, wide.horizon, True)


def test_no_members_and_no_examples(device):
    stack, batch = controller("lstm", PAPER, 4, 2), examples(np.random.default_rng(0), [5, 6])
    nobody = Controller(stack.spec, stack.parameters[:0])
    assert kernel.hard_failures(on(device, nobody), batch, batch.horizon, True)[0].shape == (0, 2)
    nothing = MixedBatch(*(array[:0] for array in vars(batch).values()))
    assert kernel.hard_failures(on(device, stack), nothing, nothing.horizon, True)[1].shape == (2, 0)


@pytest.mark.parametrize("name", ["memory", "target"])
@pytest.mark.parametrize("value", [-1, 5, 2**16])
def test_a_memory_that_is_not_legal_is_refused(device, name, value):
    stack, batch = controller("lstm", PAPER, 4, 2), examples(np.random.default_rng(0), [5, 6])
    getattr(batch, name)[0, 4], batch.mask[0, 4] = value, True
    with pytest.raises(ValueError, match=r"holds what is not in 0..M-1"):
        kernel.hard_failures(on(device, stack), batch, batch.horizon, True)


def test_other_parameters_than_float32_are_refused(device):
    stack, batch = controller("lstm", PAPER, 4, 2), examples(np.random.default_rng(0), [5, 6])
    with pytest.raises(ValueError, match=r"cannot run: parameters must be torch.float32, got torch.float64"):
        kernel.hard_failures(on(device, stack.to(torch.float64)), batch, batch.horizon, True)
