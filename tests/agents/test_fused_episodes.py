"""Whole episodes in the library equal those that controllers and environment play in turns, bit for bit."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from agents import fused, library
from agents.controllers import CONTROLLER_KINDS, Controller, ControllerSpec
from agents.rollout import make_envs, unroll
from nram_env.machine import Gate, MachineConfig
from nram_env.machine.gates import PAPER_GATES
from nram_env.tasks import get_task

built = pytest.mark.skipif(not library.LIBRARY_FILE.exists(), reason="the native library was not built here")
INSTRUCTION_SETS = range(library.best_instruction_set() + 1 if library.LIBRARY_FILE.exists() else 1)
"""Those that this processor has; the environment always takes the best."""

SUMS = ("returns", "entropy", "halting_entropy", "steps", "unfinished")


def make(
    kind: str,
    members: int,
    backend: str = "auto",
    hidden: int = 8,
    registers: int = 4,
    sharp_tests: bool = False,
) -> Controller:
    spec = ControllerSpec(kind, MachineConfig(registers), hidden, sharp_tests)
    parameters = spec.initialise(torch.Generator().manual_seed(0), 3 * torch.ones(members))
    return Controller(spec, parameters.requires_grad_(), backend)


def play(
    controller: Controller,
    task: str,
    batch: int,
    n: int,
    spread: int = 2,
    chance: np.ndarray | None = None,
    **options: object,
) -> dict[str, torch.Tensor]:
    """Everything that comes of unrolling, and the gradient of a score of all of it."""
    problem, rows = get_task(task), controller.num_members * batch
    rng = np.random.default_rng(1)
    instance = problem.sample(
        rng, rng.integers(n - 1, n, rows, endpoint=True), problem.smallest_memory_size(n)
    )
    horizon = problem.horizon(n) - rng.integers(0, spread, rows, endpoint=True)
    envs = make_envs(problem, controller.spec.machine, rows, activation_clip=1.0, **options)
    rollout = unroll(controller, envs, instance=instance, horizon=horizon, chance=chance)
    sums = {name: getattr(rollout, name) for name in SUMS}
    weight = torch.randn(rollout.returns.shape, generator=torch.Generator().manual_seed(2))
    score = sum(((1 + i) * weight * total).sum() for i, total in enumerate(sums.values()))
    (gradient,) = torch.autograd.grad(score, controller.parameters)
    sums = {name: total.detach() for name, total in sums.items()}
    return {**sums, "wrong": rollout.wrong_cells, "gradient": gradient}


def in_turns(controller: Controller, *arguments: object, **options: object) -> dict[str, torch.Tensor]:
    """The same with torch's controllers, on the fused machine."""
    return play(replace(controller, backend="reference"), *arguments, **options)


def assert_equal(found: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor], tolerance: float) -> None:
    assert torch.equal(found["wrong"], wanted["wrong"])
    for name in (*SUMS, "gradient"):
        assert found[name].shape == wanted[name].shape
        limit = tolerance * float(wanted[name].abs().max())
        assert float((found[name] - wanted[name]).abs().max()) <= limit, name


@built
@pytest.mark.parametrize("instruction_set", INSTRUCTION_SETS)
@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("kind", CONTROLLER_KINDS)
@pytest.mark.parametrize(
    ("hidden", "registers", "members", "batch"),
    [(32, 4, 3, 16), (16, 4, 2, 5), (8, 2, 1, 1), (1, 1, 2, 3), (5, 7, 3, 9), (50, 9, 17, 1), (8, 4, 1, 33)],
)
def test_values_and_gradients_equal_those_of_taking_turns(
    instruction_set, loss, kind, hidden, registers, members, batch, monkeypatch
):
    monkeypatch.setattr(library, "best_instruction_set", lambda: instruction_set)
    controller = make(kind, members, hidden=hidden, registers=registers)
    found, wanted = (run(controller, "copy", batch, 3, loss=loss) for run in (play, in_turns))
    assert_equal(found, wanted, 2e-5)


