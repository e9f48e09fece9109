"""Which zero-patterns can occur: more than do, never fewer, for every memory, T and M >= min_size.

From the start, where every register is 0, each block is followed through what is known of its registers
under the pattern: which are 0, which hold a constant, which hold the same. What it leaves in a register is
0, not 0, or either, and then both are gone on with. What a READ gives may be anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from analysis.program.block import Block
from analysis.program.program import START, Program
from analysis.simplification.dataflow import Known, join
from analysis.simplification.guards import MAX_REGISTERS, values_on
from analysis.simplification.meaning import Facts, Meaning, meaning_of
from analysis.simplification.terms import COMPARISONS, Terms
from nram_env.machine import Gate

MAX_WORK, _BLOCK_WORK = 200_000, 10
"""Situations that are gone on to, a block that is followed counting as ten or as its instructions, whichever
are more; beyond that it is given up."""

MAX_OPEN = 16
"""Where more values than this decide whether the registers are 0, each register is taken by itself."""

Situation = tuple[int, int]
"""A state and a zero-pattern: bit r is set where register r is 0."""

Follow = Callable[[int, int], tuple[Block, int | None] | None]
"""State and zero-pattern to the block and the next state (None: stop); None where the run ends before it."""


@dataclass(frozen=True)
class Reach:
    """What can occur.

    Attributes:
        known: Situation -> what its registers hold whenever it occurs; what is not there cannot occur.
        min_size: The smallest M for which that was shown.
    """

    known: Mapping[Situation, Known]
    min_size: int

    def patterns(self, state: int = START) -> list[int]:
        """The zero-patterns that can occur in a state."""
        return self._patterns.get(state, [])

    @cached_property
    def _patterns(self) -> Mapping[int, list[int]]:
        found: dict[int, list[int]] = {}
        for state, pattern in sorted(self.known):
            found.setdefault(state, []).append(pattern)
        return found

    def impossible(self, mask: int, state: int = START) -> set[int]:
        """The values on the registers of a mask that no pattern which can occur in a state has."""
        return values_on(mask).difference(pattern & mask for pattern in self.patterns(state))


def facts_of(pattern: int, known: Known) -> Facts:
    """What is known before a step: its zero-pattern, and what the registers hold whenever that occurs."""
    values = {register: value for register, value in enumerate(known) if value != ("copy", register)}
    return Facts(values, frozenset(r for r in range(len(known)) if not pattern >> r & 1))


def program_reach(program: Program) -> Reach | None:
    """What can occur in a program; None where that is too much to look through."""

    def follow(state: int, pattern: int) -> tuple[Block, int | None] | None:
        edges = program.edges_of_state[state]
        return next(((edge.block, edge.target) for edge in edges if edge.guard.matches(pattern)), None)

    return reach(program.num_registers, follow)


def reach(num_registers: int, follow: Follow) -> Reach | None:
    """What can occur, from state 0 with every register 0; None where that is too much to look through.

    Example:
        >>> from analysis.program.block import Operation
        >>> counter = Block((Operation(Gate.ONE), Operation(Gate.INC, (0,))), ((0, 3), (1, 2)))
        >>> reach(2, lambda state, pattern: (counter, 0)).patterns()  # register 1 is 0 at the start only
        [0, 1, 3]
    """
    if num_registers > MAX_REGISTERS:
        return None
    start = (START, (1 << num_registers) - 1)
    known: dict[Situation, Known] = {start: (("constant", 0),) * num_registers}
    waiting, min_size, work = {start: None}, 1, 0
    while waiting and work < MAX_WORK:
        (state, pattern), _ = waiting.popitem()
        taken = follow(state, pattern)
        if taken is None or taken[1] is None:
            continue
        meaning = meaning_of(taken[0], num_registers, facts_of(pattern, known[state, pattern]))
        left = list(_successors(meaning, num_registers))
        for leaves, after in left:
            there = taken[1], leaves
            joined = join(known[there], after) if there in known else after
            if known.get(there) != joined:
                known[there] = joined
                waiting[there] = None
        min_size = max(min_size, meaning.terms.min_size)
        work += max(_BLOCK_WORK, len(taken[0].instructions)) + len(left)
    return None if waiting else Reach(known, min_size)


def every_pattern(num_registers: int) -> Reach:
    """Everything, for one state: what is known of a register is whether it is 0."""
    known: dict[Situation, Known] = {}
    for pattern in range(1 << num_registers):
        zero = [pattern >> register & 1 for register in range(num_registers)]
        values = tuple(("constant", 0) if zero[r] else ("copy", r) for r in range(num_registers))
        known[START, pattern] = values
    return Reach(known, 1)


def _successors(meaning: Meaning, num_registers: int) -> Iterator[tuple[int, Known]]:
    """The zero-patterns that a block can leave, each with what its registers then hold."""
    outputs = [meaning.outputs[register] for register in range(num_registers)]
    weights = 1 << np.arange(num_registers)
    for pattern in np.unique(weights @ _zeros(meaning.terms, outputs)).tolist():
        zero = [bool(pattern >> register & 1) for register in range(num_registers)]
        yield pattern, _known(meaning.terms, outputs, zero)


def _known(terms: Terms, outputs: Sequence[int], zero: Sequence[bool]) -> Known:
    first: dict[int, int] = {}
    known = []
    for register, number in enumerate(outputs):
        same = first.setdefault(number, register)
        value = terms.value(number)
        if zero[register]:
            known.append(("constant", 0))
        elif value is not None:
            known.append(("constant", value))
        elif terms.table[number].gate in COMPARISONS:
            known.append(("constant", 1))
        else:
            known.append(("copy", same))
    return tuple(known)


def _zeros(terms: Terms, outputs: Sequence[int]) -> np.ndarray:
    """(R, W); the W ways in which the outputs can be 0 or not together."""
    open_terms = sorted(set[int]().union(*(_open(terms, number) for number in outputs)))
    if len(open_terms) > MAX_OPEN:
        open_terms = sorted(set(outputs))
    ways = np.arange(1 << len(open_terms))
    zero = {number: (ways >> place & 1).astype(bool) for place, number in enumerate(open_terms)}
    zero[terms.constant(0)] = np.ones(len(ways), dtype=bool)
    found = [_is_zero(terms, number, zero) for number in outputs]
    return np.array(found, dtype=bool).reshape(len(outputs), len(ways))


def _open(terms: Terms, number: int) -> set[int]:
    """The terms that may be 0 or not, and decide whether a term is 0."""
    rule = _rule(terms, number)
    if rule is None:
        return {number}
    return set[int]().union(*(_open(terms, part) for part in rule[1] if part != number))


def _is_zero(terms: Terms, number: int, zero: dict[int, np.ndarray]) -> np.ndarray:
    """(W,); in which of the ways a term is 0, kept in `zero`, where those of the open ones stand."""
    if number not in zero:
        rule = _rule(terms, number)
        assert rule is not None, "an open term stands in `zero`"
        zero[number] = rule[0]([_is_zero(terms, part, zero) for part in rule[1]])
    return zero[number]


def _rule(terms: Terms, number: int) -> tuple[Callable[[list[np.ndarray]], np.ndarray], Sequence[int]] | None:
    """How it follows from whether others are 0 that a term is, None if it does not follow."""
    term, zero = terms.table[number], terms.constant(0)
    if number == zero:
        return np.logical_and.reduce, (zero,)
    if terms.is_nonzero(number) or terms.differ(number, zero):
        return _not, (zero,)
    if term.gate is Gate.MIN:
        return np.logical_or.reduce, term.parts
    if term.gate is Gate.MAX:
        return np.logical_and.reduce, term.parts
    if term.gate is Gate.EQUALITY_TEST and term.parts[1] == zero:
        return _not, term.parts[:1]
    if term.gate is Gate.LESS_THAN and term.parts[0] == zero:
        return np.logical_and.reduce, term.parts[1:]
    return None


def _not(values: list[np.ndarray]) -> np.ndarray:
    return ~values[0]
