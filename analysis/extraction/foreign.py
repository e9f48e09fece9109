"""Circuits from elsewhere, written by hand or taken from another implementation, as a program."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from analysis.extraction.circuits import circuit_block
from analysis.extraction.names import name_registers
from analysis.program.block import Guard, ProgramError
from analysis.program.program import Edge, Kind, Program, Register, Semantics, check_witness
from analysis.simplification.program import simplify_program
from nram_env.checks import shown
from nram_env.machine import MachineConfig
from nram_env.tasks import get_task

Circuit = tuple[str, str, Sequence[int], str | None]
"""State, zero-pattern, choices, next state; see `from_circuits`."""


def from_circuits(
    machine: MachineConfig,
    circuits: Iterable[Circuit],
    *,
    name: str = "foreign",
    task: str | None = None,
    **semantics: Any,
) -> Program:
    """The program of a table of circuits.

    Args:
        machine: Registers and gates.
        circuits: One for every state and zero-pattern, the starting state first: the state's name; for
            every register "0" where it must be 0, "1" where it must not be, "-" where it does not matter;
            what every selector chose, in the order of `machine.layout`; the state after it, None to stop.
        name: Name of the program.
        task: Name of the task that it is for.
        **semantics: How the machine that the circuits come from works, where that differs from this one:
            register_update, write_returns, stop_rule, tie_break, initial_registers.

    Raises:
        ProgramError: A circuit does not fit the machine, two of a state overlap, a next state has no
            circuit, or the machine works otherwise than this one, as with register_update="in_place" or
            write_returns="zero".
        ValueError: No task has this name.

    Example:
        >>> machine = MachineConfig(1, ("READ", "INC", "WRITE"))
        >>> program = from_circuits(machine, [("S0", "-", [0, 1, 0, 2, 0], "S0")])
        >>> from analysis import run
        >>> run(program, [4, 0, 0, 0, 0, 0], max_steps=1).memory
        (5, 0, 0, 0, 0, 0)
    """
    rows = [_row(row) for row in circuits]
    states = list(dict.fromkeys(state for state, *_ in rows))
    if task is not None:
        get_task(task)
    edges = tuple(_edge(machine, states, row) for row in rows)
    registers = tuple(Register(f"r{r}", r) for r in range(machine.num_registers))
    kind: Kind = "table" if len(states) == 1 else "machine"
    raw = Program(name, registers, tuple(states), edges, kind, machine, Semantics(**semantics), task=task)
    return name_registers(simplify_program(raw))


def _row(row: Circuit) -> Circuit:
    if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != 4:
        raise ProgramError(f"a circuit is (state, zero-pattern, choices, next state), got {shown(row)}")
    return row


def _edge(machine: MachineConfig, states: Sequence[str], row: Circuit) -> Edge:
    state, pattern, choices, target = row
    where = f"the circuit of state {state!r} under {pattern!r}"
    if len(pattern) != machine.num_registers or set(pattern) - set("01-"):
        raise ProgramError(f"{where} needs one of 0, 1 and - for each of {machine.num_registers} registers")
    if target is not None and target not in states:
        raise ProgramError(f"{where} goes on to {target!r}; the states are {', '.join(states)}")
    if not all(isinstance(choice, int | np.integer) for choice in choices):
        raise ProgramError(f"{where} has choices that are no integers: {shown(choices)}")
    witness = tuple(int(choice) for choice in choices)
    check_witness(machine, witness, where)
    mask = sum(1 << r for r, sign in enumerate(pattern) if sign != "-")
    zero = sum(1 << r for r, sign in enumerate(pattern) if sign == "0")
    block = circuit_block(machine, witness)
    after = None if target is None else states.index(target)
    return Edge(states.index(state), Guard(((mask, zero),)), block, after, witness=witness)
