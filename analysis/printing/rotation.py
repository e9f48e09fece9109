"""Loops turned round: their tests at the end where that reads better and does the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis.printing.nested import Stop, leaves
from analysis.printing.structure import Do, If, Loop, Node
from analysis.program.block import Block, Constant, Guard, Operation, gate_of
from analysis.simplification.guards import covers, tested_by
from analysis.simplification.terms import COMPARISONS


def rotated(nodes: Sequence[Node], known: Mapping[int, int], num_registers: int) -> list[Node]:
    """The same code, its loops tested at the end where a first test would be in vain.

    Args:
        nodes: The code.
        known: Registers that hold 0 or 1 before it.
        num_registers: R.
    """
    found: list[Node] = []
    for node in nodes:
        if isinstance(node, Loop):
            body, start = _end_tested(node, found, known)
            if body is node.body and (entry := _tested_twice(node, found, num_registers)) is not None:
                body = [*entry.branches[-1][1], _without_last(entry)]
                found.append(_without_last(entry))
                start += 1
            found[start:] = [Loop(tuple(rotated(body, {}, num_registers)))]
            known = {}
        elif isinstance(node, If):
            branches = ((guard, tuple(rotated(body, known, num_registers))) for guard, body in node.branches)
            found.append(If(tuple(branches)))
            known = {}
        else:
            found.append(node)
            known = _after(node.edge.block, known, num_registers) if isinstance(node, Do) else known
    return found


def _end_tested(loop: Loop, before: Sequence[Node], known: Mapping[int, int]) -> tuple[Sequence[Node], int]:
    """The body of a loop, tested at its end where that does the same; how much of what is before it stays."""
    ways = _ways(loop)
    if ways is None or any(isinstance(node, If | Loop) for node in ways[0][1]):
        return loop.body, len(before)
    (guard, body), others = ways
    leaving = If((*others, (guard, ())))
    start = len(before) - len(body)
    if start >= 0 and _blocks(before[start:]) == _blocks(body):
        return [*body, leaving], start
    if _is_known(guard, known) and not guard.mask & _used(body):
        return [*body, leaving], len(before)
    return loop.body, len(before)


def _tested_twice(loop: Loop, before: Sequence[Node], num_registers: int) -> If | None:
    """The branches of a loop, that which goes round last, to be tested before it and at its end.

    So it is where a comparison is made right before both tests, and a run ends where it leaves the loop: then
    no register has to carry the comparison to the head of the loop.
    """
    ways = _ways(loop)
    if ways is None or not all(_only_stops(body) for _, body in ways[1]):
        return None
    again, ending = ways
    mask = tested_by(guard for guard, _ in (again, *ending))
    places = (before[-1:], again[1][-1:])
    return If((*ending, again)) if all(_compares(place, mask, num_registers) for place in places) else None


_Branch = tuple[Guard, tuple[Node, ...]]


def _ways(loop: Loop) -> tuple[_Branch, tuple[_Branch, ...]] | None:
    """The one branch that goes round and those that leave, of a loop that is nothing but branches."""
    branching = loop.body[0]
    if len(loop.body) > 1 or not isinstance(branching, If) or not covers([g for g, _ in branching.branches]):
        return None
    again = [branch for branch in branching.branches if not leaves(branch[1])]
    leaving = tuple(branch for branch in branching.branches if leaves(branch[1]))
    return (again[0], leaving) if len(again) == 1 else None


def _without_last(branching: If) -> If:
    """The branches, the last of which does nothing."""
    return If((*branching.branches[:-1], (branching.branches[-1][0], ())))


def _only_stops(nodes: Sequence[Node]) -> bool:
    """Whether nothing is done but to end the run."""
    blocks = [node.edge.block for node in nodes if isinstance(node, Do)]
    return isinstance(nodes[-1], Stop) and len(blocks) + 1 == len(nodes) and set(blocks) <= {Block()}


def _compares(nodes: Sequence[Node], mask: int, num_registers: int) -> bool:
    """Whether the last thing done makes all registers of a mask by comparisons."""
    if not nodes or not isinstance(nodes[-1], Do):
        return False
    block = nodes[-1].edge.block
    compared = {
        register
        for register, number in block.assignments
        if number >= num_registers and gate_of(block.instructions[number - num_registers]) in COMPARISONS
    }
    return mask > 0 and all(
        register in compared for register in range(mask.bit_length()) if mask >> register & 1
    )


def _blocks(nodes: Sequence[Node]) -> list[object]:
    return [node.edge.block if isinstance(node, Do) else node for node in nodes]


def _used(nodes: Sequence[Node]) -> int:
    """The registers, as a bit mask, that blocks compute with."""
    used = 0
    for node in nodes:
        for made in node.edge.block.instructions if isinstance(node, Do) else ():
            for number in made.arguments if isinstance(made, Operation) else ():
                used |= 1 << number
    return used


def _is_known(guard: Guard, known: Mapping[int, int]) -> bool:
    zeros = sum(1 << register for register, value in known.items() if value == 0)
    tested = sum(1 << register for register in known)
    return any(mask & ~tested == 0 and zeros & mask == value for mask, value in guard.cubes)


def _after(block: Block, known: Mapping[int, int], num_registers: int) -> dict[int, int]:
    """Registers that hold 0 or 1 behind a block."""
    assigned = dict(block.assignments)
    left = {register: value for register, value in known.items() if register not in assigned}
    for register, number in assigned.items():
        made = block.instructions[number - num_registers] if number >= num_registers else None
        if number in known:
            left[register] = known[number]
        elif isinstance(made, Constant) and made.value in (0, 1):
            left[register] = made.value
    return left