@built
@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("task", ["access", "reverse", "merge", "walkbst"])
def test_tasks_and_long_episodes_equal_those_of_taking_turns(task, loss):
    controller = make("lstm", 4)
    found, wanted = (run(controller, task, 4, 6, loss=loss) for run in (play, in_turns))
    assert_equal(found, wanted, 1e-4)


@built
@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("kind", CONTROLLER_KINDS)
def test_tests_that_are_read_through_a_smoothstep_equal_those_of_taking_turns(kind, loss):
    controller = make(kind, 3, sharp_tests=True)
    found, wanted = (run(controller, "copy", 5, 4, loss=loss) for run in (play, in_turns))
    assert_equal(found, wanted, 2e-5)
    plain = play(make(kind, 3), "copy", 5, 4, loss=loss)
    assert not torch.allclose(found["returns"], plain["returns"])


@built
@pytest.mark.parametrize("sharp_tests", [False, True])
@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("kind", CONTROLLER_KINDS)
def test_sharp_registers_equal_those_of_taking_turns(kind, loss, sharp_tests):
    controller = make(kind, 3, sharp_tests=sharp_tests)
    options = {"loss": loss, "sharp_registers": True}
    found, wanted = (run(controller, "copy", 5, 4, spread=4, **options) for run in (play, in_turns))
    assert_equal(found, wanted, 5e-5)
    plain = play(controller, "copy", 5, 4, spread=4, loss=loss)
    assert not torch.allclose(found["returns"], plain["returns"])


@built
@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("kind", CONTROLLER_KINDS)
def test_noisy_registers_equal_those_of_taking_turns(kind, loss):
    controller = make(kind, 3)
    chance = np.random.default_rng(0).integers(2**31, size=15)
    chance[::4] = 0
    options = {"spread": 4, "loss": loss, "sharp_registers": True}
    noisy = options | {"noisy_registers": True}
    found, wanted = (run(controller, "copy", 5, 4, chance=chance, **noisy) for run in (play, in_turns))
    assert_equal(found, wanted, 5e-5)
    plain = play(controller, "copy", 5, 4, **options)
    same = torch.isclose(found["returns"], plain["returns"], rtol=1e-6).flatten()
    assert same.equal(torch.from_numpy(chance == 0))


@built
@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("kind", CONTROLLER_KINDS)
def test_what_timesteps_cost_is_in_the_return_however_it_is_played(kind, loss):
    controller, costs = make(kind, 3), {"step_cost": 0.5, "unfinished_cost": 4.0}
    found, wanted = (run(controller, "copy", 5, 3, loss=loss, **costs) for run in (play, in_turns))
    assert_equal(found, wanted, 2e-5)
    free = play(controller, "copy", 5, 3, loss=loss)
    cost = 0.5 * found["steps"] + 4 * found["unfinished"]
    torch.testing.assert_close(found["returns"], free["returns"] - cost)


@built
@pytest.mark.parametrize("name", ["halting_entropy", "steps", "unfinished"])
@pytest.mark.parametrize("loss", ["expected", "mixture"])
def test_a_gradient_through_the_time_of_the_stop_alone_equals_that_of_taking_turns(loss, name):
    gradients, problem = [], get_task("copy")
    batch = problem.sample(np.random.default_rng(0), 3, 8, 8)
    for backend in ("auto", "reference"):
        controller = make("lstm", 2, backend)
        envs = make_envs(problem, controller.spec.machine, 8, loss=loss, backend=backend)
        rollout = unroll(controller, envs, instance=batch, horizon=np.arange(8) + 2)
        gradients += torch.autograd.grad(getattr(rollout, name).sum(), controller.parameters)
    assert gradients[0].abs().sum() > 0
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-5)


@built
@pytest.mark.parametrize("gates", [(Gate.READ, Gate.ADD, Gate.WRITE), (*PAPER_GATES, Gate.READ)])
def test_any_gate_list_is_played(gates):
    spec = ControllerSpec("feedforward", MachineConfig(3, gates), 8)
    parameters = spec.initialise(torch.Generator().manual_seed(0), torch.ones(2)).requires_grad_()
    found, wanted = (run(Controller(spec, parameters), "access", 4, 3) for run in (play, in_turns))
    assert_equal(found, wanted, 2e-5)


