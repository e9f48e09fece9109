"""check_network: does a network keep what it promises, and if not, what breaks?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from analysis.extraction.network import Network
from analysis.simplification.guards import MAX_REGISTERS
from nram_env.machine import zeros_of_patterns

_ROWS, _STEPS, _ROUNDING = 16, 8, 1e-6


def check_network(network: Network, seed: int = 0) -> list[str]:
    """Test a network: shapes, finiteness, determinism, independent rows, and no memory between calls.

    It is run for a few timesteps on random zero-bits, again from the start, and a row by itself.

    Args:
        network: Any network.
        seed: Seed of the zero-bits.

    Returns:
        What is wrong, in sentences; empty where nothing was found.

    Example:
        >>> from analysis import ModuleNetwork, check_network
        >>> from nram_env import MachineConfig
        >>> from torch import nn
        >>> machine = MachineConfig(2)
        >>> check_network(ModuleNetwork(nn.Linear(2, machine.layout.size), machine))
        []
    """
    rng = np.random.default_rng(seed)
    zeros = rng.random((_STEPS, _ROWS, network.machine.num_registers)) < 0.5
    zeros[0] = True  # as at the start of every run
    fault = _wrong_form(network, zeros)
    return [fault] if fault else list(_broken_promises(network, zeros))


def _wrong_form(network: Network, zeros: np.ndarray) -> str | None:
    wanted = (_ROWS, network.machine.layout.size)
    before = network.initial_state(_ROWS)
    answer = network.logits(zeros[0], before)
    if not isinstance(answer, tuple) or len(answer) != 2:
        return f"logits(zeros, state) must give (logits, state), got {type(answer).__name__}"
    logits, after = answer
    if not isinstance(logits, np.ndarray) or logits.shape != wanted:
        found = getattr(logits, "shape", type(logits).__name__)
        return f"logits must be an array of shape {wanted}, got {found}"
    if not np.issubdtype(logits.dtype, np.floating):
        return f"logits must be floating-point numbers, got {logits.dtype}"
    if (before is None) != (after is None):
        return "a network has a state or none: one of initial_state(...) and logits(...) gave None for it"
    return None


def _broken_promises(network: Network, zeros: np.ndarray) -> Iterator[str]:
    first = _play(network, zeros)
    if not (np.isfinite(first).all() and np.isfinite(_every_pattern(network)).all()):
        yield "logits must be finite numbers under every zero-pattern, got NaN or infinity"
        return
    if not np.array_equal(first, _play(network, zeros)):
        yield "the same zeros and states gave other logits the second time: by chance, or by memory"
        return
    if not np.array_equal(first, _play(network, zeros, twice=True)):
        yield "a state or zeros that were passed in were changed: give back new ones instead"
    if not np.allclose(first[:, :1], _play(network, zeros[:, :1]), rtol=_ROUNDING, atol=_ROUNDING):
        yield "a row's logits depend on the other rows of the batch"


def _play(network: Network, zeros: np.ndarray, twice: bool = False) -> np.ndarray:
    """(T, B, D); the logits of every timestep; each is made twice from the same state if asked for."""
    state: Any = network.initial_state(zeros.shape[1])
    found = []
    for given in zeros:
        now = given.copy()
        if twice:
            network.logits(now, state)
        logits, state = network.logits(now, state)
        found.append(logits.copy())
    return np.stack(found)


def _every_pattern(network: Network) -> np.ndarray:
    """(2^R, D); the logits of the first timestep under every pattern; for many registers of the first."""
    registers = network.machine.num_registers
    zeros = zeros_of_patterns(min(registers, MAX_REGISTERS))
    padded = np.pad(zeros, ((0, 0), (0, registers - zeros.shape[1])))
    return network.logits(padded, network.initial_state(len(padded)))[0]
