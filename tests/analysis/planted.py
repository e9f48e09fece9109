"""Known programs as controllers, for recovering them."""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.extraction.network import HardOutput
from analysis.program.program import PAPER_SEMANTICS, START, Program, Semantics


class PlantedNetwork:
    """A hardened controller that follows a program's witnesses, its dead selectors as they stand there.

    Its own state is the program's state; where no edge matches it goes on with the first edge.
    """

    def __init__(self, program: Program, semantics: Semantics = PAPER_SEMANTICS) -> None:
        self.program = program
        self.machine = program.machine
        self.semantics = semantics

    @property
    def stateless(self) -> bool:
        return len(self.program.states) == 1

    def initial_state(self, batch_size: int) -> Any:
        return np.full(batch_size, START)

    def __call__(self, zeros: np.ndarray, state: Any) -> tuple[HardOutput, Any]:
        sources = [register.source for register in self.program.registers]
        bits = zeros[:, sources] @ (1 << np.arange(len(sources)))
        edges = [self._edge(int(s), int(b)) for s, b in zip(state, bits, strict=True)]
        choices = np.array([edge.witness for edge in edges])
        ends = np.array([edge.target is None for edge in edges])
        halts = ends & (self.semantics.stop_rule != "never")
        after = np.array([START if edge.target is None else edge.target for edge in edges])
        return HardOutput(choices, ends.astype(float), halts, np.ones(choices.shape)), after

    def _edge(self, state: int, bits: int):
        edges = self.program.edges_of_state[state]
        return next((edge for edge in edges if edge.guard.matches(bits)), edges[0])
