"""NRAMEnv: one machine, numpy in and numpy out."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Box

from nram_env.envs.actions import check_array
from nram_env.envs.episode import advance
from nram_env.envs.html import frame_table
from nram_env.envs.infos import Values, end_values, row_of, run_values, start_values
from nram_env.envs.options import ROW_OPTIONS
from nram_env.envs.picture import draw_picture
from nram_env.envs.rendering import DRAWN_AS, RenderedShell
from nram_env.envs.settings import Settings
from nram_env.envs.shell import observe, single_observation_space, to_numpy
from nram_env.machine.ambient import one_thread

_METADATA: dict[str, Any] = {"render_modes": ["human", "ansi", "rgb_array"], "render_fps": 4}


class NRAMEnv(RenderedShell, gymnasium.Env[Any, Any]):
    """One machine that works on one instance of a task.

    ## Description
    A controller drives a neural random-access machine (Kurach et al., ICLR 2016): R registers and M cells,
    each a distribution over the integers 0..M-1, and a list of gates. At every timestep the controller
    sees which registers hold 0 and chooses what every gate works on, what every register becomes, and how
    willing it is to finish. No graph is kept: for gradients use
    `gym.make_vec(id, num_envs=..., differentiable=True)`.

    ## Action Space
    `Box(-1, 1, (D,), float32)`: the logits of all selectors and of the halting probability, divided by
    `logit_scale`; `layout` says which number is which. `NamedActions` and `ChoiceActions` are other forms.

    ## Observation Space
    `Box(0, 1, (R,), float32)`: P(r = 0) of every register. With `observation="full"` a `Dict` of
    "zero_probs" (R,), "registers" (R, M) and "memory" (M, M).

    ## Rewards
    p_t times the log-likelihood of the wanted output after timestep t, p_t being the probability that the
    run ends there: the undiscounted return is minus the loss of the episode (paper, Section 3.3). With
    `loss="mixture"` the reward is 0 until the last timestep and the log-likelihood of the expected
    output there. `step_cost` and `unfinished_cost` take off what a timestep, and the last timestep of the
    horizon, costs times the probability that the run gets there.

    ## Starting State
    Registers 0; memory an instance of the task drawn from `np_random`, which `reset(seed=...)` seeds, or
    given by `options={"instance": batch}`.

    ## Episode End
    Terminated at the horizon T(n), or once the survival, the probability that the run has not finished, is
    below 1e-6. The last timestep takes all the survival that is left. Never truncated.

    ## Arguments
    - `task`, `num_registers`, `gates`, `memory_size`, `horizon`, `difficulty`, `loss`, `observation`,
      `hard`, `backend`, `logit_scale`, `log_floor`, `step_cost`, `unfinished_cost`, `sharp_registers`,
      `noisy_registers`: see
      `nram_env.envs.settings.Settings`.
    - `render_mode`: "ansi" (text in the layout of the paper's tables), "rgb_array" (heat maps), "human" (the
      same in a window, four timesteps a second; needs `pip install 'nram[human]'`) or None.

    ## Version History
    - v0: first version.

    Example:
        >>> import gymnasium as gym, nram_env
        >>> gym.register_envs(nram_env)
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
        self._render_as(render_mode)
        self._own_arguments = {"render_mode": render_mode}
        self.settings = Settings.of(type(self).__name__, task, settings, list(self._own_arguments))
        self.action_space = Box(-1, 1, (self.layout.size,), np.float32)
        self.observation_space = single_observation_space(self.settings)
        self._rows = 1

    @one_thread()
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begin a new episode.

        Args:
            seed: Seeds `np_random`, from which the instance and the noise of registers are drawn, and
                nothing else.
            options: Any of "difficulty", "memory_size", "horizon" (integers), "instance" (a TaskBatch of one
                example, to use instead of drawing one) and "chance" (an integer that the noise of registers
                is a function of, to use instead of drawing one; 0 for no noise).

        Returns:
            The observation, and an info with difficulty, horizon and memory_size.

        Raises:
            ValueError: An option is unknown or not legal; nothing has changed then.
        """
        request = self.settings.request(1, options, ROW_OPTIONS)
        with self._chance_kept_on_error():
            super().reset(seed=seed)
            instance = request.instance(self.np_random)
            fresh = self._begin(self.np_random, instance, request.horizons, request.chance)
        self._enter(fresh)
        return self._observe(), _only(start_values(fresh))

    @one_thread()
    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Run one timestep.

        Args:
            action: (D,) array in -1..1.

        Returns:
            Observation, reward, terminated, truncated (always False), and an info with the survival; at the
            end also cell_error, the share of wrong output cells, and is_success, whether there is none.

        Raises:
            ValueError: The action has another type, shape or range; nothing has changed then.
            ResetNeeded: The episode has not begun, or is over.
        """
        before, values = self.state, check_array(action, (self.layout.size,))
        if before.finished.item():
            raise ResetNeeded("the episode is over: call reset() before the next step()")
        logits = torch.from_numpy(values[None] * np.float32(self.logit_scale))
        with torch.no_grad():
            advanced = advance(self.settings.rules, before, logits)
        self._state = advanced.state
        self._stepped(before, logits)
        return self._observe(), advanced.rewards.item(), bool(self.finished), False, self._info()

    def _info(self) -> dict[str, Any]:
        values = run_values(self.state)
        return _only(values | end_values(self.state, np.array([True])) if self.finished else values)

    def _observe(self) -> Any:
        return row_of(to_numpy(observe(self.settings, self.state)), 0)

    def _draw(self, mode: str) -> Any:
        return DRAWN_AS.get(mode, draw_picture)(self._frame())

    def close(self) -> None:
        """Close the window of the mode "human"; the next reset opens it again."""
        self._close_window()

    def _repr_html_(self) -> str | None:
        """What a notebook shows of it: the table of `render_mode="ansi"`, once it has been reset."""
        return None if self._state is None else frame_table(self._frame())


def _only(values: Values) -> dict[str, Any]:
    """The one row's values, as Python's numbers."""
    return {name: part[0].item() for name, part in values.items()}
