"""NRAMEnv: one machine, numpy in and numpy out."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box

from nram_env.envs.actions import check_array
from nram_env.envs.episode import EpisodeState, advance, begin
from nram_env.envs.settings import Settings
from nram_env.machine import ActionLayout
from nram_env.tasks import Task, TaskBatch

_METADATA: dict[str, Any] = {"render_modes": []}


class NRAMEnv(gymnasium.Env[Any, Any]):
    """One machine that works on one instance of a task.

    Example:
        >>> import gymnasium as gym, nram_env
        >>> env = gym.make("NRAM/Copy-v0", memory_size=16)
        >>> observation, info = env.reset(seed=0)
        >>> observation
        array([1., 1., 1., 1.], dtype=float32)
        >>> observation, reward, terminated, truncated, info = env.step(env.action_space.sample())
        >>> reward < 0, terminated, truncated
        (True, False, False)
    """

    metadata = _METADATA

    def __init__(self, task: str, *, render_mode: str | None = None, **settings: Any) -> None:
        self.settings = Settings(task, **settings)
        self.render_mode = render_mode
        self.action_space = Box(-1, 1, (self.layout.size,), np.float32)
        self.observation_space = Box(0, 1, (self.settings.rules.machine.num_registers,), np.float32)
        self._state: EpisodeState | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin a new episode."""
        request = self.settings.request(1, options)
        super().reset(seed=seed)
        instance = request.instance(self.np_random)
        self._state = begin(self.settings.rules, instance, request.horizon, dtype=torch.float32, device="cpu")
        info = {"difficulty": int(instance.difficulty[0]), "horizon": int(request.horizon[0])}
        return self._observe(), {**info, "memory_size": instance.memory_size}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Run one timestep."""
        values = torch.from_numpy(check_array(action, (self.layout.size,)))
        with torch.no_grad():
            advanced = advance(self.settings.rules, self.state, values[None] * self.settings.logit_scale)
        self._state = advanced.state
        info = {"survival": self.state.survival.item()}
        return self._observe(), advanced.rewards.item(), bool(self.state.finished), False, info

    def _observe(self) -> np.ndarray:
        return self.state.zero_probs[0].numpy().clip(0, 1)

    @property
    def state(self) -> EpisodeState:
        """The machine and its episode as they are now, as a batch of one."""
        if self._state is None:
            raise ResetNeeded("there is no state before reset()")
        return self._state

    @property
    def task(self) -> Task:
        """The task."""
        return self.settings.problem

    @property
    def layout(self) -> ActionLayout:
        """Which number of an action is which."""
        return self.settings.rules.machine.layout

    @property
    def instance(self) -> TaskBatch:
        """The example that the machine works on, as a batch of one."""
        return self.state.instance