@built
@pytest.mark.parametrize("loss", ["expected", "mixture"])
@pytest.mark.parametrize("members", [1, 16])
def test_threads_change_no_bit_and_company_no_more_than_a_rounding(members, loss):
    controller = make("lstm", members, hidden=32)
    alone = play(controller, "copy", 64, 3, loss=loss)
    torch.set_num_threads(3)
    try:
        shared = play(controller, "copy", 64, 3, loss=loss)
    finally:
        torch.set_num_threads(1)
    assert all(torch.equal(values, shared[name]) for name, values in alone.items())
    batch = get_task("copy").sample(np.random.default_rng(0), 3, 8, 5 * members)
    horizon = np.full(5 * members, 6)
    envs = make_envs(get_task("copy"), controller.spec.machine, 5 * members, loss=loss)
    stacked = unroll(controller, envs, instance=batch, horizon=horizon)
    envs = make_envs(get_task("copy"), controller.spec.machine, 5, loss=loss)
    last = slice(5 * members - 5, 5 * members)
    single = unroll(controller.member(members - 1), envs, instance=batch.rows(last), horizon=horizon[last])
    torch.testing.assert_close(stacked.returns[-1], single.returns[0], rtol=1e-6, atol=0)


@built
def test_a_run_without_gradient_gives_the_same_and_keeps_two_timesteps():
    controller = make("lstm", 3)
    with_gradient = play(controller, "copy", 16, 4)
    envs = make_envs(get_task("copy"), controller.spec.machine, 48, activation_clip=1.0)
    rng, problem = np.random.default_rng(1), get_task("copy")
    instance = problem.sample(rng, rng.integers(3, 4, 48, endpoint=True), problem.smallest_memory_size(4))
    horizon = problem.horizon(4) - rng.integers(0, 2, 48, endpoint=True)
    fused._spare.clear()
    with torch.no_grad():
        rollout = unroll(controller, envs, instance=instance, horizon=horizon)
    assert torch.equal(rollout.returns, with_gradient["returns"])
    short = len(fused._spare[0])
    play(controller, "copy", 16, 4)
    assert len(fused._spare[0]) == short // 2 * (problem.horizon(4) + 1)


@built
@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_a_member_that_is_not_finite_disturbs_no_other(backend):
    plain = make("lstm", 3, backend)
    broken = plain.parameters.detach().clone()
    broken[1, -1] = torch.nan
    found = play(replace(plain, parameters=broken.requires_grad_()), "copy", 6, 3)
    wanted = play(plain, "copy", 6, 3)
    assert found["returns"][1].isnan().all()
    for name in ("returns", "entropy", "gradient"):
        assert torch.equal(found[name][[0, 2]], wanted[name][[0, 2]]), name


def overflowing_at_first() -> torch.Tensor:
    """Parameters (1, N) of a member whose logits are infinite only where both registers are surely 0."""
    plain = make("feedforward", 1, registers=2)
    parameters = torch.zeros_like(plain.parameters)
    views = replace(plain, parameters=parameters).weights
    views["hidden1_weight"][:, :, 0] = 2e38  # twice that is more than a float32 holds
    views["hidden2_weight"][:, 0, 0] = 1.0
    views["head_weight"][:, 0] = 1e-38
    return parameters


@built
@pytest.mark.parametrize("backend", ["auto", "reference"])
def test_a_member_that_was_not_finite_once_stays_so_and_plays_on_with_logits_0(backend):
    overflowing = overflowing_at_first()
    plain = make("feedforward", 2, backend, registers=2)
    mixed = torch.cat([overflowing, plain.parameters[1:]]).detach().requires_grad_()
    controller = replace(plain, parameters=mixed)
    observed = torch.tensor([[[1.0, 1.0], [0.5, 0.5]]])
    logits, _ = controller.member(0)(observed, controller.member(0).initial_state(2))
    assert [bool(row.isfinite().all()) for row in logits[0]] == [False, True]
    found, silent = play(controller, "access", 6, 3), torch.cat([0 * overflowing, mixed.detach()[1:]])
    wanted = play(replace(plain, parameters=silent.requires_grad_()), "access", 6, 3)
    assert found["returns"][0].isnan().all()
    assert torch.equal(found["returns"][1], wanted["returns"][1])
    for name in ("entropy", "halting_entropy", "wrong"):
        assert torch.equal(found[name], wanted[name]), name


