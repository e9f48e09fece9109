"""Arguments: every form that is accepted becomes the one plain form, and a spec always round-trips."""

import copy
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode

import nram_env
from nram_env.envs import NRAMEnv, NRAMVectorEnv
from nram_env.machine import Gate
from nram_env.tasks import get_task, instance_of

gym.register_envs(nram_env)

FORMS = [
    ({"gates": [Gate.READ, "inc", Gate.WRITE]}, {"gates": ["READ", "INC", "WRITE"]}),
    ({"gates": (Gate.LESS_THAN,)}, {"gates": ["LESS-THAN"]}),
    ({"num_registers": np.int64(3), "horizon": np.uint8(4)}, {"num_registers": 3, "horizon": 4}),
    ({"memory_size": np.int32(9), "difficulty": np.array(2)}, {"memory_size": 9, "difficulty": 2}),
    ({"logit_scale": np.float32(2), "log_floor": np.float64(0.5)}, {"logit_scale": 2.0, "log_floor": 0.5}),
]
VECTOR_FORMS = [
    ({"dtype": torch.float64, "device": torch.device("cpu")}, {"dtype": "float64", "device": "cpu"}),
    ({"autoreset_mode": AutoresetMode.DISABLED}, {"autoreset_mode": "disabled"}),
    ({"render_mode": "rgb_array_grid"}, {"render_mode": "rgb_array_grid"}),
    ({"num_envs": np.int64(2), "activation_clip": np.int8(1)}, {"num_envs": 2, "activation_clip": 1.0}),
]


def round_trips(env, plain):
    spec = env.spec
    assert {name: spec.kwargs[name] for name in plain} == plain
    assert {name: type(spec.kwargs[name]) for name in plain} == {n: type(v) for n, v in plain.items()}
    again = EnvSpec.from_json(spec.to_json())
    assert again.kwargs == spec.kwargs
    return again


@pytest.mark.parametrize(("given", "plain"), FORMS)
def test_a_spec_keeps_plain_json_whatever_form_was_given(given, plain):
    env = gym.make("NRAM/Copy-v0", **given)
    again = gym.make(round_trips(env, plain))
    assert again.unwrapped.settings == env.unwrapped.settings
    assert again.spec.to_json() == env.spec.to_json()


@pytest.mark.parametrize(("given", "plain"), FORMS + VECTOR_FORMS)
def test_a_vector_spec_keeps_plain_json_whatever_form_was_given(given, plain):
    envs = gym.make_vec("NRAM/Copy-v0", **{"num_envs": 3} | given)
    again = gym.make_vec(round_trips(envs, plain))
    assert again.settings == envs.settings
    assert again.autoreset_mode is envs.autoreset_mode
    assert again.spec.to_json() == envs.spec.to_json()


def test_a_type_of_torch_is_as_good_as_its_name():
    for dtype in ("float64", torch.float64):
        envs = gym.make_vec("NRAM/Copy-v0", num_envs=2, differentiable=True, dtype=dtype)
        assert envs.reset(seed=0)[0].dtype == torch.float64


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error_at_construction():
    with pytest.raises(ValueError, match=r"device 'cuda' cannot be used here: .*CUDA"):
        gym.make_vec("NRAM/Copy-v0", num_envs=2, device="cuda")


@pytest.mark.parametrize("owner", [NRAMEnv, NRAMVectorEnv])
@pytest.mark.parametrize("name", ["frameskip", "num_register", "Task"])
def test_a_keyword_that_there_is_not_is_pythons_own_error_and_offers_the_nearest(owner, name):
    with pytest.raises(TypeError, match=rf"{owner.__name__}\(\) got an unexpected keyword argument '{name}'"):
        owner("copy", **{name: 1})
    with pytest.raises(TypeError, match="'num_register'; did you mean 'num_registers'"):
        owner("copy", num_register=1)


@pytest.mark.parametrize(
    ("make", "arguments", "advice"),
    [
        (gym.make, {"num_envs": 2}, r"gym.make_vec\(id, num_envs=2\)"),
        (gym.make, {"differentiable": True}, r"gym.make_vec\(id, num_envs=..., differentiable=True\)"),
        (
            gym.make_vec,
            {"num_envs": 2, "vectorization_mode": "sync", "dtype": "float64"},
            "dtype='float64'), without vectorization_mode",
        ),
        (gym.make_vec, {"num_envs": 2, "max_episode_steps": 3}, r"gym.make\(id, max_episode_steps=3\)"),
    ],
)
def test_advice_is_never_what_was_done_already(make, arguments, advice):
    with pytest.raises(TypeError, match=advice.replace("), w", r"\), w")):
        make("NRAM/Copy-v0", **arguments)


@pytest.mark.parametrize("cut", ["entropy", "halting_entropy"])
def test_detach_state_cuts_everything_that_is_kept(cut):
    envs = gym.make_vec("NRAM/Copy-v0", num_envs=2, differentiable=True)
    envs.reset(seed=0)
    envs.step(torch.full(envs.action_space.shape, -0.1, requires_grad=True))
    kept = getattr(envs, cut)
    assert kept.requires_grad
    envs.detach_state()
    assert not getattr(envs, cut).requires_grad
    assert torch.equal(getattr(envs, cut), kept)
    again = copy.deepcopy(envs)
    assert torch.equal(again.entropy, envs.entropy)
    assert not again.state.observed.requires_grad


