"""A controller without state, read whole: what it does under each zero-pattern, and which can occur."""

from __future__ import annotations

from collections.abc import Callable

from analysis.extraction.circuits import HardChoice, circuit_block
from analysis.extraction.network import HardNetwork, HardOutput
from analysis.program.block import Block
from analysis.program.program import START
from analysis.simplification.guards import MAX_REGISTERS
from analysis.simplification.reach import Reach, every_pattern, reach
from nram_env.machine import MachineConfig, zeros_of_patterns


def is_table(network: HardNetwork) -> bool:
    """Whether a controller is read whole: it has no state, and no more than MAX_REGISTERS registers."""
    return network.stateless and network.machine.num_registers <= MAX_REGISTERS


def table_of(network: HardNetwork) -> HardOutput:
    """What a controller without state does under each of the 2^R zero-patterns, in their order."""
    zeros = zeros_of_patterns(network.machine.num_registers)
    return network(zeros, network.initial_state(len(zeros)))[0]


def table_reach(machine: MachineConfig, step_of: Callable[[int], HardChoice]) -> Reach:
    """Which zero-patterns can occur if under each of them this step is made; all, where that is unclear."""

    def follow(state: int, pattern: int) -> tuple[Block, int | None]:
        step = step_of(pattern)
        return circuit_block(machine, step.choices), None if step.halts else START

    return reach(machine.num_registers, follow) or every_pattern(machine.num_registers)
