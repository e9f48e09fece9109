"""Other forms of the action: by name, or as choices.

Example:
    >>> import gymnasium as gym, nram_env
    >>> gym.register_envs(nram_env)
    >>> env = nram_env.wrappers.NamedActions(gym.make("NRAM/Access-v0"))
    >>> list(env.action_space)[:2]
    ['gate0.READ.p', 'gate10.EQUALITY-TEST.a']
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Dict, MultiDiscrete
from gymnasium.utils import RecordConstructorArgs

from nram_env.envs.actions import check_array, to_array
from nram_env.envs.env import NRAMEnv
from nram_env.machine.layout import HALT
from nram_env.support import unknown_name


class NamedActions(gymnasium.ActionWrapper, RecordConstructorArgs):
    """An action is a dictionary with one entry a selector, and one for halting.

    ## Description
    Wraps `NRAMEnv`; nothing but the form of the action changes.

    ## Action Space
    `Dict`: for every selector, as "gate5.ADD.b" or "register2", a `Box(-1, 1, (choices,))`, and "halt", a
    `Box(-1, 1, (1,))`: the logits divided by `logit_scale`.

    ## Observation Space, Rewards, Starting State, Episode End
    As `NRAMEnv`.

    ## Arguments
    - `env`: the environment.

    ## Version History
    - v0: first version.

    Example:
        >>> import gymnasium as gym, nram_env
        >>> gym.register_envs(nram_env)
        >>> env = NamedActions(gym.make("NRAM/Copy-v0"))
        >>> env.action_space["gate13.WRITE.a"].shape
        (17,)
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)
        super().__init__(env)
        layout = _machine(env).layout
        self._sizes = {selector.name: selector.size for selector in layout.selectors} | {HALT: 1}
        self.action_space = Dict(
            {name: Box(-1, 1, (size,), np.float32) for name, size in self._sizes.items()}
        )

    def action(self, action: Any) -> np.ndarray:
        """Lay the entries out in the order of the layout.

        Raises:
            ValueError: Not a dictionary of all selectors, or an entry of another type, shape or range.
        """
        if not isinstance(action, dict):
            raise ValueError(f"an action is a dictionary of selectors, got {type(action).__name__}")
        for name in action:
            if name not in self._sizes:
                raise unknown_name("selector", name, self._sizes)
        missing = [name for name in self._sizes if name not in action]
        if missing:
            raise ValueError(f"an action has an entry for every selector, {missing[0]!r} is missing")
        parts = (check_array(action[name], (size,), f"entry {name!r}") for name, size in self._sizes.items())
        return np.concatenate(list(parts))


def _machine(env: gymnasium.Env[Any, Any]) -> NRAMEnv:
    if not isinstance(env.unwrapped, NRAMEnv):
        raise TypeError(f"expected an NRAMEnv, as from gym.make('NRAM/Copy-v0'), got {env}")
    return env.unwrapped


class ChoiceActions(gymnasium.ActionWrapper, RecordConstructorArgs):
    """An action is one choice a selector: the hard machine, in the natural space for policy gradients.

    ## Description
    Wraps `NRAMEnv` and switches it to the hard machine: registers and cells hold integers.

    ## Action Space
    `MultiDiscrete`: for every selector which register (0..R-1) or gate output (R + gate) it takes, and
    last whether to halt (0 or 1).

    ## Observation Space, Rewards, Starting State, Episode End
    As `NRAMEnv` with `hard=True`: each observed probability is 0 or 1, and the log-likelihood counts
    log(log_floor) for every wrong output cell.

    ## Arguments
    - `env`: the environment.

    ## Version History
    - v0: first version.

    Example:
        >>> import gymnasium as gym, nram_env
        >>> gym.register_envs(nram_env)
        >>> env = ChoiceActions(gym.make("NRAM/Access-v0"))
        >>> env.action_space.nvec[:6].tolist(), int(env.action_space.nvec[-1])
        ([4, 8, 9, 9, 10, 10], 2)
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)
        super().__init__(env)
        machine = _machine(env)
        machine.settings = replace(machine.settings, hard=True)
        self._layout = machine.layout
        self.action_space = MultiDiscrete([*self._layout.choice_counts, 2])

    def action(self, action: Any) -> np.ndarray:
        """Turn choices into extreme logits.

        Raises:
            ValueError: Not integers, not one a selector, or a choice out of its range.
        """
        choices = to_array("action", action)
        shape = self.action_space.shape
        if choices.dtype.kind not in "iu" or choices.shape != shape:
            raise ValueError(f"an action is {shape} integers, got {choices.dtype} of shape {choices.shape}")
        if choices[-1] not in (0, 1):
            raise ValueError(f"the last choice is to halt, 1, or not, 0; got {choices[-1]}")
        chosen = np.append(self._layout.one_hot(choices[:-1]), choices[-1])
        return (2 * chosen - 1).astype(np.float32)
