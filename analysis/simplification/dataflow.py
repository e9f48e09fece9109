"""What holds at every entry of a state, and which registers matter there: two fixpoints over the program."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.program.block import Guard
from analysis.program.program import START, Edge, Program
from analysis.simplification.block import needed_values
from analysis.simplification.meaning import Facts, meaning_of

Known = tuple[tuple[str, int], ...]
"""For every register ("constant", c) or ("copy", r), r the smallest register of equal content.

Nothing is known of a register that does not matter there: it is a copy of itself, and no other is its copy.
The network may have put anything into it, and code that read it for an equal one would make it matter again.
"""


def live_registers(program: Program) -> tuple[frozenset[int], ...]:
    """For every state the registers whose values some later guard, store or stop depends on."""
    live: list[frozenset[int]] = [frozenset()] * len(program.states)
    entering: list[list[int]] = [[] for _ in program.states]
    for edge in program.edges:
        if edge.target is not None:
            entering[edge.target].append(edge.source)
    waiting = list(range(len(program.states)))  # taken from its end: most programs run forward
    while waiting:
        state = waiting.pop()
        outgoing = program.edges_of_state[state]
        needed = frozenset[int]().union(*(_needed_by(edge, program.num_registers, live) for edge in outgoing))
        if needed != live[state]:
            live[state] = needed
            waiting += entering[state]
    return tuple(live)


def live_after(edge: Edge, live: tuple[frozenset[int], ...]) -> frozenset[int]:
    """The registers that matter after an edge; none after a stop."""
    return frozenset() if edge.target is None else live[edge.target]


@dataclass(frozen=True)
class Flow:
    """What holds at the entry of every state.

    Attributes:
        known: For every state what its registers hold whenever it is entered; None if it never is.
        min_size: The smallest M for which that was shown.
    """

    known: tuple[Known | None, ...]
    min_size: int


def known_at_entry(program: Program) -> Flow:
    """Follow constants and copies from the start, where all registers are 0, through all edges."""
    live = live_registers(program)
    known: list[Known | None] = [None] * len(program.states)
    known[START] = tuple(
        ("constant", 0) if r in live[START] else ("copy", r) for r in range(program.num_registers)
    )
    waiting, min_size = [START], program.min_size
    while waiting:
        state = waiting.pop()
        for edge in program.edges_of_state[state]:
            entry = known[state]
            if edge.target is None or entry is None or contradicts(edge.guard, entry):
                continue
            after, needed = transfer(edge, entry, live[edge.target])
            min_size = max(min_size, needed)
            before = known[edge.target]
            joined = after if before is None else join(before, after)
            if joined != before:
                known[edge.target] = joined
                waiting.append(edge.target)
    return Flow(tuple(known), min_size)


def join(left: Known, right: Known) -> Known:
    """What holds where one or the other does."""
    first: dict[object, int] = {}
    joined: list[tuple[str, int]] = []
    for register, pair in enumerate(zip(left, right, strict=True)):
        representative = first.setdefault(pair, register)
        same_constant = pair[0] == pair[1] and pair[0][0] == "constant"
        joined.append(pair[0] if same_constant else ("copy", representative))
    return tuple(joined)


def contradicts(guard: Guard, known: Known) -> bool:
    """Whether a guard asks every time that a register known to be 0 is not."""
    zeros = sum(1 << r for r, value in enumerate(known) if value == ("constant", 0))
    return all(zeros & mask & ~value for mask, value in guard.cubes)


def facts_under(guard: Guard, known: Known) -> Facts:
    """What is known before a block runs: what its state knows and what its guard says."""
    zero, nonzero = _tested(guard)
    values = dict(enumerate(known))
    for register in zero:
        same = [r for r, value in enumerate(known) if value == known[register]]
        values |= dict.fromkeys(same, ("constant", 0))
    return Facts({r: value for r, value in values.items() if value != ("copy", r)}, frozenset(nonzero))


def _tested(guard: Guard) -> tuple[list[int], list[int]]:
    """Registers that every cube wants to be 0, and those that every cube wants not to be."""
    zero = nonzero = guard.mask
    for mask, value in guard.cubes:
        zero &= value
        nonzero &= mask & ~value
    return _registers(zero), _registers(nonzero)


def _registers(mask: int) -> list[int]:
    return [register for register in range(mask.bit_length()) if mask >> register & 1]


def _needed_by(edge: Edge, num_registers: int, live: list[frozenset[int]]) -> frozenset[int]:
    after = frozenset() if edge.target is None else live[edge.target]
    values = needed_values(edge.block, num_registers, after)
    return frozenset(value for value in values if value < num_registers) | set(_registers(edge.guard.mask))


def transfer(edge: Edge, known: Known, live: frozenset[int]) -> tuple[Known, int]:
    """What is known after an edge of the registers that matter there, and the smallest M for it."""
    meaning = meaning_of(edge.block, len(known), facts_under(edge.guard, known))
    first: dict[int, int] = {}
    after = [("copy", register) for register in range(len(known))]
    for register in sorted(live):
        term = meaning.outputs[register]
        constant = meaning.terms.value(term)
        same = first.setdefault(term, register)
        after[register] = ("copy", same) if constant is None else ("constant", constant)
    return tuple(after), meaning.terms.min_size
