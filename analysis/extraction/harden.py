"""Hardening: a controller whose every selector takes its largest logit. The one module here that needs torch.

Everything is computed in float64 on the CPU, from the weights as they were saved. A controller without state
over few registers is evaluated once, under every zero-pattern; what it chose there is what it is, so that no
rounding that depends on the size of a batch can make it choose otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from agents.checkpoint import Agent
from agents.controllers import Controller
from analysis.extraction.network import HardOutput, harden_logits
from analysis.extraction.table import is_table, table_of
from analysis.program.program import PAPER_SEMANTICS, Semantics


class HardenedAgent:
    """A trained agent as a `Network`: zero-bits in, hard choices out.

    Args:
        agent: The agent; it is not changed.
        semantics: Gives the stop rule.
    """

    def __init__(self, agent: Agent, semantics: Semantics = PAPER_SEMANTICS) -> None:
        self.machine = agent.machine
        self.semantics = semantics
        self.controller: Controller = agent.controller.member(0).to(torch.float64)
        self._table: HardOutput | None = None
        if is_table(self):
            self._table = table_of(self)

    @property
    def stateless(self) -> bool:
        """Whether the controller has no state of its own."""
        return self.controller.spec.state_size == 0

    def initial_state(self, batch_size: int) -> Any:
        """The controller's state before the first timestep."""
        return self.controller.initial_state(batch_size)

    def __call__(self, zeros: np.ndarray, state: Any) -> tuple[HardOutput, Any]:
        """One timestep: which registers are 0, (B, R), to choices, and the new state."""
        if self._table is not None:
            return self._table.rows(zeros @ (1 << np.arange(self.machine.num_registers))), state
        with torch.no_grad():
            observed = torch.from_numpy(zeros.astype(np.float64))[None]
            logits, state = self.controller(observed, state)
        return harden_logits(self.machine, self.semantics, logits[0].numpy()), state
