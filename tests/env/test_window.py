"""The mode "human": what the window shows, how long, what happens when it is closed or cannot open."""

import copy
import pickle
import sys
import tomllib
from pathlib import Path

import gymnasium as gym
import numpy as np
import pygame
import pytest
from gymnasium.error import DependencyNotInstalled, Error

import nram_env
from nram_env.envs import NRAMEnv, window

gym.register_envs(nram_env)

ROWS = 5


class Clock:
    """A clock that stands still but when somebody sleeps."""

    def __init__(self):
        self.now, self.naps = 100.0, []

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.naps.append(round(seconds, 6))
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(window, "time", clock)
    yield clock
    pygame.display.quit()


def make(**arguments):
    return gym.make("NRAM/Copy-v0", render_mode="human", **arguments)


def make_rows(num_envs=ROWS, **arguments):
    return gym.make_vec("NRAM/Copy-v0", num_envs=num_envs, render_mode="human", **arguments)


def step(env):
    return env.step(np.full(env.action_space.shape, -0.1, np.float32))


def shown():
    surface = pygame.display.get_surface()
    return None if surface is None else pygame.surfarray.array3d(surface).swapaxes(0, 1)


def test_every_reset_and_step_shows_the_picture():
    env = make()
    env.reset(seed=0)
    first = shown()
    assert np.array_equal(first, env.unwrapped._draw("rgb_array"))
    assert pygame.display.get_caption()[0] == "NRAM Copy"
    step(env)
    assert np.array_equal(shown(), env.unwrapped._draw("rgb_array"))
    assert not np.array_equal(shown(), first)
    assert env.render() is None


def test_a_batch_is_shown_as_a_grid():
    envs = make_rows(ROWS)
    envs.reset(seed=0)
    step(envs)
    assert np.array_equal(shown(), envs._draw("rgb_array_grid"))
    envs.close()
    assert (shown(), envs.closed) == (None, True)


def test_a_grid_that_is_larger_than_the_screen_is_shrunk():
    make_rows(25).reset(seed=0)
    screen, (height, width, _) = pygame.display.get_desktop_sizes()[0], shown().shape
    assert width <= screen[0]
    assert height <= screen[1]
    assert width / height == pytest.approx(4 / 3, rel=0.01)


def test_pictures_follow_each_other_as_fast_as_the_metadata_say(clock, monkeypatch):
    env = make()
    env.reset(seed=0)
    assert clock.naps == []
    step(env)
    assert clock.naps == [1 / env.metadata["render_fps"]]
    clock.now += 0.1  # which somebody thought about the next action
    step(env)
    assert clock.naps[1:] == [0.15]
    monkeypatch.setitem(NRAMEnv.metadata, "render_fps", 10)
    step(env)
    assert clock.naps[2:] == [0.1]
    clock.now += 60
    step(env)
    assert clock.naps[3:] == [0]


@pytest.mark.parametrize("make", [make, make_rows])
def test_an_episode_goes_on_when_its_window_is_closed(make, clock):
    env = make()
    env.reset(seed=0)
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    step(env)
    assert shown() is None
    before = len(clock.naps)
    for _ in range(2):
        assert env.render() is None
        step(env)
    env.reset()
    assert (shown(), len(clock.naps)) == (None, before)
    env.close()


def test_what_is_closed_by_the_program_opens_again_with_the_next_episode():
    env = make()
    for _ in range(2):
        env.reset(seed=0)
        assert shown() is not None
        env.close()
        env.close()
        assert shown() is None


def test_keys_are_left_to_the_users_own_loop():
    env = make()
    env.reset(seed=0)
    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=pygame.K_RIGHT))
    step(env)
    assert [event.key for event in pygame.event.get(pygame.KEYDOWN)] == [pygame.K_RIGHT]


def test_two_environments_share_the_window_and_outlive_each_other():
    one, other, never_shown = make(), make_rows(), make()
    one.reset(seed=0)
    other.reset(seed=0)
    never_shown.close()
    assert shown().shape == (480, 960, 3)
    step(one)
    assert shown().shape == (480, 640, 3)
    other.close()
    step(one)
    assert np.array_equal(shown(), one.unwrapped._draw("rgb_array"))


@pytest.mark.parametrize("again", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_goes_on_with_a_window_of_its_own(again):
    env = make()
    env.reset(seed=0)
    other = again(env)
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    assert step(env)[1] == step(other)[1]
    assert shown() is not None


@pytest.mark.parametrize("make", [make, make_rows])
def test_without_pygame_the_error_says_what_to_install(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    with pytest.raises(DependencyNotInstalled, match=r"pip install 'nram\[human\]'"):
        make()
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["optional-dependencies"]["human"] == ["gymnasium[classic-control]"]


def test_without_a_screen_the_error_says_what_needs_none(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "wall")
    env = make()
    with pytest.raises(Error, match=r'"human" needs a screen, .*: wall not available; "rgb_array" needs'):
        env.reset(seed=0)


def test_the_environment_does_not_load_pygame_for_other_modes(monkeypatch):
    monkeypatch.setitem(sys.modules, "pygame", None)
    env = gym.make("NRAM/Copy-v0", render_mode="rgb_array")
    env.reset(seed=0)
    assert env.render().shape == (480, 640, 3)
    env.close()
