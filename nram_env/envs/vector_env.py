"""NRAMVectorEnv: B machines side by side; gradients flow from reward to action where asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from torch import Tensor

from nram_env.envs.actions import check_array, check_tensor
from nram_env.envs.episode import EpisodeState, advance, begin, merge_rows
from nram_env.envs.settings import Settings
from nram_env.envs.shell import EpisodeShell, observe, single_observation_space, to_numpy
from nram_env.support import unknown_name

_DTYPES = {"float32": torch.float32, "float64": torch.float64}
_METADATA = {"autoreset_mode": AutoresetMode.DISABLED, "render_modes": []}


class NRAMVectorEnv(EpisodeShell, VectorEnv[Any, Any, Any]):
    """B machines, each with its own instance of one task, advanced by one batched computation.

    ## Description
    A controller drives B neural random-access machines (Kurach et al., ICLR 2016). With
    `differentiable=True` the environment is torch in and torch out, and `step` keeps the graph: an agent
    trains by `(-rewards.sum()).backward()` through the whole episode. Otherwise it is numpy in and numpy
    out, and keeps no graph.

    ## Action Space
    `Box(-1, 1, (B, D), float32)`: for every row, the logits of all selectors and of the halting
    probability, divided by `logit_scale`; `layout` says which number is which. The differentiable
    environment also takes values outside the bounds.

    ## Observation Space
    `Box(0, 1, (B, R), float32)`: P(r = 0) of every register. Neither space depends on M.

    ## Rewards
    p_t times the log-likelihood of the wanted output after timestep t, so that the undiscounted return of
    a row is minus its loss. With `loss="mixture"` the reward is 0 until the row's last timestep and
    the log-likelihood of the expected output there.

    ## Starting State
    Registers 0; memory an instance drawn from `np_random`, which `reset(seed=...)` seeds, or given by
    `options={"instance": batch}`.

    ## Episode End
    A row terminates at its own horizon, or once its survival is below 1e-6; its last timestep takes all
    the survival that is left. From then on the row is frozen and its reward is 0. Nothing is reset by
    itself (`AutoresetMode.DISABLED`). Rows are never truncated.

    ## Arguments
    - `task`, `num_registers`, `gates`, `memory_size`, `horizon`, `difficulty`, `loss`, `hard`, `backend`,
      `logit_scale`, `log_floor`, `activation_clip`: see `nram_env.envs.settings.Settings`.
    - `num_envs`: B.
    - `differentiable`: torch with graph, or numpy.
    - `device`, `dtype`: where and in what the machines compute; dtype "float32" or "float64".

    ## Version History
    - v0: first version.

    Example:
        >>> import gymnasium as gym, nram_env, torch
        >>> envs = gym.make_vec("NRAM/Copy-v0", num_envs=4, differentiable=True)
        >>> observations, infos = envs.reset(seed=0, options={"difficulty": 2})
        >>> actions = torch.zeros(4, envs.unwrapped.layout.size, requires_grad=True)
        >>> observations, rewards, terminated, truncated, infos = envs.step(actions)
        >>> (-rewards.sum()).backward()
        >>> actions.grad.shape
        torch.Size([4, 308])
    """

    metadata = _METADATA

    def __init__(
        self,
        task: str,
        num_envs: int = 1,
        *,
        differentiable: bool = False,
        device: str = "cpu",
        dtype: str = "float32",
        **settings: Any,
    ) -> None:
        if isinstance(num_envs, bool) or not isinstance(num_envs, int) or num_envs < 1:
            raise ValueError(f"num_envs must be an integer of at least 1, got {num_envs!r}")
        if dtype not in _DTYPES:
            raise unknown_name("dtype", dtype, _DTYPES)
        if not isinstance(differentiable, bool):
            raise ValueError(f"differentiable must be True or False, got {differentiable!r}")
        self.settings = Settings.of(task, settings)
        self.num_envs = self._rows = num_envs
        self.differentiable = differentiable
        self._dtype, self._device = _DTYPES[dtype], torch.device(device)
        self.single_action_space = Box(-1, 1, (self.layout.size,), np.float32)
        self.single_observation_space = single_observation_space(self.settings)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self._entropies: tuple[Tensor, Tensor] | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin new episodes.

        Args:
            seed: Seeds `np_random`, from which instances are drawn, and nothing else.
            options: Any of
                "difficulty": n, an integer or (B,) integers;
                "memory_size": M of all rows;
                "horizon": timesteps, an integer or (B,) integers;
                "instance": a TaskBatch to use instead of drawing one;
                "reset_mask": (B,) booleans, the rows to reset; the others go on as they were, and M stays.

        Returns:
            Observations (B, R), and infos with difficulty, horizon and memory_size, all (B,).

        Raises:
            ValueError: An option is unknown or not legal; nothing has changed then.
        """
        running_size = None if self._state is None else self._state.memory_size
        request = self.settings.request(self.num_envs, options, running_size=running_size)
        super().reset(seed=seed)
        instance = request.instance(self.np_random)
        fresh = begin(self.settings.rules, instance, request.horizon, dtype=self._dtype, device=self._device)
        if request.rows is not None:
            rows = torch.tensor(request.rows, device=self._device)
            fresh = merge_rows(rows, fresh, self.state)
        self.set_state(fresh)
        infos = {name: _fresh_array(getattr(fresh, name)) for name in ("difficulty", "horizon")}
        return self._observe(), {**infos, "memory_size": np.full(self.num_envs, fresh.memory_size)}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Run one timestep of every row that has not finished.

        Args:
            actions: (B, D); a tensor if differentiable, otherwise an array in -1..1.

        Returns:
            Observations (B, R), rewards (B,), terminated (B,), truncated (B,), all false, and infos with
            survival (B,).

        Raises:
            ValueError: Actions of the wrong type, shape or range; nothing has changed then.
            ResetNeeded: `reset` has not been called.
        """
        logits = self._logits(actions)
        with torch.set_grad_enabled(self.differentiable and torch.is_grad_enabled()):
            advanced = advance(self.settings.rules, self.state, logits)
        self._state, self._entropies = advanced.state, (advanced.entropy, advanced.halting_entropy)
        finished, survival = advanced.state.finished, advanced.state.survival
        outcome = (advanced.rewards, finished.clone(), torch.zeros_like(finished))
        return self._observe(), *map(self._outward, outcome), {"survival": _fresh_array(survival)}

    def _logits(self, actions: Any) -> Tensor:
        state, shape = self.state, (self.num_envs, self.layout.size)
        if self.differentiable:
            logits = check_tensor(actions, state.survival, shape)
            return logits if self.logit_scale == 1 else logits * self.logit_scale
        values = torch.as_tensor(check_array(actions, shape))
        return values.to(self._device, self._dtype) * self.logit_scale

    def _outward(self, values: Tensor) -> Any:
        return values if self.differentiable else _fresh_array(values)

    def _observe(self) -> Any:
        observation = observe(self.settings, self.state)
        return observation if self.differentiable else to_numpy(observation)

    def set_state(self, state: EpisodeState) -> None:
        """Return to a state that `state` gave; both entropies are 0 until the next step."""
        super().set_state(state)
        none = torch.zeros_like(state.survival)
        self._entropies = (none, none)

    def detach_state(self) -> None:
        """Cut the graph: later rewards send no gradient to earlier actions."""
        self._state = self.state.detach()

    @property
    def entropy(self) -> Tensor:
        """Entropy of the last timestep's selectors in nats (B,), with graph; 0 for rows that had finished."""
        return self._entropies_so_far()[0]

    @property
    def halting_entropy(self) -> Tensor:
        """Entropy of the last "finish now or not" in nats (B,), with graph; 0 for rows that had finished."""
        return self._entropies_so_far()[1]

    def _entropies_so_far(self) -> tuple[Tensor, Tensor]:
        if self._entropies is None:
            raise ResetNeeded("there is no entropy yet: call reset() first")
        return self._entropies


def _fresh_array(values: Tensor) -> np.ndarray:
    return values.numpy(force=True).copy()
