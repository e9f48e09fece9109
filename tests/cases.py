"""Circuits written by hand that reproduce the paper's execution traces (Tables 2 to 6).

Every executor of circuits is tested against this table: the soft machine, the integer machine and the
programs. Pure data and integers; torch is not needed here.

A circuit is written as `{"READ": "r0", "WRITE": "r0 READ", "r1": "DEC"}`: what each argument of a gate and
each register takes. A gate's second occurrence in the list is written with a 2, as in "READ2". A register
that is not mentioned keeps its value; a gate that is not mentioned has all arguments from r0. Registers are
numbered from 0: r0 is the paper's r1.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nram_env.machine import PAPER_GATES, ActionLayout, Gate, MachineConfig, apply_gate

_TRACES = json.loads((Path(__file__).parent / "data" / "paper_traces.json").read_text())["tables"]

Circuit = Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """A program of the paper: circuits for the first timesteps, then circuits that repeat for ever.

    Attributes:
        name: Task, and name of the trace in tests/data/paper_traces.json.
        config: The machine.
        first: Circuits of the first timesteps.
        repeated: Circuits after those, over and over.
    """

    name: str
    config: MachineConfig
    first: tuple[Circuit, ...]
    repeated: tuple[Circuit, ...]

    @property
    def rows(self) -> list[dict]:
        """The paper's table; row t is the state at the START of timestep t."""
        return _TRACES[self.name]["rows"]

    def circuit(self, timestep: int) -> Circuit:
        """Circuit of a timestep, counted from 0."""
        later = timestep - len(self.first)
        return self.first[timestep] if later < 0 else self.repeated[later % len(self.repeated)]

    def choices(self, timestep: int) -> list[int]:
        """What every selector chooses at a timestep, in the order of the layout."""
        return list(wire(self.config.layout, self.circuit(timestep)))


def wire(layout: ActionLayout, circuit: Circuit) -> Iterator[int]:
    """Turn a circuit into one choice for every selector of the layout."""
    gate_names = _gate_names(layout.gates)
    values = [f"r{register}" for register in range(layout.num_registers)] + gate_names
    unknown = set(circuit) - set(values)
    assert not unknown, f"{unknown} is neither a gate nor a register; there are {values}"
    for selector in layout.selectors:
        if selector.gate is None:
            yield values.index(circuit.get(f"r{selector.register}", f"r{selector.register}"))
        else:
            sources = circuit.get(gate_names[selector.gate], "r0 r0").split()
            yield values.index(sources[selector.argument])


def integer_step(
    config: MachineConfig, choices: Sequence[int], registers: Sequence[int], memory: Sequence[int]
) -> tuple[list[int], list[int], list[int]]:
    """One timestep on integers, gate by gate.

    Returns:
        New registers, new memory, and the outputs of all gates.
    """
    values, after, wanted = list(registers), list(memory), iter(choices)
    for gate in config.gates:
        arguments = [values[next(wanted)] for _ in range(gate.arity)]
        values.append(apply_gate(gate, arguments, after))
    return [values[choice] for choice in wanted], after, values[config.num_registers :]


def _gate_names(gates: Sequence[Gate]) -> list[str]:
    seen: Counter[Gate] = Counter()
    names = []
    for gate in gates:
        seen[gate] += 1
        names.append(gate.label if seen[gate] == 1 else f"{gate.label}{seen[gate]}")
    return names


_COPY = Case(
    "copy",
    MachineConfig(4),
    first=({"READ": "r0", "DEC": "READ", "WRITE": "r0 READ", "r1": "DEC", "r3": "ONE"},),
    repeated=(
        {
            "READ": "r3",
            "INC": "r2",
            "ADD": "r3 r1",
            "MIN": "INC r1",
            "WRITE": "ADD READ",
            "r2": "r3",
            "r3": "MIN",
        },
    ),
)

_ACCESS = Case(
    "access",
    MachineConfig(2),
    first=({"READ": "r0", "WRITE": "r0 READ", "r0": "READ"},),
    repeated=({"READ": "r0", "WRITE": "ZERO READ"},),
)

_INCREMENT = Case(
    "increment",
    MachineConfig(5),
    first=(),
    repeated=(
        {
            "READ": "r0",
            "INC": "READ",
            "ADD": "r0 ONE",
            "WRITE": "r0 INC",
            "r0": "ADD",
            "r1": "INC",
            "r2": "INC",
            "r3": "INC",
            "r4": "ADD",
        },
    ),
)

_REVERSE = Case(
    "reverse",
    MachineConfig(4),
    first=({"READ": "r0", "WRITE": "r0 READ", "r0": "READ", "r2": "ONE", "r3": "ONE"},),
    repeated=(
        {
            "READ": "r2",
            "INC": "r2",
            "ADD": "r0 r0",
            "SUB": "ADD r2",
            "DEC": "SUB",
            "WRITE": "DEC READ",
            "r1": "ONE",
            "r2": "INC",
        },
    ),
)

_SWAP = Case(  # two READs in one timestep: the gate list twice
    "swap",
    MachineConfig(2, PAPER_GATES * 2),
    first=(
        {
            "READ": "r0",
            "READ2": "READ",
            "WRITE": "r0 READ",
            "WRITE2": "r0 READ2",
            "r0": "ONE",
            "r1": "READ",
        },
    ),
    repeated=(
        {
            "READ": "r0",
            "READ2": "READ",
            "WRITE": "r0 READ",
            "WRITE2": "r1 READ2",
            "r0": "ZERO",
            "r1": "READ",
        },
        {"READ": "r0", "WRITE": "r0 READ", "WRITE2": "r1 READ", "r0": "READ", "r1": "ONE"},
    ),
)

PAPER_CASES: tuple[Case, ...] = (_COPY, _ACCESS, _INCREMENT, _REVERSE, _SWAP)
"""The paper's five programs: 39 rows in all."""
