"""What follows the end of a row: the three modes of Gymnasium, step by step as SyncVectorEnv has them."""

from collections import deque

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers.vector import RecordEpisodeStatistics

import nram_env
from nram_env.tasks import get_task

gym.register_envs(nram_env)

ROWS, STEPS = 4, 30
MODES = ["next_step", "same_step", "disabled"]


@pytest.fixture
def taped(monkeypatch):
    """Both vector environments draw the same instances: what one draws row by row, the other is given."""
    tape, draw = deque(), type(get_task("copy")).draw
    reading = []

    def drawn(task, rng, difficulty, memory_size):
        if reading:
            (row,) = difficulty
            batch = tape.popleft()
            assert (int(batch.difficulty[0]), batch.memory_size) == (row, memory_size)
            return batch
        batch = draw(task, rng, difficulty, memory_size)
        tape.extend(batch.rows(row) for row in range(len(difficulty)))
        return batch

    monkeypatch.setattr(type(get_task("copy")), "draw", drawn)
    return reading


def same(ours, theirs, place):
    """Equal to the last key, type and shape, floats to rounding: batches are summed in another order."""
    assert type(ours) is type(theirs), place
    if isinstance(ours, dict):
        assert set(ours) == set(theirs), place
        for name in ours:
            same(ours[name], theirs[name], f"{place}.{name}")
    elif isinstance(ours, np.ndarray) and ours.dtype == object:
        for row, pair in enumerate(zip(ours, theirs, strict=True)):
            same(*pair, f"{place}[{row}]")
    elif ours is not None:
        assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape), place
        assert np.allclose(ours, theirs, rtol=1e-5, atol=1e-6), place


def compare(ours, theirs, names):
    for name, *pair in zip(names, ours, theirs, strict=True):
        same(*pair, name)


OUTCOME = ("observations", "rewards", "terminated", "truncated", "infos")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "arguments",
    [{}, {"hard": True, "loss": "mixture"}, {"observation": "full", "difficulty": 2}],
    ids=["soft", "hard", "full"],
)
def test_every_step_is_that_of_gymnasiums_own_vector_environment(mode, arguments, taped):
    envs = gym.make_vec("NRAM/Copy-v0", num_envs=ROWS, autoreset_mode=mode, **arguments)
    makers = [lambda: gym.make("NRAM/Copy-v0", disable_env_checker=True, **arguments)] * ROWS
    sync = SyncVectorEnv(makers, autoreset_mode=AutoresetMode[mode.upper()])
    assert envs.metadata["autoreset_mode"] is envs.autoreset_mode is sync.autoreset_mode
    rng = np.random.default_rng(0)
    actions = rng.uniform(-1, 1, (STEPS, *envs.action_space.shape)).astype(np.float32)
    actions[:, :, -1] = rng.choice([-1, -0.1, 1], (STEPS, ROWS), p=[0.6, 0.2, 0.2])
    played = [[envs.reset(seed=0)]]
    for action in actions:
        played[-1].append(envs.step(action))
        ended = played[-1][-1][2]
        if mode == "disabled" and ended.any():
            played.append([envs.reset(options={"reset_mask": ended})])
    taped.append("from here on the tape is read")
    ended, action = None, iter(actions)
    for start, *steps in played:
        options = {} if ended is None else {"options": {"reset_mask": ended}}
        compare(start, sync.reset(seed=0 if ended is None else None, **options), ("observations", "infos"))
        for step in steps:
            compare(step, sync.step(next(action)), OUTCOME)
            ended = step[2]
    assert next(action, None) is None
    assert sum(step[2].sum() for _, *steps in played for step in steps) > 10


def test_a_standard_loop_goes_on_after_the_first_episode_and_its_statistics_count():
    envs = RecordEpisodeStatistics(gym.make_vec("NRAM/Copy-v0", num_envs=ROWS, horizon=3))
    envs.reset(seed=0)
    actions = np.full(envs.action_space.shape, -0.1, np.float32)
    memories = []
    for _ in range(12):
        *_, infos = envs.step(actions)
        memories.append(envs.unwrapped.instance.memory)
        if "episode" in infos:
            assert infos["episode"]["l"].tolist() == [3] * ROWS
    assert envs.episode_count == 3 * ROWS
    assert not np.array_equal(memories[0], memories[4])


@pytest.mark.parametrize("differentiable", [False, True])
def test_a_finished_row_says_so_once_and_is_counted_once(differentiable):
    envs = gym.make_vec(
        "NRAM/Copy-v0", num_envs=ROWS, autoreset_mode="disabled", differentiable=differentiable
    )
    envs.reset(seed=0, options={"horizon": [1, 3, 5, 6]})
    counted = np.zeros(ROWS, int)
    actions = np.full(envs.action_space.shape, -0.1, np.float32)
    while not envs.finished.all():
        outcome = envs.step(torch.from_numpy(actions) if differentiable else actions)
        counted += np.asarray(outcome[2])
    assert counted.tolist() == [1] * ROWS
    assert envs.state.elapsed.tolist() == [1, 3, 5, 6]


