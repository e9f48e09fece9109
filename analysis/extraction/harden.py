"""Hardening: a network whose every selector takes its largest logit.

A network without state over few registers is evaluated once, under every zero-pattern; what it chose there
is what it is, so that no rounding that depends on the size of a batch can make it choose otherwise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.extraction.network import HardOutput, Network, harden_logits
from analysis.extraction.table import is_table, table_of
from analysis.program.program import PAPER_SEMANTICS, Semantics
from nram_env.machine import patterns_of_zeros


class HardenedNetwork:
    """A `Network` as a `HardNetwork`: zero-bits in, hard choices out.

    Args:
        network: The network.
        semantics: Gives the stop rule.
    """

    def __init__(self, network: Network, semantics: Semantics = PAPER_SEMANTICS) -> None:
        self.network, self.semantics, self.machine = network, semantics, network.machine
        self.stateless = network.initial_state(1) is None
        self._table: HardOutput | None = None
        if is_table(self):
            self._table = table_of(self)

    def initial_state(self, batch_size: int) -> Any:
        """The network's state before the first timestep."""
        return self.network.initial_state(batch_size)

    def __call__(self, zeros: np.ndarray, state: Any) -> tuple[HardOutput, Any]:
        """One timestep: which registers are 0, (B, R), to choices, and the new state."""
        if self._table is not None:
            return self._table.rows(patterns_of_zeros(zeros)), state
        logits, state = self.network.logits(zeros, state)
        return harden_logits(self.machine, self.semantics, logits), state
