"""The program: a finite machine whose edges carry straight-line code over a few integer registers.

A program runs at any memory size M. All arithmetic is modulo M. Needs neither torch nor a network.

    program = states + edges;  edge = source state, guard, block, target state (None: stop)
    guard   = which registers are 0 and which are not
    block   = instructions in order, then all register assignments at once
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from analysis.program.block import Block, Guard, ProgramError, check_block, require
from analysis.program.certificate import Certificate
from analysis.program.html import program_tables
from nram_env.checks import LONGEST_NAME, is_plain_text, shown
from nram_env.machine import MAX_REGISTERS, MachineConfig

Kind = Literal["table", "machine", "unrolled"]
KINDS: tuple[Kind, ...] = ("table", "machine", "unrolled")
START = 0

MAX_STATES = 10_000
"""Most states of a program: an unrolled one has one a timestep."""

MAX_EDGES = 20_000
"""Most edges of a program: a table over the zero-patterns of twelve registers has 4,096."""

MAX_CUBES = 16_384
"""Most cubes of all guards of a program; each is compared with each of its state."""

MAX_MIN_SIZE = 1 << 20
"""Largest memory that a program may ask for."""

MAX_CERTIFICATES = 100
"""Most certificates of a program."""


@dataclass(frozen=True)
class Semantics:
    """What the machine below the program does where descriptions of it differ. Saved in every file.

    Attributes:
        register_update: All registers are updated at once from the old ones.
        write_returns: The output of WRITE is the value that it stored.
        stop_rule: "first_over_half": a run ends after the first step with f > 0.5; "never": f is ignored.
        tie_break: A selector with equal largest logits takes the first.
        initial_registers: All registers start as 0.
    """

    register_update: Literal["simultaneous"] = "simultaneous"
    write_returns: Literal["value"] = "value"
    stop_rule: Literal["first_over_half", "never"] = "first_over_half"
    tie_break: Literal["first"] = "first"
    initial_registers: Literal["zero"] = "zero"

    def __post_init__(self) -> None:
        for name, known in KNOWN_SEMANTICS.items():
            if getattr(self, name) not in known:
                raise ProgramError(
                    f"semantics.{name} is {getattr(self, name)!r}; this machine knows {' or '.join(known)}"
                )


KNOWN_SEMANTICS: dict[str, tuple[str, ...]] = {
    "register_update": ("simultaneous",),
    "write_returns": ("value",),
    "stop_rule": ("first_over_half", "never"),
    "tie_break": ("first",),
    "initial_registers": ("zero",),
}
"""Every choice of semantics with what this machine knows."""


PAPER_SEMANTICS = Semantics()
"""The paper's machine, its halting probability cut at one half."""


@dataclass(frozen=True)
class Rewrite:
    """One simplification, for the record.

    Attributes:
        before: What stood there.
        after: What stands there now.
        why: "dead", "identity", "constant", "copy" or "store".
        assumes: The size condition under which it holds, as in "M >= 3"; empty if always.

    Raises:
        ProgramError: A text does not print as itself.
    """

    before: str
    after: str
    why: str
    assumes: str = ""

    def __post_init__(self) -> None:
        for text in (self.before, self.after, self.why, self.assumes):
            require(is_plain_text(text), f"a rewrite holds {shown(text)}; it is plain text")


@dataclass(frozen=True)
class Edge:
    """What a program does in one state under one guard.

    Attributes:
        source: State before.
        guard: When the edge is taken.
        block: What is done.
        target: State after, None to stop after this step.
        support: How many recorded steps took it; 0 if it comes from a table alone.
        witness: Choices of all selectors of one recorded step that realises it, in the order of the
            machine's layout; empty if there is none.
        rewrites: How the block came from the witness.
    """

    source: int
    guard: Guard
    block: Block
    target: int | None
    support: int = 0
    witness: tuple[int, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()


@dataclass(frozen=True)
class Register:
    """A register of a program: its printed name, and which register of the agent's machine it was."""

    name: str
    source: int


@dataclass(frozen=True)
class Program:
    """A program that was read out of a controller, or written by hand. State 0 is where it starts.

    Attributes:
        name: Usually the task's name.
        registers: Its registers, R of them.
        states: Names of the states.
        edges: Ordered by source; at most one edge of a state matches any zero-pattern. Where none
            matches, the situation was never seen and the machine stops there.
        kind: "table" (exact, from a controller without state), "machine" (learned from recorded runs)
            or "unrolled" (one state a timestep: not a finite program).
        machine: The agent's machine, which `witness` and `Register.source` speak of.
        semantics: See there.
        min_size: The smallest M for which the blocks mean what the agent did.
        task: Name of the task, if it has one.
        imports: What has to be imported for the task to be known, if it is not nram's own.
        origin: Where it came from, as names and plain values.
        certificates: What was checked so far.

    Raises:
        ProgramError: Some part refers to what is not there, is too large or does not print as itself, or two
            edges of a state overlap.

    Example:
        >>> from analysis import find_program
        >>> program = find_program("zoo:copy")
        >>> [register.name for register in program.registers], program.states
        (['i', 'c', 'flag', 'p'], ('S0', 'S1'))
    """

    name: str
    registers: tuple[Register, ...]
    states: tuple[str, ...]
    edges: tuple[Edge, ...]
    kind: Kind
    machine: MachineConfig
    semantics: Semantics = PAPER_SEMANTICS
    min_size: int = 2
    task: str | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)
    certificates: tuple[Certificate, ...] = ()
    imports: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_program(self)

    @property
    def num_registers(self) -> int:
        """R, the registers that the program needs."""
        return len(self.registers)

    @property
    def can_halt(self) -> bool:
        """Whether some edge stops."""
        return any(edge.target is None for edge in self.edges)

    @cached_property
    def edges_of_state(self) -> tuple[tuple[Edge, ...], ...]:
        """For every state its edges."""
        outgoing: list[list[Edge]] = [[] for _ in self.states]
        for edge in self.edges:
            outgoing[edge.source].append(edge)
        return tuple(map(tuple, outgoing))

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        return program_tables(self)

    def with_certificates(self, *certificates: Certificate) -> Program:
        """The same program with these findings in place of older ones of the same checks."""
        new = {certificate.check for certificate in certificates}
        kept = tuple(certificate for certificate in self.certificates if certificate.check not in new)
        return replace(self, certificates=kept + certificates)


