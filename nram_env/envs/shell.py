"""What the single and the vector environment have in common: settings, and the state that they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box, Dict, Space
from torch import Tensor

from nram_env.envs.episode import EpisodeState
from nram_env.envs.settings import Settings
from nram_env.machine import ActionLayout
from nram_env.tasks import Task, TaskBatch


class EpisodeShell:
    """Holder of the episodes' state; see `NRAMEnv` and `NRAMVectorEnv`.

    Attributes:
        settings: What the environment was made with.
    """

    settings: Settings
    _rows: int
    _state: EpisodeState | None = None

    @property
    def state(self) -> EpisodeState:
        """The machines and their episodes as they are now; give it to `set_state` to return here.

        Raises:
            ResetNeeded: `reset` has not been called.
        """
        if self._state is None:
            raise ResetNeeded("there is no state yet: call reset() first")
        return self._state

    def set_state(self, state: EpisodeState) -> None:
        """Return to a state that `state` gave, here or in an environment with the same settings.

        Raises:
            ValueError: Not such a state, or one with another number of rows or registers; the observation
                "full" also fixes the memory size.
        """
        registers = self.settings.rules.machine.num_registers
        if not isinstance(state, EpisodeState):
            raise ValueError(f"expected what the property `state` gave, got {type(state).__name__}")
        if state.registers.shape[:2] != (self._rows, registers):
            raise ValueError(
                f"expected a state of (rows, registers) = {(self._rows, registers)}, "
                f"got {tuple(state.registers.shape[:2])}"
            )
        self.settings.check_memory_size(state.memory_size)
        self._state = state

    @property
    def task(self) -> Task:
        """The task."""
        return self.settings.problem

    @property
    def layout(self) -> ActionLayout:
        """Which number of an action is which."""
        return self.settings.rules.machine.layout

    @property
    def logit_scale(self) -> float:
        """logits = logit_scale * action."""
        return self.settings.logit_scale

    @property
    def instance(self) -> TaskBatch:
        """The examples that the rows are solving."""
        return self.state.instance

    @property
    def output(self) -> Tensor:
        """Expected output memory so far, (B, M, M): the sum of p_t M_t, without graph."""
        return self.state.output

    @property
    def finished(self) -> Tensor:
        """Rows that have finished, (B,) booleans."""
        return self.state.finished

    def wrong_cells(self) -> Tensor:
        """Output cells whose most probable value in the expected output is wrong, (B, M) booleans."""
        return (self.output.argmax(-1) != self.state.target) & self.state.mask


def single_observation_space(settings: Settings) -> Space[Any]:
    """Space of one row's observation: `Box` (R,), or a `Dict` with registers and memory if "full"."""
    registers = settings.rules.machine.num_registers
    shapes: dict[str, tuple[int, ...]] = {"zero_probs": (registers,)}
    if settings.observation == "full":
        size = settings.request(1, None).memory_size
        shapes |= {"registers": (registers, size), "memory": (size, size)}
    spaces: dict[str, Space[Any]] = {name: Box(0, 1, shape, np.float32) for name, shape in shapes.items()}
    return Dict(spaces) if settings.observation == "full" else spaces["zero_probs"]


def observe(settings: Settings, state: EpisodeState) -> Any:
    """What the agent sees, as tensors with graph: zero_probs (B, R), or a dictionary of all three."""
    if settings.observation == "controller":
        return state.observed
    return {"memory": state.memory, "registers": state.registers, "zero_probs": state.observed}


def to_numpy(observation: Any) -> Any:
    """The observation as fresh float32 arrays; rounding may leave 0..1 by a hair, so it is clipped."""
    if isinstance(observation, dict):
        return {name: to_numpy(part) for name, part in observation.items()}
    return observation.numpy(force=True).astype(np.float32).clip(0, 1)