def test_episode_statistics_of_the_disabled_mode_count_every_row_once():
    envs = gym.make_vec("NRAM/Copy-v0", num_envs=ROWS, autoreset_mode="disabled")
    statistics = RecordEpisodeStatistics(envs)
    for _ in range(2):
        statistics.reset(seed=0, options={"horizon": [1, 3, 5, 6]})
        while not envs.finished.all():
            statistics.step(np.full(envs.action_space.shape, -0.1, np.float32))
    assert statistics.episode_count == 2 * ROWS
    assert list(statistics.length_queue) == [1, 3, 5, 6] * 2


@pytest.mark.parametrize("differentiable", [False, True])
def test_a_step_of_rows_that_have_all_finished_is_an_error_where_nothing_is_reset(differentiable):
    envs = gym.make_vec("NRAM/Copy-v0", num_envs=2, autoreset_mode="disabled", differentiable=differentiable)
    envs.reset(seed=0, options={"horizon": 1})
    actions = np.full(envs.action_space.shape, -0.1, np.float32)
    actions = torch.from_numpy(actions) if differentiable else actions
    envs.step(actions)
    state = envs.state
    with pytest.raises(ResetNeeded, match="all rows have finished"):
        envs.step(actions)
    assert envs.state is state


def test_the_differentiable_handle_resets_nothing_and_refuses_to():
    envs = gym.make_vec("NRAM/Copy-v0", num_envs=2, differentiable=True)
    assert envs.autoreset_mode is envs.metadata["autoreset_mode"] is AutoresetMode.DISABLED
    for mode in ("next_step", AutoresetMode.SAME_STEP):
        with pytest.raises(ValueError, match='autoreset_mode must be "disabled" if differentiable, got'):
            gym.make_vec("NRAM/Copy-v0", num_envs=2, differentiable=True, autoreset_mode=mode)


@pytest.mark.parametrize("mode", ["same_step", "SameStep", AutoresetMode.SAME_STEP])
def test_a_mode_is_given_as_gymnasium_names_it(mode):
    envs = gym.make_vec("NRAM/Copy-v0", num_envs=2, autoreset_mode=mode)
    assert envs.autoreset_mode is AutoresetMode.SAME_STEP
    assert envs.spec.kwargs["autoreset_mode"] == "same_step"
    with pytest.raises(ValueError, match="unknown autoreset_mode 'samestep'; did you mean 'same_step'"):
        gym.make_vec("NRAM/Copy-v0", num_envs=2, autoreset_mode="samestep")


@pytest.mark.parametrize("mode", ["next_step", "same_step"])
def test_a_row_begins_again_with_its_own_difficulty_horizon_and_memory_size(mode):
    envs = gym.make_vec("NRAM/Copy-v0", num_envs=2, autoreset_mode=mode)
    envs.reset(seed=0, options={"difficulty": [2, 7], "horizon": [2, 40]})
    actions = np.full(envs.action_space.shape, -1, np.float32)
    for _ in range(2 + (mode == "next_step")):
        *_, infos = envs.step(actions)
    assert infos["_difficulty"].tolist() == [True, False]
    assert (infos["difficulty"][0], infos["horizon"][0], infos["memory_size"][0]) == (2, 2, 15)
    assert envs.state.elapsed.tolist() == [0, 2 + (mode == "next_step")]
    assert envs.instance.difficulty.tolist() == [2, 7]


def test_finished_rows_of_a_saved_state_are_reset_at_the_next_step_or_refused():
    waiting, at_once = (
        gym.make_vec("NRAM/Copy-v0", num_envs=2, autoreset_mode=mode) for mode in ("next_step", "same_step")
    )
    waiting.reset(seed=0, options={"horizon": [1, 3]})
    actions = np.full(waiting.action_space.shape, -0.1, np.float32)
    waiting.step(actions)
    saved = waiting.state
    assert saved.finished.tolist() == [True, False]
    waiting.reset(seed=1)
    waiting.set_state(saved)
    assert waiting.step(actions)[1][0] == 0
    assert waiting.state.elapsed.tolist() == [0, 2]
    with pytest.raises(ValueError, match=r'autoreset_mode="same_step" no row has finished, got \[True'):
        at_once.set_state(saved)


@pytest.mark.parametrize("mode", ["next_step", "same_step"])
def test_a_reset_that_fails_within_a_step_changes_nothing(mode, monkeypatch):
    envs = gym.make_vec("NRAM/Copy-v0", num_envs=2, autoreset_mode=mode, horizon=1)
    envs.reset(seed=0)
    actions = np.full(envs.action_space.shape, -0.1, np.float32)
    if mode == "next_step":
        envs.step(actions)
    state, chance = envs.state, envs.np_random.bit_generator.state

    def fail(task, rng, difficulty, memory_size):
        rng.random(7)
        raise ValueError("no instance today")

    monkeypatch.setattr(type(envs.task), "draw", fail)
    with pytest.raises(ValueError, match="no instance today"):
        envs.step(actions)
    assert envs.state is state
    assert envs.np_random.bit_generator.state == chance