def check_program(program: Program) -> None:
    """Raise ProgramError at the first part of a program that makes no sense."""
    require(program.kind in KINDS, f"kind is {program.kind!r}; it is one of {', '.join(KINDS)}")
    require(
        1 <= program.min_size <= MAX_MIN_SIZE,
        f"min_size is {shown(program.min_size)}; it is in 1..{MAX_MIN_SIZE}",
    )
    _check_counts(program)
    _check_names(program)
    for register in program.registers:
        require(
            0 <= register.source < program.machine.num_registers,
            f"register {register.name} was register {register.source} of the machine, "
            f"which has {program.machine.num_registers}",
        )
    for index, edge in enumerate(program.edges):
        _check_edge(program, edge, f"edge {index}")
    for edges in program.edges_of_state:
        require(
            _are_disjoint([edge.guard for edge in edges]),
            f"two edges of state {program.states[edges[0].source] if edges else ''} match the same registers",
        )


def _check_counts(program: Program) -> None:
    require(bool(program.states), "there is no state; a program has at least one")
    counts = {
        "registers": (len(program.registers), MAX_REGISTERS),
        "states": (len(program.states), MAX_STATES),
        "edges": (len(program.edges), MAX_EDGES),
        "guard cubes": (sum(len(edge.guard.cubes) for edge in program.edges), MAX_CUBES),
        "certificates": (len(program.certificates), MAX_CERTIFICATES),
    }
    for kind, (count, most) in counts.items():
        require(count <= most, f"there are {count:,} {kind}; a program has at most {most:,}")


def _check_names(program: Program) -> None:
    names = [register.name for register in program.registers]
    require(len(set(names)) == len(names), f"two registers share a name: {', '.join(map(shown, names))}")
    for name in (program.name, program.task or "", *names, *program.states, *program.origin):
        require(
            is_plain_text(name, LONGEST_NAME),
            f"the name {shown(name)} is not plain text of at most {LONGEST_NAME} characters",
        )
    for name, value in program.origin.items():
        require(is_plain_text(str(value)), f"origin.{name} is {shown(value)}; it is plain text or a number")


def _are_disjoint(guards: Sequence[Guard]) -> bool:
    """Whether no zero-pattern satisfies two of the guards."""
    cubes = [(*cube, number) for number, guard in enumerate(guards) for cube in guard.cubes]
    masks, values, owners = np.array(cubes, dtype=np.int64).reshape(-1, 3).T
    return not any(
        np.any(((values[:i] ^ values[i]) & masks[:i] & masks[i] == 0) & (owners[:i] != owners[i]))
        for i in range(1, len(cubes))
    )


def _check_edge(program: Program, edge: Edge, where: str) -> None:
    num_states, num_registers = len(program.states), program.num_registers
    for end, state in (("starts", edge.source), ("ends", edge.target)):
        require(
            state is None or 0 <= state < num_states, f"{where} {end} in state {state} of {num_states} states"
        )
    require(
        edge.target is not None or program.semantics.stop_rule != "never",
        f"{where} stops, but semantics.stop_rule is 'never'",
    )
    for mask, value in edge.guard.cubes:
        require(
            0 <= value <= mask < 1 << num_registers and value & ~mask == 0,
            f"{where} has the guard cube ({mask}, {value}), which does not fit {num_registers} registers",
        )
    check_block(edge.block, num_registers, where)
    if edge.witness:
        check_witness(program.machine, edge.witness, where)


def check_witness(machine: MachineConfig, witness: tuple[int, ...], where: str) -> None:
    """Raise ProgramError where a witness is not one choice a selector of the machine."""
    counts = machine.layout.choice_counts
    require(
        len(witness) == len(counts), f"{where} has a witness of {len(witness)} choices, not {len(counts)}"
    )
    for selector, choice in zip(machine.layout.selectors, witness, strict=True):
        require(
            0 <= choice < selector.size,
            f"{where} has a witness with choice {choice} of {selector.name}, not in 0..{selector.size - 1}",
        )
