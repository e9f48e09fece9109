"""The differentiable machine: pure, batched, state in, state out. Knows nothing of gymnasium.

Names that need torch are loaded on first use, so that programs can be read and run without it.

Example:
    >>> import torch
    >>> from nram_env.machine import MachineConfig, initial_state, step
    >>> config = MachineConfig(num_registers=2, gates=["READ", "INC", "WRITE"])
    >>> state = initial_state(config, torch.tensor([[4, 0, 0, 0, 0, 0]]))
    >>> circuit = config.layout.one_hot([[0, 2, 0, 3, 0, 3]])  # mem[r0] = r1 = mem[r0] + 1
    >>> state = step(config, state, torch.tensor(circuit, dtype=torch.float32))
    >>> state.memory.argmax(-1).tolist(), state.registers.argmax(-1).tolist()
    ([[5, 0, 0, 0, 0, 0]], [[0, 5]])
"""

from typing import TYPE_CHECKING, Any

from nram_env.machine.config import MACHINE, MAX_GATES, MAX_REGISTERS, MachineConfig
from nram_env.machine.gates import PAPER_GATES, Gate, apply_gate, parse_gates, pure_gate
from nram_env.machine.hard import hard_advance, hard_step, patterns_of_zeros, zeros_of_patterns
from nram_env.machine.layout import ActionLayout, Selector
from nram_env.support import lazy_name

if TYPE_CHECKING:
    from nram_env.machine.backends.base import Runs, Timestep, follow
    from nram_env.machine.circuit import step, timestep, transition
    from nram_env.machine.objective import (
        LOG_FLOOR,
        cell_error,
        exact_error,
        expected_loss,
        halting_distribution,
        mixture_loss,
        output_log_likelihood,
        output_probabilities,
        wrong_cells,
    )
    from nram_env.machine.state import MachineState, initial_state

_NEEDS_TORCH = {
    "backends.base": ("Runs", "Timestep", "follow"),
    "circuit": ("step", "timestep", "transition"),
    "objective": (
        "LOG_FLOOR",
        "cell_error",
        "exact_error",
        "expected_loss",
        "halting_distribution",
        "mixture_loss",
        "output_log_likelihood",
        "output_probabilities",
        "wrong_cells",
    ),
    "state": ("MachineState", "initial_state"),
}
_MODULE_OF = {name: module for module, names in _NEEDS_TORCH.items() for name in names}


def __getattr__(name: str) -> Any:
    return lazy_name(__name__, _MODULE_OF, name)


__all__ = [
    "LOG_FLOOR",
    "MACHINE",
    "MAX_GATES",
    "MAX_REGISTERS",
    "PAPER_GATES",
    "ActionLayout",
    "Gate",
    "MachineConfig",
    "MachineState",
    "Runs",
    "Selector",
    "Timestep",
    "apply_gate",
    "cell_error",
    "exact_error",
    "expected_loss",
    "follow",
    "halting_distribution",
    "hard_advance",
    "hard_step",
    "initial_state",
    "mixture_loss",
    "output_log_likelihood",
    "output_probabilities",
    "parse_gates",
    "patterns_of_zeros",
    "pure_gate",
    "step",
    "timestep",
    "transition",
    "wrong_cells",
    "zeros_of_patterns",
]
