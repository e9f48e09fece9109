"""What the single and the vector environment have in common: settings, and the state that they hold."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box, Dict, Space
from torch import Tensor

from nram_env.envs.actions import refuse_transform
from nram_env.envs.episode import EpisodeState, begin
from nram_env.envs.options import draw_chance
from nram_env.envs.saved import check_state
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
    _own_arguments: dict[str, Any]
    _dtype = torch.float32
    _device = torch.device("cpu")
    _state: EpisodeState | None = None
    _spec: EnvSpec | None = None
    _np_random: np.random.Generator | None = None
    _np_random_seed: int | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """What Gymnasium makes this environment again from; its arguments are in the form that JSON keeps."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        if spec is not None:
            plain = self.settings.plain | self._own_arguments
            kwargs = {name: plain.get(name, value) for name, value in spec.kwargs.items()}
            spec = replace(spec, kwargs=kwargs)
        self._spec = spec

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

        Entropies are 0, and a picture shows no READ and WRITE, until the next step.

        Raises:
            ValueError: Not such a state, or one of another task or type, or with another number of rows or
                registers; the observation "full" also fixes the memory size, and a state in which a row has
                finished is none of an environment that resets it in the same step.
        """
        self._check_state(state)
        self._enter(state)

    def _check_state(self, state: Any) -> None:
        registers = self.settings.rules.machine.num_registers
        check_state(state, self.task.name, self._rows, registers, self._dtype, self._device)
        self.settings.check_memory_size(state.memory_size)

    def _enter(self, state: EpisodeState) -> None:
        self._state = state

    @contextmanager
    def _chance_kept_on_error(self) -> Iterator[None]:
        """Whatever fails within has not seeded or used `np_random`."""
        generator, seed = self._np_random, self._np_random_seed
        used = {} if generator is None else generator.bit_generator.state
        try:
            yield
        except BaseException:
            self._np_random, self._np_random_seed = generator, seed
            if generator is not None:
                generator.bit_generator.state = used
            raise

    def _begin(
        self,
        rng: np.random.Generator,
        instance: TaskBatch,
        horizon: np.ndarray,
        chance: np.ndarray | None = None,
    ) -> EpisodeState:
        rules = self.settings.rules
        if chance is None and rules.draws:
            chance = draw_chance(rng, len(horizon))
        state = begin(rules, instance, horizon, chance, dtype=self._dtype, device=self._device)
        refuse_transform(state.survival)
        return state

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
