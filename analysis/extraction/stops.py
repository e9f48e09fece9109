"""Does a network stop by itself? Its hardened runs decide, not what it was trained for."""

from __future__ import annotations

import numpy as np

from analysis.extraction.inputs import inputs_of
from analysis.extraction.network import HardNetwork
from analysis.extraction.record import circuit_steps
from analysis.verification.stopping import most, probes
from nram_env.tasks import Task


def network_stops(network: HardNetwork, task: Task) -> bool:
    """Whether most of a hardened network's runs without a horizon stop by themselves.

    Such a network is recorded, read and compared to where it stops; any other to T(n).

    Args:
        network: The network.
        task: Gives the instances, always the same ones.
    """
    if network.semantics.stop_rule == "never":
        return False
    inputs = inputs_of(task, probes(task), must_stop=True)
    halted = np.zeros(len(inputs.memory), dtype=bool)
    for _, output, _, active in circuit_steps(network, inputs):
        halted |= active & output.halts
    return most(halted)
