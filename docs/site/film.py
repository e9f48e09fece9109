"""A controller of the zoo at work: an animated picture of the frames that the environment renders."""

from __future__ import annotations

import io
from collections.abc import Iterator

import gymnasium as gym
import numpy as np
from PIL import Image

from agents import Agent, zoo
from analysis.extraction.adapters import HardenedAgent
from nram_env import get_task, wrappers

DIFFICULTY, SEED = 4, 1
HORIZON = 200
"""More timesteps than any of them takes: they stop by themselves."""

_COLOURS = 32
_MILLISECONDS, _LAST_MILLISECONDS = 600, 3_000


def film(name: str) -> bytes:
    """The hardened controller of an entry, on one instance, until it stops: a GIF.

    Args:
        name: Name of an entry of the zoo.
    """
    pictures = [Image.fromarray(frame).quantize(_COLOURS) for frame in frames(zoo.find_entry(name).agent)]
    durations = [_MILLISECONDS] * (len(pictures) - 1) + [_LAST_MILLISECONDS]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True
    )
    return buffer.getvalue()


def frames(agent: Agent) -> Iterator[np.ndarray]:
    """The machine before the first timestep, and after each."""
    env, network = _environment(agent), HardenedAgent(agent)
    observation, _ = env.reset(seed=SEED)
    state, over = network.initial_state(1), False
    yield env.render()
    while not over:
        output, state = network(observation[None] > 0.5, state)
        observation, _, over, _, info = env.step(np.append(output.choices[0], output.halts[0]))
        yield env.render()
    if not info["is_success"]:
        raise ValueError(f"the controller of {agent.task} was wrong in its film")


def _environment(agent: Agent) -> gym.Env:
    machine = agent.machine
    return wrappers.ChoiceActions(
        gym.make(
            f"NRAM/{get_task(agent.task).title}-v0",
            num_registers=machine.num_registers,
            gates=machine.gates,
            difficulty=DIFFICULTY,
            horizon=HORIZON,
            render_mode="rgb_array",
        )
    )
