"""Resets of the vector environment: options, halting of rows, saved states, bad arguments."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded

import nram_env
from nram_env.envs import NRAMVectorEnv
from nram_env.tasks import get_task, instance_of

gym.register_envs(nram_env)

DIFFICULTY = 3


def make(task="copy", num_envs=4, **arguments) -> NRAMVectorEnv:
    arguments = {"differentiable": True, "difficulty": DIFFICULTY} | arguments
    return gym.make_vec(f"NRAM/{get_task(task).title}-v0", num_envs=num_envs, **arguments)


def random_actions(envs, seed=0, scale=0.1):
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(
        envs.num_envs, envs.layout.size, generator=generator, dtype=envs.state.memory.dtype
    )


def test_reset_mask_resets_some_rows_and_leaves_the_others_running():
    envs = make(num_envs=3)
    envs.reset(seed=0)
    envs.step(random_actions(envs))
    before = envs.state
    _, infos = envs.reset(options={"reset_mask": np.array([False, True, False]), "horizon": 9})
    assert infos["horizon"].tolist() == [0, 9, 0]
    assert infos["_horizon"].tolist() == [False, True, False]
    assert envs.state.horizon.tolist() == [6, 9, 6]
    assert envs.state.elapsed.tolist() == [1, 0, 1]
    for row in (0, 2):
        assert torch.equal(envs.state.memory[row], before.memory[row])
        assert torch.equal(envs.output[row], before.output[row])
        assert np.array_equal(envs.instance.memory[row], before.instance.memory[row])
    assert envs.state.survival[1] == 1
    assert envs.state.registers[1, :, 0].tolist() == [1, 1, 1, 1]


def test_rows_that_are_reset_alone_keep_the_memory_size():
    envs, mask = make(num_envs=3), np.array([False, True, False])
    with pytest.raises(
        ValueError, match="reset_mask needs running episodes of memory_size 7, there are none"
    ):
        envs.reset(options={"reset_mask": mask})
    envs.reset(seed=0)
    envs.reset(options={"reset_mask": mask, "difficulty": 2})
    assert envs.instance.difficulty.tolist() == [3, 2, 3]
    assert envs.state.memory_size == 7
    with pytest.raises(ValueError, match="episodes of memory_size 9, there are those of 7"):
        envs.reset(options={"reset_mask": mask, "memory_size": 9})
    with pytest.raises(ValueError, match="task copy at difficulty 4 needs memory_size >= 9, got 7"):
        envs.reset(options={"reset_mask": mask, "difficulty": 4})


def test_reset_mask_keeps_the_graph_of_the_other_rows():
    envs = make(num_envs=2)
    envs.reset(seed=0)
    actions = random_actions(envs).requires_grad_()
    envs.step(actions)
    envs.reset(options={"reset_mask": torch.tensor([True, False])})
    envs.step(random_actions(envs, 1))[1].sum().backward()
    assert actions.grad[0].abs().sum() == 0
    assert actions.grad[1].abs().sum() > 0


def test_the_memory_size_may_change_at_every_reset():
    envs = make(num_envs=2)
    for memory_size in (7, 12, 9):
        observations, infos = envs.reset(seed=0, options={"memory_size": memory_size})
        assert infos["memory_size"].tolist() == [memory_size] * 2
        assert envs.state.memory_size == memory_size
        assert observations.shape == (2, 4)
        assert envs.step(random_actions(envs))[0].shape == (2, 4)


def test_the_memory_is_the_smallest_legal_one_for_the_largest_difficulty_unless_given():
    envs = make(num_envs=3)
    _, infos = envs.reset(seed=0, options={"difficulty": [2, 6, 1]})
    assert infos["memory_size"].tolist() == [13] * 3
    assert infos["difficulty"].tolist() == [2, 6, 1]
    assert infos["horizon"].tolist() == [5, 9, 4]


def test_a_given_instance_is_used_as_it_is():
    batch = instance_of(get_task("copy"), [[3, 1, 2, 0, 0], [2, 4, 0, 0, 0]])
    envs = make(num_envs=2)
    envs.reset(options={"instance": batch})
    assert np.array_equal(envs.instance.memory, batch.memory)
    assert np.array_equal(envs.instance.target, batch.target)
    assert np.array_equal(envs.instance.mask, batch.mask)
    assert envs.instance.difficulty.tolist() == [2, 1]


def test_a_saved_state_can_be_returned_to_and_replayed():
    envs = make(num_envs=3, loss="mixture")
    envs.reset(seed=0)
    envs.step(random_actions(envs))
    saved = envs.state
    ahead = [envs.step(random_actions(envs, step))[:2] for step in (1, 2)]
    envs.reset(seed=5, options={"difficulty": 5})
    envs.set_state(saved)
    again = [envs.step(random_actions(envs, step))[:2] for step in (1, 2)]
    for (observation, reward), (same_observation, same_reward) in zip(ahead, again, strict=True):
        assert torch.equal(observation, same_observation)
        assert torch.equal(reward, same_reward)


def test_a_state_of_another_shape_is_rejected():
    envs, other = make(num_envs=3), make(num_envs=2)
    other.reset(seed=0)
    envs.reset(seed=0)
    with pytest.raises(ValueError, match=r"expected a state of \(rows, registers\) = \(3, 4\), got \(2, 4\)"):
        envs.set_state(other.state)
    with pytest.raises(ValueError, match="expected what the property `state` gave, got dict"):
        envs.set_state({})


def test_the_same_seed_gives_the_same_instances_and_another_seed_others():
    envs = make(num_envs=8)
    memories = []
    for seed in (4, 4, 5):
        envs.reset(seed=seed)
        memories.append(envs.instance.memory)
    envs.reset(seed=4)
    envs.reset()
    assert np.array_equal(memories[0], memories[1])
    assert not np.array_equal(memories[0], memories[2])
    assert not np.array_equal(memories[0], envs.instance.memory)


def test_full_observations_hold_registers_and_memory():
    envs = make(num_envs=2, observation="full")
    observations, _ = envs.reset(seed=0)
    assert {name: tuple(part.shape) for name, part in observations.items()} == {
        "zero_probs": (2, 4),
        "registers": (2, 4, 7),
        "memory": (2, 7, 7),
    }
    numpy_envs = make(num_envs=2, observation="full", differentiable=False)
    arrays, _ = numpy_envs.reset(seed=0, options={"difficulty": 2})
    assert arrays in numpy_envs.observation_space
    with pytest.raises(ValueError, match=r'the observation "full" fixes memory_size to 7, got 9'):
        numpy_envs.reset(options={"memory_size": 9})


def test_nothing_is_there_before_the_first_reset():
    envs = make()
    with pytest.raises(ResetNeeded, match="call reset"):
        envs.step(torch.zeros(4, envs.layout.size))
    with pytest.raises(ResetNeeded, match="call reset"):
        _ = envs.entropy


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_envs": 0}, "num_envs must be an integer of at least 1, got 0"),
        ({"num_registers": 0}, "num_registers must be an integer in 1..63, got 0"),
        ({"gates": ["READ", "WRTE"]}, "unknown gate 'WRTE'; did you mean 'WRITE'"),
        ({"loss": "expectd"}, "unknown loss 'expectd'; did you mean 'expected'"),
        ({"backend": "fusd"}, "unknown backend 'fusd'; did you mean 'fused'"),
        ({"observation": "ful"}, "unknown observation 'ful'; did you mean 'full'"),
        ({"dtype": "float16"}, "unknown dtype 'float16'"),
        ({"memory_size": 6}, "task copy at difficulty 3 needs memory_size >= 7, got 6"),
        ({"memory_size": 7.0}, "memory_size must be an integer, got 7.0"),
        ({"difficulty": 0}, "difficulty must be an integer of at least 1, got 0"),
        ({"difficulty": "3"}, "difficulty must be an integer of at least 1, got '3'"),
        ({"horizon": 0}, "horizon must be an integer of at least 1, got 0"),
        ({"logit_scale": 0}, r"logit_scale must be a number in 1.18e-38..1e\+30, got 0"),
        ({"logit_scale": float("nan")}, r"logit_scale must be a number in 1.18e-38..1e\+30, got nan"),
        ({"log_floor": 2.0}, "log_floor must be a number in 1.18e-38..1, got 2.0"),
        ({"log_floor": 1e-50}, "log_floor must be a number in 1.18e-38..1, got 1e-50"),
        ({"activation_clip": -1}, r"activation_clip must be a number in 1.18e-38..3.4e\+38, got -1"),
        ({"gates": 5}, "gates must be a sequence of names, got 5"),
        ({"loss": ["expected"]}, r"unknown loss \['expected'\]"),
        ({"dtype": torch.float16}, "unknown dtype torch.float16"),
        ({"device": "meta"}, "device 'meta' cannot be used here"),
        ({"device": "nowhere"}, "device 'nowhere' cannot be used here"),
        ({"memory_size": 2**63}, "memory_size must be at most 2147483647, got 9223372036854775808"),
        ({"memory_size": 10**6}, "the memories of 1 x 1000000 cells need 14,901 GiB, and this computer has"),
        ({"num_envs": 10**9}, "the actions of 1000000000 rows need 4,590 GiB"),
        ({"horizon": 2**40}, "horizon must be at most 2147483647, got 1099511627776"),
        ({"hard": 1}, "hard must be True or False, got 1"),
        ({"differentiable": "yes"}, "differentiable must be True or False, got 'yes'"),
    ],
)
def test_a_bad_argument_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        make(**arguments)


def test_an_unknown_task_is_offered_the_nearest():
    with pytest.raises(ValueError, match="unknown task 'copyy'; did you mean 'copy'"):
        NRAMVectorEnv("copyy")
