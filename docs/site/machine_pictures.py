"""Pictures of the page on the machine: a timestep soft and hard, and a program as circuits."""

from __future__ import annotations

import io
from itertools import islice

import gymnasium as gym
import numpy as np
from PIL import Image

from agents import zoo
from analysis import export, find_program
from analysis.extraction.adapters import AgentNetwork
from docs.site.film import SEED, frames

STEP, DIFFICULTY = 3, 4
SOFTNESS = 0.35
"""Logits are multiplied by this, so that the selectors are as unsure as those of a young controller."""


def machine_pictures() -> dict[str, str | bytes]:
    """Every picture by its file."""
    agent = zoo.find_entry("copy").agent
    hard = next(islice(frames(agent), STEP, None))
    return {
        "machine/hard.png": _png(hard),
        "machine/soft.png": _png(soft_machine().render()),
        "machine/circuits.svg": export(find_program("zoo:copy"), "svg"),
    }


def soft_machine() -> gym.Env:
    """The environment after the same timesteps of the soft machine, driven by an unsure controller."""
    network = AgentNetwork(zoo.find_entry("copy").agent)
    env = gym.make("NRAM/Copy-v0", difficulty=DIFFICULTY, render_mode="rgb_array")
    observation, _ = env.reset(seed=SEED)
    state = network.initial_state(1)
    for _ in range(STEP):
        logits, state = network.logits(observation[None].astype(np.float64), state)
        action = np.clip(SOFTNESS * logits[0] / env.unwrapped.logit_scale, -1, 1)
        observation, *_ = env.step(action.astype(np.float32))
    return env


def _png(frame: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