@built
@pytest.mark.parametrize("loss", ["expected", "mixture"])
def test_episodes_of_a_single_timestep_have_a_gradient(loss):
    controller, problem = make("feedforward", 2), get_task("copy")
    batch, horizon = problem.sample(np.random.default_rng(0), 2, 6, 8), np.ones(8, dtype=np.int64)
    gradients = []
    for backend in ("auto", "reference"):
        envs = make_envs(problem, controller.spec.machine, 8, loss=loss)
        rollout = unroll(replace(controller, backend=backend), envs, instance=batch, horizon=horizon)
        gradients += torch.autograd.grad(rollout.returns.sum(), controller.parameters)
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-6)


@built
def test_the_gradient_can_be_asked_for_once():
    controller = make("lstm", 2)
    envs = make_envs(get_task("access"), controller.spec.machine, 4)
    score = unroll(controller, envs, difficulty=2).returns.sum()
    torch.autograd.grad(score, controller.parameters, retain_graph=True)
    with pytest.raises(RuntimeError, match="can be asked for once"):
        torch.autograd.grad(score, controller.parameters)


@built
def test_seconds_in_the_machine_are_counted_where_asked_for():
    controller = make("lstm", 2)
    with fused.machine_seconds() as seconds:
        play(controller, "copy", 16, 4)
        counted = seconds.value
    play(controller, "copy", 16, 4)
    assert 0 < counted == seconds.value


@built
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda p: p.double(),
            r"parameters must be torch.float32, got torch.float64; backend='reference' can",
        ),
        (lambda p: p.t().contiguous().t(), r"parameters must be contiguous, got strides"),
    ],
)
def test_parameters_that_do_not_fit_are_refused_and_run_with_auto(change, message):
    plain = make("lstm", 3)
    changed = change(plain.parameters.detach())
    dtype = str(changed.dtype).removeprefix("torch.")
    envs = make_envs(get_task("access"), plain.spec.machine, 6, dtype=dtype)
    with pytest.raises(ValueError, match=message):
        unroll(Controller(plain.spec, changed, "fused"), envs, difficulty=2)
    envs.np_random = np.random.default_rng(0)
    found = unroll(Controller(plain.spec, changed, "auto"), envs, difficulty=2)
    floats = make_envs(get_task("access"), plain.spec.machine, 6)
    floats.np_random = np.random.default_rng(0)
    wanted = unroll(plain, floats, difficulty=2)
    torch.testing.assert_close(found.returns.float(), wanted.returns, rtol=1e-4, atol=1e-5)


@built
def test_an_illegal_target_is_one_clear_error():
    controller, problem = make("lstm", 1), get_task("copy")
    batch = problem.sample(np.random.default_rng(0), 2, 6, 4)
    wrong = replace(batch, target=batch.target + 100)
    for loss in ("expected", "mixture"):
        envs = make_envs(problem, controller.spec.machine, 4, loss=loss)
        envs.reset(options={"instance": batch})
        state = replace(envs.state, target=torch.from_numpy(wrong.target))
        with pytest.raises(ValueError, match=r"a target is not in 0..M-1"):
            fused.play(controller, envs.settings.rules, state)


def test_without_the_library_torch_computes(monkeypatch, tmp_path, caplog):
    wanted = in_turns(make("lstm", 2), "copy", 3, 3)
    monkeypatch.setattr(library, "LIBRARY_FILE", tmp_path / "missing.so")
    library.load.cache_clear()
    try:
        found = play(make("lstm", 2), "copy", 3, 3)
        with pytest.raises(ValueError, match=r"missing.so was not built"):
            play(make("lstm", 2, "fused"), "copy", 3, 3)
    finally:
        library.load.cache_clear()
    assert all(torch.equal(found[name], values) for name, values in wanted.items())
    assert len([record for record in caplog.records if "learner is missing" in record.message]) == 1
