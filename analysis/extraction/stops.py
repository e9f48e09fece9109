"""Does a network stop by itself? Its hardened runs decide, not what it was trained for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.extraction.inputs import inputs_of
from analysis.extraction.network import HardNetwork
from analysis.extraction.record import Inputs, circuit_steps
from analysis.verification.stopping import most, probes
from nram_env.tasks import Task


@dataclass(frozen=True)
class HardRun:
    """How the hardened runs of a batch ended.

    Attributes:
        memory: (B, W) integers at the end.
        steps: (B,) timesteps that were run.
        halted: (B,); whether the network stopped by itself.
    """

    memory: np.ndarray
    steps: np.ndarray
    halted: np.ndarray


def network_stops(network: HardNetwork, task: Task) -> bool:
    """Whether most of a hardened network's runs without a horizon stop by themselves.

    Such a network is recorded, read, compared and measured to where it stops; any other to T(n).

    Args:
        network: The network.
        task: Gives the instances, always the same ones.
    """
    if network.semantics.stop_rule == "never":
        return False
    return most(hard_run(network, inputs_of(task, probes(task), must_stop=True)).halted)


def hard_run(network: HardNetwork, inputs: Inputs) -> HardRun:
    """Run a hardened network, each row until it stops by itself or to its horizon."""
    rows = len(inputs.memory)
    memory, steps, halted = inputs.memory, np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=bool)
    for machine, output, _, active in circuit_steps(network, inputs):
        memory, steps, halted = machine.memory, steps + active, halted | (active & output.halts)
    return HardRun(memory, steps, halted)
