"""A controller without state against its program, zero-pattern by zero-pattern: equal by construction.

Under every pattern that can occur the network's circuit and the program's block have to come to the same
stores, the same values of the registers that matter, and the same end. Then they do the same at every step
of every run: the registers that matter are equal at the start, and stay so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from analysis.extraction.circuits import HardChoice, circuit_block
from analysis.extraction.network import HardNetwork
from analysis.extraction.table import table_of, table_reach
from analysis.program.block import Block, Guard
from analysis.program.certificate import Certificate
from analysis.program.program import START, Edge, Program
from analysis.program.text import guard_text
from analysis.simplification.block import simplify_block
from analysis.simplification.dataflow import Known, live_registers
from analysis.simplification.guards import smallest_cubes
from analysis.simplification.meaning import NOTHING_KNOWN, Facts
from analysis.simplification.program import renumber_registers
from analysis.simplification.reach import Reach, every_pattern, facts_of

CLAIM = "program = hardened network at every step of every run, whatever the memory and T"

_SHOWN = 3
"""Invariants that a certificate names; of more it gives the number."""


@dataclass(frozen=True)
class TableComparison:
    """What comparing pattern by pattern gave.

    Attributes:
        num_registers: R of the network's machine.
        possible: How many zero-patterns can occur, out of 2^R.
        unequal: Those of them under which program and network could not be shown to be the same.
        min_size: The smallest M for which it holds.
        excluded: Cubes over the machine's registers that no pattern which can occur is in, and that have
            every pattern under which program and network differ.
    """

    num_registers: int
    possible: int
    unequal: tuple[int, ...]
    min_size: int
    excluded: tuple[tuple[int, int], ...]

    def certificate(self) -> Certificate:
        """The finding in fixed words."""
        total = 1 << self.num_registers
        if self.unequal:
            shown = _text([(total - 1, self.unequal[0])], self.num_registers)
            domain = f"{len(self.unequal):,} of {self.possible:,} zero-patterns, the first {shown}"
            return Certificate("table", CLAIM, "UNKNOWN", domain, self.possible)
        domain = f"all {total:,} zero-patterns, M >= {self.min_size}"
        if self.possible < total:
            domain = f"all {self.possible:,} of {total:,} zero-patterns that can occur, M >= {self.min_size}"
        return Certificate("table", CLAIM + self._why(), "EXHAUSTIVE", domain, self.possible)

    def _why(self) -> str:
        if not self.excluded:
            return ""
        never = _text(self.excluded[:_SHOWN], self.num_registers)
        more = len(self.excluded) - _SHOWN
        rest = f" or {more:,} more" if more > 0 else ""
        return f"; by what each block leaves 0, constant or equal, never [{never}]{rest}"


def compare_table(program: Program, network: HardNetwork) -> TableComparison:
    """Compare a program with a controller without state under every zero-pattern that can occur.

    Raises:
        ValueError: The program has more than one state.
    """
    if len(program.states) != 1:
        raise ValueError(
            f"a table is compared with a program of one state; this one has {len(program.states)}"
        )
    pairs = _Pairs(program, network)
    whole = pairs.compare(pairs.everything)
    if not whole.unequal:
        return whole
    possible = table_reach(network.machine, pairs.output.step)
    found = pairs.compare(possible)
    differ = set(whole.unequal).difference(possible.patterns())
    registers = (1 << network.machine.num_registers) - 1
    excluded = smallest_cubes(differ, possible.patterns(), registers)
    return replace(found, excluded=tuple(excluded))


class _Pairs:
    """What the network does under a pattern beside what the program does there."""

    def __init__(self, program: Program, network: HardNetwork) -> None:
        self.program = program
        self.machine = network.machine
        self.output = table_of(network)
        self.sources = [register.source for register in program.registers]
        self.live = frozenset(self.sources[register] for register in live_registers(program)[START])
        self.everything = every_pattern(self.machine.num_registers)
        self._plain: dict[tuple[Edge, HardChoice], int | None] = {}

    def compare(self, reach: Reach) -> TableComparison:
        """Compare under the patterns that can occur."""
        unequal, min_size = [], max(self.program.min_size, reach.min_size)
        for pattern in reach.patterns():
            needed = self._needed(pattern, reach.known[START, pattern])
            if needed is None:
                unequal.append(pattern)
            else:
                min_size = max(min_size, needed)
        return TableComparison(
            self.machine.num_registers, len(reach.known), tuple(unequal), min_size, excluded=()
        )

    def _needed(self, pattern: int, known: Known) -> int | None:
        """The smallest M for which both do the same there; None if that cannot be shown."""
        bits = sum(1 << place for place, source in enumerate(self.sources) if pattern >> source & 1)
        edge = next((edge for edge in self.program.edges if edge.guard.matches(bits)), None)
        step = self.output.step(pattern)
        if edge is None or (edge.target is None) != step.halts:
            return None
        if (edge, step) not in self._plain:
            self._plain[edge, step] = self._same(edge, step, NOTHING_KNOWN)
        plain = self._plain[edge, step]
        if plain is not None:
            return plain
        found = (
            self._same(edge, step, facts_of(pattern, facts))
            for facts in (self.everything.known[START, pattern], known)
        )
        return next((needed for needed in found if needed is not None), None)

    def _same(self, edge: Edge, step: HardChoice, facts: Facts) -> int | None:
        live = frozenset[int]() if step.halts else self.live
        blocks = circuit_block(self.machine, step.choices), self._on_machine(edge.block)
        theirs, ours = (simplify_block(block, self.machine.num_registers, live, facts) for block in blocks)
        return max(theirs.min_size, ours.min_size) if theirs.block == ours.block else None

    def _on_machine(self, block: Block) -> Block:
        """The block over the machine's registers, each of which it assigns as the machine does."""
        numbers = dict(enumerate(self.sources))
        moved = renumber_registers(block, numbers, len(self.sources), self.machine.num_registers)
        assigned = {register: register for register in range(self.machine.num_registers)}
        return replace(moved, assignments=tuple(sorted((assigned | dict(moved.assignments)).items())))


def _text(cubes: Iterable[tuple[int, int]], num_registers: int) -> str:
    return guard_text(Guard(tuple(cubes)), [f"r{register}" for register in range(num_registers)])
