"""Pictures of many machines: those of the single environment, a grid, and what videos are made of."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded
from gymnasium.wrappers.vector import RecordVideo

import nram_env
from nram_env.envs.picture import draw_picture

gym.register_envs(nram_env)

ROWS = 3


def make(mode, **arguments):
    return gym.make_vec("NRAM/Copy-v0", **{"num_envs": ROWS, "render_mode": mode} | arguments)


def actions(envs, seed=0, halt=-1.0):
    values = np.random.default_rng(seed).uniform(-1, 1, envs.action_space.shape).astype(np.float32)
    values[:, -1] = halt
    return values


def same(ours, theirs):
    """The same text, or picture but for rounding: sums of a batch are taken in another order."""
    if isinstance(ours, str):
        return ours == theirs
    return ours.shape == theirs.shape and np.abs(ours.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
def test_a_row_looks_as_the_single_environment_does(mode, hard):
    envs, single = make(mode, hard=hard), gym.make("NRAM/Copy-v0", render_mode=mode, hard=hard)
    envs.reset(seed=0, options={"difficulty": [2, 5, 3]})
    start, instance, horizon = envs.render(), envs.instance, envs.state.horizon.tolist()
    for seed in range(2):
        envs.step(actions(envs, seed))
    for row, drawn in enumerate(zip(start, envs.render(), strict=True)):
        single.reset(options={"instance": instance.rows(row), "horizon": horizon[row]})
        expected = [single.render()]
        for seed in range(2):
            single.step(actions(envs, seed)[row])
        expected.append(single.render())
        assert all(map(same, drawn, expected))


def test_it_is_the_form_of_gymnasiums_own_vector_environment():
    ours, theirs = (make("rgb_array", vectorization_mode=mode) for mode in (None, "sync"))
    for envs in (ours, theirs):
        envs.reset(seed=0)
    assert type(ours.render()) is type(theirs.render()) is tuple
    assert [(frame.shape, frame.dtype) for frame in ours.render()] == [
        (frame.shape, frame.dtype) for frame in theirs.render()
    ]
    assert (ours.render_mode, ours.metadata["render_fps"]) == ("rgb_array", theirs.metadata["render_fps"])


@pytest.mark.parametrize(("rows", "shape"), [(1, (1, 1)), (2, (1, 2)), (3, (2, 2)), (5, (2, 3)), (9, (3, 3))])
def test_a_grid_holds_every_row_with_its_number_from_left_to_right_and_down(rows, shape):
    envs = make("rgb_array_grid", num_envs=rows)
    envs.reset(seed=0)
    envs.step(actions(envs))
    grid = envs.render()
    assert (grid.shape, grid.dtype) == ((240 * shape[0], 320 * shape[1], 3), np.uint8)
    for row in range(rows):
        down, right = divmod(row, shape[1])
        tile = grid[240 * down : 240 * (down + 1), 320 * right : 320 * (right + 1)]
        alone = draw_picture(envs._frame(row), scale=1, caption=f"ROW {row}")
        assert np.array_equal(tile[:-1, :-1], alone[:-1, :-1])
    assert rows == shape[0] * shape[1] or (grid[-240:, -320:] == 255).all()


@pytest.mark.parametrize(
    ("autoreset_mode", "touching"),
    [
        ("next_step", [[True, True, True], [False, True, True]]),
        ("same_step", [[False, True, True], [False, True, True]]),
        ("disabled", [[True, True, True], [False, True, True]]),
    ],
)
def test_a_row_that_has_begun_again_or_stands_still_reads_and_writes_nothing(autoreset_mode, touching):
    envs = make("ansi", autoreset_mode=autoreset_mode)
    envs.reset(seed=0, options={"horizon": [1, 5, 5]})
    for expected in touching:
        envs.step(actions(envs))
        assert ["<-" in text for text in envs.render()] == expected


def test_after_a_return_to_a_saved_state_nothing_is_read_or_written():
    envs = make("ansi")
    envs.reset(seed=0)
    envs.step(actions(envs))
    envs.set_state(envs.state)
    assert not any("<-" in text for text in envs.render())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pictures_leave_the_graph_alone(dtype):
    envs = make("rgb_array_grid", differentiable=True, dtype=dtype)
    envs.reset(seed=0)
    given = torch.from_numpy(actions(envs, halt=0)).to(envs.state.memory.dtype).requires_grad_()
    rewards = envs.step(given)[1]
    envs.render()
    rewards.sum().backward()
    assert given.grad.abs().sum() > 0
    before, logits = envs._last
    assert not before.memory.requires_grad
    assert not logits.requires_grad


@pytest.mark.parametrize("mode", ["ansi", "rgb_array", "rgb_array_grid", "human"])
def test_there_is_nothing_to_draw_before_the_first_reset(mode):
    with pytest.raises(ResetNeeded, match="call reset"):
        make(mode).render()


def test_without_a_render_mode_nothing_is_drawn_and_a_warning_says_how():
    envs = make(None)
    envs.reset(seed=0)
    with pytest.warns(UserWarning, match="render_mode=human, ansi, rgb_array, rgb_array_grid"):
        assert envs.render() is None


def test_an_unknown_render_mode_is_offered_the_nearest():
    with pytest.raises(ValueError, match="unknown render_mode 'rgb_grid'; did you mean 'rgb_array_grid'"):
        make("rgb_grid")


@pytest.mark.parametrize("autoreset_mode", ["next_step", "disabled"])
def test_a_video_of_a_batch_can_be_recorded(autoreset_mode, tmp_path):
    envs = make("rgb_array", autoreset_mode=autoreset_mode, horizon=3, difficulty=2)
    recorded = RecordVideo(envs, str(tmp_path / "videos"), episode_trigger=lambda episode: episode == 0)
    recorded.reset(seed=0)
    for _ in range(3):
        recorded.step(actions(envs))
    assert [frame.shape for frame in recorded.recorded_frames] == [(480, ROWS * 640, 3)] * 4
    recorded.close()
    (video,) = (tmp_path / "videos").glob("*.mp4")
    assert video.read_bytes()[4:8] == b"ftyp"
