"""The single environment: Gymnasium's rules, specs, pictures' input, saved states, long runs."""

import json
import subprocess
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

import nram_env
from nram_env.envs import ChoiceActions, NamedActions, NRAMEnv
from nram_env.machine import hard_step
from nram_env.tasks import get_task, instance_of, task_names

gym.register_envs(nram_env)

IDS = [f"NRAM/{get_task(name).title}-v0" for name in task_names()[:10]]
RENDERED = [{"render_mode": mode} for mode in NRAMEnv.metadata["render_modes"]]
OF_A_WRAPPED_ENV = ".*is different from the unwrapped version.*"


@pytest.fixture
def hasty(monkeypatch):
    """Windows do not wait between pictures."""
    monkeypatch.setitem(NRAMEnv.metadata, "render_fps", 1e9)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    "arguments",
    [{}, {"hard": True}, {"observation": "full"}, {"loss": "mixture"}, *RENDERED],
    ids=["soft", "hard", "full", "mixture", *NRAMEnv.metadata["render_modes"]],
)
@pytest.mark.parametrize("id_", IDS)
def test_check_env_finds_nothing(id_, arguments):
    """Without a render mode it makes the environment again in each, with one it draws in that one."""
    env = gym.make(id_, **arguments)
    check_env(env.unwrapped)
    env.close()


@pytest.mark.usefixtures("hasty")
@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("name", task_names("NRAM-X"))
def test_a_further_task_has_environments_in_a_namespace_of_its_own(name):
    task = get_task(name)
    id_ = f"NRAM-X/{task.title}-v0"
    check_env(gym.make(id_).unwrapped)
    envs = gym.make_vec(id_, num_envs=2, differentiable=True, difficulty=2)
    assert envs.reset(seed=0)[0].shape == (2, task.num_registers)
    assert envs.state.horizon.tolist() == [task.horizon(2)] * 2


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("observation", ["controller", "full"])
@pytest.mark.parametrize("wrapper", [NamedActions, ChoiceActions])
@pytest.mark.parametrize("id_", IDS)
def test_check_env_finds_nothing_about_the_wrappers_but_that_they_are_wrappers(id_, wrapper, observation):
    warnings.filterwarnings("ignore", message=OF_A_WRAPPED_ENV)
    check_env(wrapper(gym.make(id_, observation=observation)))


@pytest.mark.parametrize("id_", IDS)
def test_a_spec_goes_through_json_and_back(id_):
    arguments = {"gates": ["READ", "INC", "WRITE"], "num_registers": 3, "memory_size": 40, "horizon": 7}
    env = NamedActions(gym.make(id_, difficulty=4, loss="mixture", render_mode="ansi", **arguments))
    spec = EnvSpec.from_json(env.spec.to_json())
    again = gym.make(spec)
    assert json.loads(env.spec.to_json()) == json.loads(again.spec.to_json())
    assert str(again) == str(env)
    assert again.unwrapped.settings == env.unwrapped.settings
    assert again.action_space == env.action_space


def test_a_vector_spec_goes_through_json_and_back():
    envs = gym.make_vec("NRAM/Copy-v0", num_envs=3, differentiable=True, dtype="float64", difficulty=2)
    again = gym.make_vec(EnvSpec.from_json(envs.spec.to_json()))
    assert (again.num_envs, again.differentiable) == (3, True)
    assert again.settings == envs.settings
    assert again.spec.to_json() == envs.spec.to_json()


def test_importing_the_package_does_not_import_torch():
    program = "import nram_env, nram_env.envs, sys; print('torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False"


def test_tasks_work_where_torch_is_not_installed():
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "import numpy, nram_env.tasks as tasks\n"
        "for name in tasks.task_names():\n"
        "    assert not tasks.check_task(tasks.get_task(name))\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_neither_space_depends_on_the_memory_size():
    small, large = gym.make("NRAM/Copy-v0", memory_size=11), gym.make("NRAM/Copy-v0", memory_size=64)
    assert small.action_space == large.action_space
    assert small.observation_space == large.observation_space


def test_the_usual_difficulty_is_five_or_what_fits():
    def difficulty(**arguments):
        return gym.make("NRAM/WalkBST-v0", **arguments).reset(seed=0)[1]["difficulty"]

    assert difficulty() == 5
    assert difficulty(memory_size=16) == 3
    assert difficulty(memory_size=100) == 5
    assert gym.make("NRAM/Merge-v0").reset(seed=0, options={"memory_size": 10})[1]["difficulty"] == 2