@pytest.mark.parametrize(
    ("scale", "value"), [(10.0, 3e38), (10.0, -1e38), (1.0, 2e30), (1e30, 1.5), (1.0, float("nan"))]
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_action_is_checked_as_it_is_used(scale, value, dtype):
    envs = gym.make_vec("NRAM/Copy-v0", num_envs=2, differentiable=True, logit_scale=scale, dtype=dtype)
    envs.reset(seed=0)
    actions = torch.zeros(envs.action_space.shape, dtype=envs.state.memory.dtype)
    actions[1, 5] = value
    with pytest.raises(ValueError, match=r"got .* at position 5 of row 1"):
        envs.step(actions)


@pytest.mark.parametrize("backend", ["reference", "auto"])
@pytest.mark.parametrize("loss", ["expected", "mixture"])
def test_the_largest_logits_give_finite_numbers_and_gradients(backend, loss):
    envs = gym.make_vec("NRAM/Copy-v0", num_envs=3, differentiable=True, backend=backend, loss=loss)
    envs.reset(seed=0)
    actions = torch.randn(envs.action_space.shape, generator=torch.Generator().manual_seed(0)).sign() * 9e28
    actions[:, -1] = torch.tensor([-9e28, 9e28, 0.0])
    actions.requires_grad_()
    total = 0
    for _ in range(2):
        total = total + envs.step(actions)[1].sum() + envs.entropy.sum() + envs.halting_entropy.sum()
    total.backward()
    assert total.isfinite()
    assert actions.grad.isfinite().all()


def other_task(rows):
    return get_task("reverse").sample(np.random.default_rng(0), 3, 9, rows)


def by_hand(rows):
    return replace(other_task(rows), task=None)


@pytest.mark.parametrize("make", [gym.make, lambda id_: gym.make_vec(id_, num_envs=1)])
@pytest.mark.parametrize(
    ("instance", "message"),
    [
        (other_task, "instance must belong to task copy, got a batch of task reverse"),
        (by_hand, "instance.target: cell 4 of row 0 holds . but task copy wants"),
        (lambda rows: instance_of(get_task("reverse"), [[2, 3, 0, 0]] * rows), "batch of task reverse"),
    ],
)
def test_instances_of_another_task_are_refused(make, instance, message):
    env = make("NRAM/Copy-v0")
    with pytest.raises(ValueError, match=message.replace("holds .", "holds .,")):
        env.reset(options={"instance": instance(1)})


def test_instances_keep_the_task_that_drew_them():
    task = get_task("permutation")
    batch, easy = (draw(np.random.default_rng(0), 3, 9, 2) for draw in (task.sample, task.sample_easy))
    assert {batch.task, easy.task, batch.rows(0).task, easy.where(np.array([True, False]), batch).task} == {
        "permutation"
    }
    assert batch.where(np.array([True, False]), other_task(2)).task is None
    env = gym.make("NRAM/Permutation-v0")
    env.reset(options={"instance": easy.rows(0)})
    assert env.unwrapped.instance.task == "permutation"


@pytest.mark.parametrize("other", ["task", "dtype", "rows"])
def test_a_state_of_another_environment_is_refused(other):
    arguments = {"dtype": "float64"} if other == "dtype" else {}
    giver = gym.make_vec(
        "NRAM/Access-v0" if other == "task" else "NRAM/Copy-v0", num_envs=2 + (other == "rows"), **arguments
    )
    giver.reset(seed=0)
    taker = gym.make_vec("NRAM/Copy-v0", num_envs=2)
    with pytest.raises(ValueError, match=r"expected a state of .* got"):
        taker.set_state(giver.state)


@pytest.mark.parametrize("options", [{"memory_size": 2**63}, {"memory_size": 10**6}, {"difficulty": 2**30}])
@pytest.mark.parametrize("seed", [None, 7])
@pytest.mark.parametrize("make", [gym.make, lambda id_: gym.make_vec(id_, num_envs=2)])
def test_a_failed_reset_has_not_touched_the_generator(make, options, seed):
    env = make("NRAM/Copy-v0").unwrapped
    with pytest.raises(ValueError, match=r"GiB|at most"):
        env.reset(seed=seed, options=options)
    assert env._np_random is None
    env.reset(seed=0)
    state, generator, chance = env.state, env.np_random, env.np_random.bit_generator.state
    with pytest.raises(ValueError, match=r"GiB|at most"):
        env.reset(seed=seed, options=options)
    assert env.state is state
    assert env.np_random is generator
    assert generator.bit_generator.state == chance
    assert env.np_random_seed == 0


def test_a_sampler_that_fails_has_not_touched_the_generator(monkeypatch):
    env = gym.make("NRAM/Copy-v0").unwrapped
    env.reset(seed=0)
    chance = env.np_random.bit_generator.state

    def fail(task, rng, difficulty, memory_size):
        rng.random(3)
        raise MemoryError("no room")

    monkeypatch.setattr(type(env.task), "draw", fail)
    for seed in (None, 5):
        with pytest.raises(MemoryError):
            env.reset(seed=seed)
        assert (env.np_random.bit_generator.state, env.np_random_seed) == (chance, 0)
