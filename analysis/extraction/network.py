"""What the analysis asks of a controller: zero-bits in, logits out; and what hardening makes of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Protocol

import numpy as np

from analysis.extraction.circuits import HardChoice
from analysis.program.program import Semantics
from nram_env.machine import MachineConfig


@dataclass(frozen=True)
class HardOutput:
    """Hardened outputs for a batch.

    Attributes:
        choices: (B, S); what every selector chose.
        halting_probs: (B,); f, the willingness to stop after the timestep.
        halts: (B,); whether f > 0.5.
        margins: (B, S); by how much the largest logit of a selector beats the next, 0 on ties.
    """

    choices: np.ndarray
    halting_probs: np.ndarray
    halts: np.ndarray
    margins: np.ndarray

    def rows(self, chosen: np.ndarray) -> HardOutput:
        """The outputs for some rows of the batch, in this order."""
        return HardOutput(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def step(self, row: int) -> HardChoice:
        """What was chosen in one row."""
        return HardChoice(tuple(self.choices[row].tolist()), bool(self.halts[row]))


class Network(Protocol):
    """Anything that can be read: zero-bits, and a state of its own, to logits. See docs/own-network.md.

    What it promises, and `check_network` tests: the same input gives the same logits; a row's logits do not
    depend on the other rows; nothing is remembered between calls, and a state that was passed in is not
    changed; every logit is finite. Of a selector's logits only the order matters, and of the halting logit
    only the sign, so they may be divided by any positive number.

    Attributes:
        machine: The machine that it drives.

    Example:
        >>> class Constant:
        ...     machine = MachineConfig(2)
        ...     def initial_state(self, batch_size):
        ...         return None
        ...     def logits(self, zeros, state):
        ...         return np.zeros((len(zeros), self.machine.layout.size)), state
        >>> network: Network = Constant()
        >>> network.logits(np.ones((3, 2), dtype=bool), network.initial_state(3))[0].shape
        (3, 230)
    """

    machine: MachineConfig

    def initial_state(self, batch_size: int) -> Any:
        """Its state before the first timestep, anything with a row a run; None if it has none."""

    def logits(self, zeros: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        """One timestep.

        Args:
            zeros: Which registers are 0, booleans (B, R).
            state: As `initial_state` or the last call gave it.

        Returns:
            Logits (B, D) in the order of `machine.layout`, and the new state.
        """


class HardNetwork(Protocol):
    """A hardened controller, whatever it is made of.

    Attributes:
        machine: The machine that it drives.
        semantics: How it is hardened; under the stop rule "never" no output halts.
    """

    machine: MachineConfig
    semantics: Semantics

    @property
    def stateless(self) -> bool:
        """Whether its output depends on the registers alone."""

    def initial_state(self, batch_size: int) -> Any:
        """Its state before the first timestep."""

    def __call__(self, zeros: np.ndarray, state: Any) -> tuple[HardOutput, Any]:
        """One timestep: which registers are 0, booleans (B, R), to hard outputs, and the new state."""


def harden_logits(machine: MachineConfig, semantics: Semantics, logits: np.ndarray) -> HardOutput:
    """Take the largest logit of every selector, the first on ties; halt where sigmoid(logit) > 0.5.

    Args:
        machine: Gives the layout.
        semantics: Gives the stop rule.
        logits: (B, D).

    Raises:
        ValueError: A logit is not a finite number.
    """
    if not np.isfinite(logits).all():
        raise ValueError("the controller gives logits that are not finite; the agent is damaged")
    positions, real = machine.layout.padded_positions
    padded = np.where(real, logits[:, positions], -np.inf)
    choices = padded.argmax(-1)
    largest = np.take_along_axis(padded, choices[..., None], -1)[..., 0]
    np.put_along_axis(padded, choices[..., None], -np.inf, -1)
    halting_probs = 1 / (1 + np.exp(-np.clip(logits[:, machine.layout.halt], -700, 700)))
    halts = (halting_probs > 0.5) & (semantics.stop_rule != "never")
    return HardOutput(choices, halting_probs, halts, largest - padded.max(-1))


def softmax(logits: np.ndarray) -> np.ndarray:
    """What a selector attends to, from its logits, (K,)."""
    weights = np.exp(logits - logits.max())
    return weights / weights.sum()