def play_randomly(env, steps, seed=0):
    env.action_space.seed(seed)
    env.reset(seed=seed)
    for _ in range(steps):
        yield env.step(env.action_space.sample())
        if env.unwrapped.finished:
            env.reset()


def test_ten_thousand_random_steps_stay_finite_and_inside_the_spaces():
    for id_ in IDS:
        env = gym.make(id_, disable_env_checker=True)
        for observation, reward, *_, info in play_randomly(env, 1000):
            assert observation in env.observation_space
            assert np.isfinite(reward)
            assert reward <= 0
            assert 0 <= info["survival"] <= 1


def test_distributions_still_sum_to_one_after_a_hundred_steps_in_float32():
    env = gym.make("NRAM/Copy-v0", horizon=1000, memory_size=32).unwrapped
    env.action_space.seed(0)
    env.reset(seed=0)
    for _ in range(100):
        action = env.action_space.sample()
        action[env.layout.halt] = -1
        env.step(action)
    assert np.abs(env.state.registers.sum(-1).numpy() - 1).max() < 1e-4
    assert np.abs(env.state.memory.sum(-1).numpy() - 1).max() < 1e-4


def test_the_hard_environment_is_the_integer_machine():
    env = gym.make("NRAM/Permutation-v0", hard=True).unwrapped
    env.action_space.seed(1)
    env.reset(seed=1)
    registers = np.zeros((1, 6), dtype=np.int64)
    memory = env.instance.memory
    for _ in range(env.state.horizon.item()):
        action = env.action_space.sample()
        action[env.layout.halt] = 0
        observation, *_ = env.step(action)
        registers, memory = hard_step(
            env.settings.rules.machine, registers, memory, env.layout.choices(action[None])
        )
        assert env.state.registers.argmax(-1).numpy().tolist() == registers.tolist()
        assert env.state.memory.argmax(-1).numpy().tolist() == memory.tolist()
        assert observation.tolist() == (registers[0] == 0).tolist()
    assert set(np.unique(env.state.memory.numpy())) == {0, 1}


def test_the_hard_machine_takes_the_first_of_equal_logits_and_halts_above_a_half():
    env = gym.make("NRAM/Access-v0", hard=True).unwrapped
    env.reset(seed=0)
    action = np.zeros(env.layout.size, dtype=np.float32)
    env.step(action)
    assert env.state.registers.argmax(-1).tolist() == [[0, 0, 0, 0]]
    assert not env.finished
    action[env.layout.halt] = 1e-6
    assert env.step(action)[2]


def test_choices_and_named_actions_drive_the_same_machine():
    instance = instance_of(get_task("access"), [[2, 4, 3, 5, 0, 0]])
    plain, named = gym.make("NRAM/Access-v0"), NamedActions(gym.make("NRAM/Access-v0"))
    plain.reset(options={"instance": instance})
    named.reset(options={"instance": instance})
    named.action_space.seed(0)
    action = named.action_space.sample()
    layout = plain.unwrapped.layout
    flat = np.concatenate([action[selector.name] for selector in layout.selectors] + [action["halt"]])
    assert named.step(action)[1] == plain.step(flat)[1]


def choose(layout, **choices):
    """Choices by selector name, "_" for the dot; register 0 where nothing is said."""
    picked = [choices.get(selector.name.replace(".", "_"), 0) for selector in layout.selectors]
    return np.array([*picked, choices.get("halt", 0)])


def test_a_program_written_as_choices_solves_access():
    env = ChoiceActions(gym.make("NRAM/Access-v0"))
    layout = env.unwrapped.layout
    read, write = 4, 4 + 13
    env.reset(options={"instance": instance_of(get_task("access"), [[2, 4, 3, 5, 0, 0]])})
    fetch = choose(layout, gate13_WRITE_a=read, register1=read)
    _, reward, terminated, _, _ = env.step(fetch)
    assert (reward, terminated) == (0, False)
    follow = choose(layout, gate0_READ_p=1, gate13_WRITE_a=read, register2=write, halt=1)
    _, reward, terminated, _, info = env.step(follow)
    assert (reward, terminated) == (0, True)
    assert info == {"survival": 0.0, "cell_error": 0.0, "is_success": True}


