"""Controllers made of torch as a `Network`: this project's own, and anybody's. What needs torch is here.

Everything is computed on a copy of the weights, in float64 on the CPU and in evaluation mode, so that the
same input gives the same choice every time.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from agents.checkpoint import Agent
from agents.controllers import Controller
from analysis.extraction.harden import HardenedNetwork
from analysis.program.program import PAPER_SEMANTICS, Semantics
from nram_env.machine import MachineConfig


class AgentNetwork:
    """A trained agent as a `Network`.

    Args:
        agent: The agent; it is not changed.
    """

    def __init__(self, agent: Agent) -> None:
        self.machine = agent.machine
        self._controller: Controller = agent.controller.member(0).to(torch.float64)

    def initial_state(self, batch_size: int) -> Any:
        """The controller's state before the first timestep; None if it has none."""
        stateless = self._controller.spec.state_size == 0
        return None if stateless else self._controller.initial_state(batch_size)

    def logits(self, zeros: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        """One timestep: which registers are 0, (B, R), to logits (B, D), and the new state."""
        before = self._controller.initial_state(len(zeros)) if state is None else state
        with torch.no_grad():
            logits, after = self._controller(torch.from_numpy(zeros.astype(np.float64))[None], before)
        return logits[0].numpy(), None if state is None else after


class HardenedAgent(HardenedNetwork):
    """A trained agent as a `HardNetwork`; arguments as in `HardenedNetwork`."""

    def __init__(self, agent: Agent, semantics: Semantics = PAPER_SEMANTICS) -> None:
        super().__init__(AgentNetwork(agent), semantics)


class ModuleNetwork:
    """A torch module as a `Network`.

    Args:
        module: Stateless: `module(zeros) -> logits`. Recurrent: `module(zeros, state) -> (logits, state)`.
            `zeros` is (B, R), 1 where a register is 0 and 0 elsewhere; `logits` is (B, D) in the order of the
            machine's layout, and may be divided by any positive number, as the environments' actions are.
        machine: The machine that it drives.
        initial_state: Makes the state before the first timestep from B: a tensor, or tuples or lists of
            tensors, rows first. None for a stateless module.

    Example:
        >>> machine = MachineConfig(2)
        >>> network = ModuleNetwork(nn.Linear(2, machine.layout.size), machine)
        >>> logits, state = network.logits(np.ones((3, 2), dtype=bool), network.initial_state(3))
        >>> logits.shape == (3, machine.layout.size), state
        (True, None)
    """

    def __init__(
        self,
        module: nn.Module,
        machine: MachineConfig,
        initial_state: Callable[[int], Any] | None = None,
    ) -> None:
        self.machine = machine
        self._module = copy.deepcopy(module).to("cpu", torch.float64).eval()
        self._initial_state = initial_state

    def initial_state(self, batch_size: int) -> Any:
        """The state before the first timestep; None for a stateless module."""
        return None if self._initial_state is None else _in_float64(self._initial_state(batch_size))

    def logits(self, zeros: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        """One timestep: which registers are 0, (B, R), to logits (B, D), and the new state."""
        observed = torch.from_numpy(zeros.astype(np.float64))
        with torch.no_grad():
            if self._initial_state is None:
                answer, state = self._module(observed), None
            else:
                answer, state = self._module(observed, state)
        return answer.numpy(), state


def _in_float64(state: Any) -> Any:
    if isinstance(state, Tensor):
        return state.detach().to("cpu", torch.float64)
    return type(state)(_in_float64(part) for part in state)
