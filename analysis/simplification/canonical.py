"""The canonical form of a program: the same for programs that differ in names and numbering alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations, product
from math import factorial

from analysis.program.file import edge_record
from analysis.program.program import START, Program
from analysis.simplification.block import simplify_block
from analysis.simplification.meaning import Meaning, meaning_of
from analysis.simplification.program import drop_dead_code, keep_registers
from analysis.simplification.terms import Term
from nram_env.machine import Gate

MAX_ORDERS = 20_000
"""Orders of registers times edges that are tried at most; beyond, similar registers keep their order."""


def canonical_hash(program: Program) -> str:
    """Eight bytes in hexadecimal that depend on what a program does in which states, not on names.

    Register numbers, state numbers, provenance and the dead parts of witnesses do not change it.
    """
    return hashlib.sha256(canonical_text(program).encode()).hexdigest()[:16]


def canonical_text(program: Program) -> str:
    """The smallest text of the program over all orders of its registers."""
    lean = drop_dead_code(program)
    return min(_text(keep_registers(lean, list(order))) for order in _orders(lean))


def _text(program: Program) -> str:
    """States in the order in which they are first entered; of a program without dead code."""
    lines = []
    order = {START: 0}
    waiting = [START]
    for state in waiting:
        outgoing = sorted(program.edges_of_state[state], key=lambda edge: edge.guard.cubes)
        for edge in outgoing:
            if edge.target is not None and edge.target not in order:
                order[edge.target] = len(order)
                waiting.append(edge.target)
            block = simplify_block(edge.block, program.num_registers).block
            target = None if edge.target is None else order[edge.target]
            record = edge_record(replace(edge, source=order[state], target=target, block=block))
            kept = ("source", "guard", "instructions", "assignments", "target")
            lines.append([record[name] for name in kept])
    return json.dumps([program.num_registers, program.semantics.stop_rule, lines])


def _orders(program: Program) -> Iterator[tuple[int, ...]]:
    """Orders of the registers that list those of different use in a fixed order."""
    groups: dict[str, list[int]] = {}
    for register, use in enumerate(_uses(program)):
        groups.setdefault(use, []).append(register)
    ordered = [groups[use] for use in sorted(groups)]
    count = 1
    for group in ordered:
        count *= factorial(len(group))
    if count * max(len(program.edges), 1) > MAX_ORDERS:
        yield tuple(register for group in ordered for register in group)
        return
    for choice in product(*(permutations(group) for group in ordered)):
        yield tuple(register for part in choice for register in part)


def _uses(program: Program) -> list[str]:
    """A text for every register that depends on how it is used, not on its number.

    Refined until it tells no more registers apart: registers whose makers and users differ, differ.
    """
    uses = [""] * program.num_registers
    meanings = [meaning_of(edge.block, program.num_registers) for edge in program.edges]
    while True:
        finer = [_digest(_use(program, meanings, r, uses)) for r in range(program.num_registers)]
        if len(set(finer)) == len(set(uses)):
            return finer
        uses = finer


def _use(program: Program, meanings: Sequence[Meaning], register: int, uses: list[str]) -> str:
    """How one register is tested, read and made, the others named by their uses so far."""
    names = [f"<{use}>" for use in uses]
    names[register] = "<self>"
    parts = []
    for edge, meaning in zip(program.edges, meanings, strict=True):
        tests = sorted(
            sorted((name, value >> r & 1) for r, name in enumerate(names) if mask >> r & 1)
            for mask, value in edge.guard.cubes
        )
        texts: list[str] = []
        for term in meaning.terms.table:
            texts.append(_digest(_term(term, texts, names)))
        stores = [(texts[address], texts[value]) for address, value in meaning.stores]
        made = sorted((names[r], texts[meaning.outputs[r]]) for r, _ in edge.block.assignments)
        parts.append(repr((tests, stores, made, edge.target is None)))
    return repr(sorted(parts))


def _term(term: Term, texts: list[str], names: list[str]) -> str:
    """A term in words that do not depend on the numbers of registers; its parts are in `texts`."""
    if term.register >= 0:
        return names[term.register]
    parts = [texts[part] for part in term.parts]
    if term.gate in (Gate.ADD, Gate.MIN, Gate.MAX, Gate.EQUALITY_TEST):
        parts.sort()
    total = sorted((texts[part], times) for part, times in term.sum)
    return repr((term.gate and term.gate.label, parts, term.version, term.offset, total))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