def test_a_wrong_answer_costs_the_floor_of_the_logarithm():
    env = ChoiceActions(gym.make("NRAM/Access-v0", log_floor=1e-3))
    env.reset(options={"instance": instance_of(get_task("access"), [[2, 4, 3, 5, 0, 0]])})
    _, reward, _, _, info = env.step(choose(env.unwrapped.layout, halt=1))
    assert reward == pytest.approx(np.log(1e-3))
    assert info == {"survival": 0.0, "cell_error": 1.0, "is_success": False}


def test_choices_make_the_machine_hard_and_leave_other_environments_alone():
    plain = gym.make("NRAM/Copy-v0")
    assert ChoiceActions(gym.make("NRAM/Copy-v0")).unwrapped.settings.hard
    assert not plain.unwrapped.settings.hard


@pytest.mark.parametrize("wrapper", [NamedActions, ChoiceActions])
def test_the_wrappers_take_only_machines(wrapper):
    with pytest.raises(TypeError, match="expected an NRAMEnv"):
        wrapper(gym.make("CartPole-v1"))


def test_stepping_on_after_the_end_is_an_error():
    env = gym.make("NRAM/Copy-v0", horizon=1)
    env.reset(seed=0)
    env.action_space.seed(0)
    assert env.step(env.action_space.sample())[2]
    with pytest.raises(ResetNeeded, match="the episode is over"):
        env.step(env.action_space.sample())


def test_a_saved_state_can_be_returned_to():
    env = gym.make("NRAM/Swap-v0").unwrapped
    env.action_space.seed(0)
    env.reset(seed=0)
    env.step(env.action_space.sample())
    saved, action = env.state, env.action_space.sample()
    first = env.step(action)
    env.reset(seed=9)
    env.set_state(saved)
    again = env.step(action)
    assert np.array_equal(first[0], again[0])
    assert first[1:] == again[1:]


def test_infos_are_plain_and_fresh():
    env = gym.make("NRAM/Copy-v0", horizon=2)
    _, info = env.reset(seed=0)
    assert {name: type(value) for name, value in info.items()} == dict.fromkeys(
        ("difficulty", "horizon", "memory_size"), int
    )
    for _ in range(2):
        info = env.step(np.full(env.action_space.shape, -0.1, np.float32))[4]
    kinds = {name: type(value) for name, value in info.items()}
    assert kinds == {"survival": float, "cell_error": float, "is_success": bool}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"differentiable": True}, r"gym.make_vec\(id, num_envs=..., differentiable=True\)"),
        ({"dtype": "float64"}, "unexpected keyword argument 'dtype', which is for the vector environment"),
        ({"num_envs": 2}, r"gym.make_vec\(id, num_envs=2\)"),
        ({"horison": 3}, "unexpected keyword argument 'horison'; did you mean 'horizon'"),
        ({"autoreset_mode": "disabled"}, r"gym.make_vec\(id, num_envs=..., autoreset_mode='disabled'\)"),
    ],
)
def test_an_argument_that_the_single_environment_lacks_is_named(arguments, message):
    with pytest.raises(TypeError, match=message):
        NRAMEnv("copy", **arguments)


def test_an_unknown_render_mode_is_offered_the_nearest():
    with pytest.raises(ValueError, match="unknown render_mode 'ascii'; did you mean 'ansi'"):
        NRAMEnv("copy", render_mode="ascii")


@pytest.mark.parametrize("id_", ["NRAM/Copy-v0", "NRAM/Merge-v0"])
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_gymnasiums_own_vectorisation_gives_the_single_environments_numbers(id_, mode):
    envs = gym.make_vec(id_, num_envs=2, vectorization_mode=mode)
    singles = [gym.make(id_) for _ in range(2)]
    observations, infos = envs.reset(seed=3)
    for row, single in enumerate(singles):
        observation, info = single.reset(seed=3 + row)
        assert np.array_equal(observation, observations[row])
        assert info["horizon"] == infos["horizon"][row]
    envs.action_space.seed(0)
    for _ in range(3):
        actions = envs.action_space.sample()
        actions[:, -1] = -1
        observations, rewards, terminated, _, _ = envs.step(actions)
        for row, single in enumerate(singles):
            observation, reward, ended, _, _ = single.step(actions[row])
            assert np.array_equal(observation, observations[row])
            assert reward == rewards[row]
            assert ended == terminated[row]
    envs.close()
