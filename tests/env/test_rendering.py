"""Pictures and tables of a machine."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

import nram_env
from nram_env.envs import ChoiceActions
from nram_env.envs.font import text_mask
from nram_env.envs.text import draw_text
from nram_env.tasks import get_task, instance_of

gym.register_envs(nram_env)

READ, WRITE = 4, 4 + 13
DARK, WHITE = (24, 48, 120), (255, 255, 255)


def copying(render_mode):
    """The hard machine after it has copied the first of two elements: p is in r1, 1 in r0."""
    env = ChoiceActions(gym.make("NRAM/Copy-v0", render_mode=render_mode))
    env.reset(options={"instance": instance_of(get_task("copy"), [[3, 7, 5, 0, 0, 0, 0, 0]])})
    layout = env.unwrapped.layout

    def act(**choices):
        named = [choices.get(selector.name.replace(".", "_"), 0) for selector in layout.selectors]
        env.step(np.array([*named, 0]))

    act(gate13_WRITE_a=READ, register0=8, register1=READ)
    act(gate13_WRITE_p=1, gate13_WRITE_a=READ, register0=0, register1=1)
    return env


def test_the_text_is_the_papers_table():
    assert copying("ansi").render() == (
        "Copy  n = 2  M = 8  step 2 of 5  survival 1.000\n"
        "step | 0  1  2  3  4  5  6  7 |r0 r1 r2 r3 | READ, WRITE\n"
        "   2 | 3  7  5  0  0  0  0  0 | 1  3  0  0 | READ 1 -> 7  WRITE 3 <- 7\n"
        "   3 | 3  7  5  7  0  0  0  0 | 1  3  1  1 |\n"
        "want | .  .  .  7  5  .  .  . |\n"
    )


def test_before_the_first_step_the_text_has_one_row():
    env = gym.make("NRAM/Access-v0", render_mode="ansi")
    env.reset(options={"instance": instance_of(get_task("access"), [[2, 4, 3, 0, 0]])})
    assert env.render().splitlines()[1:] == [
        "step | 0  1  2  3  4 |r0 r1 r2 r3 | READ, WRITE",
        "   1 | 2  4  3  0  0 | 0  0  0  0 |",
        "want | 3  .  .  .  . |",
    ]


def test_uncertain_entries_carry_a_mark():
    env = gym.make("NRAM/Access-v0", render_mode="ansi")
    env.reset(options={"instance": instance_of(get_task("access"), [[2, 4, 3, 0, 0]])})
    env.step(np.zeros(env.action_space.shape, np.float32))
    text = env.render()
    assert "READ 0 -> 2  WRITE 0~ <- 0~" in text
    assert text.splitlines()[3].count("~") > 3


def test_colour_marks_what_was_read_written_and_is_right():
    frame = copying("ansi").unwrapped._frame()
    before, after = draw_text(frame, colour=True).splitlines()[2:4]
    assert "\033[36m 7 \033[0m" in before
    assert "\033[1;31m 7 \033[0m" in after
    assert "\033" not in draw_text(frame, colour=False)


def test_no_colour_codes_go_into_a_pipe(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033" not in copying("ansi").render()
    monkeypatch.delenv("NO_COLOR")
    assert "\033" in copying("ansi").render()


def test_the_picture_shows_the_copied_cell():
    picture = copying("rgb_array").render()
    assert picture.shape == (480, 640, 3)
    assert picture.dtype == np.uint8
    cells, registers, values = np.linspace(74, 426, 9), np.linspace(460, 632, 5), np.linspace(440, 92, 9)

    def colour(edges, column, value):
        x, y = edges[column : column + 2].mean(), values[value : value + 2].mean()
        return tuple(picture[int(y), int(x)])

    assert colour(cells, 1, 7) == colour(cells, 3, 7) == DARK
    assert colour(cells, 3, 0) == WHITE
    assert colour(registers, 0, 1) == colour(registers, 1, 3) == DARK


def test_the_picture_marks_the_pointers_on_their_strips():
    picture, cells = copying("rgb_array").render(), np.linspace(74, 426, 9)
    strips = picture[[49, 73]][:, ((cells[:-1] + cells[1:]) / 2).astype(int)]
    assert [np.flatnonzero((strip != 255).any(-1)).tolist() for strip in strips] == [[1], [3]]


@pytest.mark.parametrize("hard", [False, True])
@pytest.mark.parametrize("memory_size", [16, 100, 700])
def test_a_picture_of_any_memory_has_the_same_size(memory_size, hard):
    env = gym.make("NRAM/ListK-v0", memory_size=memory_size, render_mode="rgb_array", hard=hard)
    env.reset(seed=0)
    env.action_space.seed(0)
    env.step(env.action_space.sample())
    picture = env.render()
    assert picture.shape == (480, 640, 3)
    assert (picture != 255).any()


def test_pictures_are_fresh():
    env = copying("rgb_array")
    first = env.render()
    first[:] = 0
    assert env.render().any()


def test_without_a_render_mode_nothing_is_drawn_and_a_warning_says_how():
    env = gym.make("NRAM/Copy-v0").unwrapped
    env.reset(seed=0)
    with pytest.warns(UserWarning, match="render_mode"):
        assert env.render() is None


def test_there_is_nothing_to_draw_before_the_first_reset():
    with pytest.raises(ResetNeeded, match="call reset"):
        gym.make("NRAM/Copy-v0", render_mode="ansi").unwrapped.render()


def test_letters_are_five_by_seven_dots():
    assert text_mask("L", 1).astype(int).tolist() == [[1, 0, 0, 0, 0, 0]] * 6 + [[1, 1, 1, 1, 1, 0]]
    assert text_mask("12", 2).shape == (14, 24)
