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

from nram_env.envs.actions import check_array, check_tensor, to_logits
from nram_env.envs.episode import EpisodeState, advance
from nram_env.envs.grid import draw_grid
from nram_env.envs.html import batch_table
from nram_env.envs.infos import final_infos, start_infos, step_infos
from nram_env.envs.options import check_extent, whole_number
from nram_env.envs.rendering import DRAWN_AS, RenderedShell
from nram_env.envs.settings import Settings, check_flag
from nram_env.envs.shell import observe, single_observation_space, to_numpy
from nram_env.envs.vector_arguments import autoreset_mode_of, device_of, dtype_of

_METADATA: dict[str, Any] = {
    "autoreset_mode": AutoresetMode.NEXT_STEP,
    "render_modes": ["human", "ansi", "rgb_array", "rgb_array_grid"],
    "render_fps": 4,
}


class NRAMVectorEnv(RenderedShell, VectorEnv[Any, Any, Any]):
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
    the log-likelihood of the expected output there. `step_cost` and `unfinished_cost` take off what a
    timestep, and the last timestep of the horizon, costs times the probability that the run gets there.

    ## Starting State
    Registers 0; memory an instance drawn from `np_random`, which `reset(seed=...)` seeds, or given by
    `options={"instance": batch}`.

    ## Episode End
    A row terminates at its own horizon, or once its survival is below 1e-6; its last timestep takes all
    the survival that is left. `terminated` is true at that step alone. Rows are never truncated. What
    follows is said by `autoreset_mode`, as in Gymnasium:

    - "next_step": the next step resets the row and ignores its action.
    - "same_step": the same step resets it; its last observation and info are in `infos["final_obs"]` and
      `infos["final_info"]`.
    - "disabled": the row is frozen and its reward is 0 until `reset` is called, with "reset_mask" for some
      rows; `finished` says which rows are. A step when all are is an error.

    A row that begins again by itself draws an instance of its own difficulty, for the same M and as many
    timesteps.

    ## Arguments
    - `task`, `num_registers`, `gates`, `memory_size`, `horizon`, `difficulty`, `loss`, `hard`, `backend`,
      `logit_scale`, `log_floor`, `activation_clip`, `step_cost`, `unfinished_cost`, `sharp_registers`,
      `noisy_registers`: see
      `nram_env.envs.settings.Settings`.
    - `num_envs`: B.
    - `differentiable`: torch with graph, or numpy.
    - `device`, `dtype`: where and in what the machines compute, in torch's words or as names; dtype
      "float32" or "float64".
    - `autoreset_mode`: default "next_step"; "disabled", and nothing else, if differentiable.
    - `render_mode`: "ansi" and "rgb_array" (for every row what the single environment gives, as in
      Gymnasium's own vector environments), "rgb_array_grid" (all rows in one picture), "human" (that in a
      window; needs `pip install 'nram[human]'`) or None.

    ## Version History
    - v0: first version.

    Example:
        >>> import gymnasium as gym, nram_env, torch
        >>> gym.register_envs(nram_env)
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
        device: str | torch.device = "cpu",
        dtype: str | torch.dtype = "float32",
        autoreset_mode: str | AutoresetMode | None = None,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        check_flag("differentiable", differentiable)
        self.num_envs = self._rows = whole_number("num_envs", num_envs, smallest=1)
        self.differentiable = differentiable
        self._dtype, self._device = dtype_of(dtype), device_of(device)
        self.autoreset_mode = autoreset_mode_of(autoreset_mode, differentiable)
        self.metadata = _METADATA | {"autoreset_mode": self.autoreset_mode}
        self._render_as(render_mode)
        self._own_arguments = {
            "num_envs": self.num_envs,
            "differentiable": differentiable,
            "device": str(device),
            "dtype": str(self._dtype).removeprefix("torch."),
            "autoreset_mode": self.autoreset_mode.name.lower(),
            "render_mode": render_mode,
        }
        self.settings = Settings.of(type(self).__name__, task, settings, list(self._own_arguments))
        check_extent(f"the actions of {num_envs} rows", self.num_envs * self.layout.size)
        self.single_action_space = Box(-1, 1, (self.layout.size,), np.float32)
        self.single_observation_space = single_observation_space(self.settings)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self._latest: tuple[Tensor, Tensor, Tensor] | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin new episodes.

        Args:
            seed: Seeds `np_random`, from which instances and the noise of registers are drawn, and
                nothing else.
            options: Any of
                "difficulty": n, an integer or (B,) integers;
                "memory_size": M of all rows;
                "horizon": timesteps, an integer or (B,) integers;
                "instance": a TaskBatch to use instead of drawing one;
                "chance": what the noise of registers is a function of, an integer or (B,) integers, to use
                    instead of drawing it; 0 for no noise;
                "reset_mask": (B,) booleans, the rows to reset; the others go on as they were, and M stays.

        Returns:
            Observations (B, R), and infos with difficulty, horizon and memory_size of the rows that were
            reset, all (B,), and `_difficulty` and so on, (B,) booleans that say which rows those are.

        Raises:
            ValueError: An option is unknown or not legal; nothing has changed then.
        """
        running_size = None if self._state is None else self._state.memory_size
        request = self.settings.request(self.num_envs, options, running_size=running_size)
        with self._chance_kept_on_error():
            super().reset(seed=seed)
            instance = request.instance(self.np_random)
            fresh = self._begin(self.np_random, instance, request.horizons, request.chance)
        rows = np.ones(self.num_envs, dtype=bool) if request.rows is None else request.rows
        self._enter(fresh if request.rows is None else self._with_rows(self.state, rows, fresh))
        return self._observe(), start_infos(self.state, rows)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Run one timestep of every row that has not finished.

        Args:
            actions: (B, D); a tensor if differentiable, otherwise an array in -1..1.

        Returns:
            Observations (B, R), rewards (B,), float64 in numpy, terminated (B,), true at the step with which
            a row ended and never again, truncated (B,), all false, and infos as Gymnasium's own vector
            environments give them: survival of the rows that ran, cell_error and is_success of those that
            ended, and what `reset` says of those that began again, each (B,) with a mask beside it.

        Raises:
            ValueError: Actions of the wrong type, shape or range; nothing has changed then.
            ResetNeeded: `reset` has not been called, or all rows have finished and none is reset by itself.
        """
        before = self._unfinished()
        logits = self._logits(actions)
        with torch.set_grad_enabled(self.differentiable and torch.is_grad_enabled()):
            advanced = advance(self.settings.rules, before, logits)
        ended = advanced.state.finished & ~before.finished
        after, infos = self._autoreset(advanced.state, _array(before.finished), _array(ended))
        self._state = after
        self._latest = (advanced.entropy, advanced.halting_entropy, advanced.halting)
        rewards = advanced.rewards if self.differentiable else advanced.rewards.double()
        outcome = (rewards, ended, torch.zeros_like(ended))
        if self.render_mode is not None:
            self._stepped(before.detach(), logits.detach())
        return self._observe(), *map(self._outward, outcome), infos

    def _unfinished(self) -> EpisodeState:
        """The state, unless there is nothing to step on."""
        if self.autoreset_mode is AutoresetMode.DISABLED and self.finished.all():
            raise ResetNeeded("all rows have finished: call reset() before the next step()")
        return self.state

    def _logits(self, actions: Any) -> Tensor:
        state, shape = self.state, (self.num_envs, self.layout.size)
        if self.differentiable:
            return to_logits(check_tensor(actions, state.survival, shape), self.logit_scale)
        values = torch.from_numpy(check_array(actions, shape))
        return values.to(self._device, self._dtype) * self.logit_scale

    def _autoreset(
        self, after: EpisodeState, stood: np.ndarray, ended: np.ndarray
    ) -> tuple[EpisodeState, dict[str, Any]]:
        """State and infos of a step before which the rows `stood` had finished, and that `ended` others."""
        if self.autoreset_mode is AutoresetMode.SAME_STEP and ended.any():
            infos = step_infos(after, ~ended, np.zeros_like(ended))
            final = final_infos(to_numpy(observe(self.settings, after)), after, ended)
            return self._begin_again(after, ended, infos | final)
        infos = step_infos(after, ~stood, ended)
        if self.autoreset_mode is AutoresetMode.DISABLED or not stood.any():
            return after, infos
        return self._begin_again(after, stood, infos)

    def _begin_again(
        self, state: EpisodeState, rows: np.ndarray, infos: dict[str, Any]
    ) -> tuple[EpisodeState, dict[str, Any]]:
        """Give the rows new instances of their own difficulty."""
        difficulty, horizon = (_array(part)[rows] for part in (state.difficulty, state.horizon))
        with self._chance_kept_on_error():
            instance = self.task.sample(self.np_random, difficulty, state.memory_size)
            state = self._with_rows(state, rows, self._begin(self.np_random, instance, horizon))
        return state, infos | start_infos(state, rows)

    def _with_rows(self, state: EpisodeState, rows: np.ndarray, fresh: EpisodeState) -> EpisodeState:
        return state.with_rows(torch.as_tensor(rows, device=self._device), fresh)

    def _outward(self, values: Tensor) -> Any:
        return values if self.differentiable else _array(values)

    def _observe(self) -> Any:
        observation = observe(self.settings, self.state)
        return observation if self.differentiable else to_numpy(observation)

    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        if self.autoreset_mode is AutoresetMode.SAME_STEP and state.finished.any():
            raise ValueError(
                f'with autoreset_mode="same_step" no row has finished, got {state.finished.tolist()}'
            )

    def _enter(self, state: EpisodeState) -> None:
        """Be in a state that no step led to: entropies and p_t are 0 until the next."""
        none = torch.zeros_like(state.survival)
        self._latest = (none, none, none)
        super()._enter(state)

    def _draw(self, mode: str) -> Any:
        frames = [self._frame(row) for row in range(self.num_envs)]
        return tuple(map(DRAWN_AS[mode], frames)) if mode in DRAWN_AS else draw_grid(frames)

    def close_extras(self, **kwargs: Any) -> None:
        """Close the window of the mode "human"."""
        self._close_window()

    def _repr_html_(self) -> str | None:
        """What a notebook shows of it: the machines as they are now, once there are any."""
        return None if self._state is None else batch_table(self.task.title, self._state)

    def detach_state(self) -> None:
        """Cut the graph of all that is kept: later rewards send no gradient to earlier actions."""
        self._state = self.state.detach()
        if self._latest is not None:
            entropy, halting_entropy, halting = (part.detach() for part in self._latest)
            self._latest = (entropy, halting_entropy, halting)

    @property
    def entropy(self) -> Tensor:
        """Entropy of the last timestep's selectors in nats (B,), with graph; 0 for rows that had finished."""
        return self._latest_parts()[0]

    @property
    def halting_entropy(self) -> Tensor:
        """Entropy of the last "finish now or not" in nats (B,), with graph; 0 for rows that had finished."""
        return self._latest_parts()[1]

    @property
    def halting(self) -> Tensor:
        """p_t, the probability that a row ended with the last timestep (B,), with graph."""
        return self._latest_parts()[2]

    def _latest_parts(self) -> tuple[Tensor, Tensor, Tensor]:
        if self._latest is None:
            raise ResetNeeded("there is no timestep yet: call reset() first")
        return self._latest


def _array(values: Tensor) -> np.ndarray:
    return values.numpy(force=True).copy()
