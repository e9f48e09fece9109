"""What a block does, as terms: its stores, its register values, and which rewrites that took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from analysis.program.block import Block, Constant, Instruction
from analysis.program.program import Rewrite
from analysis.simplification.terms import Term, Terms
from nram_env.machine import Gate


@dataclass(frozen=True)
class Facts:
    """What is known about the registers before a block runs.

    Attributes:
        values: register -> ("constant", c) or ("copy", r): it holds c modulo M, or the same as register r.
        nonzero: Registers that are not 0.
    """

    values: Mapping[int, tuple[str, int]] = field(default_factory=dict)
    nonzero: frozenset[int] = frozenset()


NOTHING_KNOWN = Facts()


@dataclass(frozen=True)
class Meaning:
    """What a block does, as terms.

    Attributes:
        terms: The table that all numbers speak of.
        stores: (address, value) in order.
        outputs: register -> its value after the step, for all registers.
        values: For every instruction the term of its output.
        rewrites: The rewrites made so far.
    """

    terms: Terms
    stores: tuple[tuple[int, int], ...]
    outputs: Mapping[int, int]
    values: tuple[int, ...]
    rewrites: tuple[Rewrite, ...]


def meaning_of(block: Block, num_registers: int, facts: Facts = NOTHING_KNOWN) -> Meaning:
    """What a block does, as terms; no-op stores and stores that are overwritten at once are left out."""
    terms = Terms(facts.nonzero)
    registers = [_known(terms, facts, register) for register in range(num_registers)]
    values, memory, rewrites = list(registers), _Memory(terms), []
    for instruction in block.instructions:
        number = _interpret(terms, memory, instruction, values)
        values.append(number)
        rewrites += _rewrite(terms, instruction, values, number)
    outputs = dict(enumerate(registers)) | {r: values[number] for r, number in block.assignments}
    stores = tuple(memory.stores)
    return Meaning(terms, stores, outputs, tuple(values[num_registers:]), (*rewrites, *memory.rewrites))


def _known(terms: Terms, facts: Facts, register: int) -> int:
    kind, value = facts.values.get(register, ("copy", register))
    return terms.constant(value) if kind == "constant" else terms.register(value)


def _interpret(terms: Terms, memory: _Memory, instruction: Instruction, values: list[int]) -> int:
    if isinstance(instruction, Constant):
        return terms.constant(instruction.value)
    parts = [values[number] for number in instruction.arguments]
    if instruction.gate is Gate.READ:
        return memory.read(parts[0])
    if instruction.gate is Gate.WRITE:
        return memory.write(parts[0], parts[1])
    return terms.apply(instruction.gate, parts)


class _Memory:
    """The stores of a block so far, and what is known about the cells."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.stores: list[tuple[int, int]] = []
        self.rewrites: list[Rewrite] = []
        self._last_read = -1

    def read(self, address: int) -> int:
        """The value at an address, by the store that put it there where that is known."""
        version = len(self.stores)
        while version and self.terms.differ(address, self.stores[version - 1][0]):
            version -= 1
        if version and self.stores[version - 1][0] == address:
            return self.stores[version - 1][1]
        self._last_read = max(self._last_read, len(self.stores))
        return self.terms.read(address, version)

    def write(self, address: int, value: int) -> int:
        """Store a value, unless the cell holds it already; returns it."""
        text = f"mem[{show_term(self.terms, address)}] = {show_term(self.terms, value)}"
        if self._holds(address, value):
            self.rewrites.append(Rewrite(text, "", "store"))
            return value
        if self.stores and self.stores[-1][0] == address and self._last_read < len(self.stores):
            old = show_term(self.terms, self.stores.pop()[1])
            place = show_term(self.terms, address)
            self.rewrites.append(Rewrite(f"mem[{place}] = {old}", "", "store"))
        self.stores.append((address, value))
        return value

    def _holds(self, address: int, value: int) -> bool:
        term = self.terms.table[value]
        if self.stores and self.stores[-1] == (address, value):
            return True
        if term.gate is not Gate.READ or term.parts != (address,):
            return False
        later = self.stores[term.version :]
        return all(self.terms.differ(address, other) for other, _ in later)


def show_term(terms: Terms, number: int) -> str:
    """A term in words, for the record of rewrites; long ones are cut."""
    for term in terms.table[len(terms.words) : number + 1]:  # its parts come before it
        terms.words.append(_words(term, terms.words))
    return terms.words[number]


def _words(term: Term, words: Sequence[str]) -> str:
    """A term, its parts being in words already."""
    if term.register >= 0:
        return f"r{term.register}"
    if term.gate is Gate.READ:
        return _cut(f"mem[{words[term.parts[0]]}]")
    if term.gate is not None:
        return _cut(f"{term.gate.label}({', '.join(words[part] for part in term.parts)})")
    summands = [f"{'-' if times < 0 else '+'} {words[part]}" for part, times in _unit_parts(term)]
    if term.offset or not summands:
        summands.append(f"{'-' if term.offset < 0 else '+'} {abs(term.offset)}")
    return _cut(" ".join(summands).removeprefix("+ "))


def _unit_parts(term: Term) -> Iterator[tuple[int, int]]:
    for part, times in term.sum:
        for _ in range(abs(times)):
            yield part, times


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def _rewrite(terms: Terms, instruction: Instruction, values: list[int], number: int) -> list[Rewrite]:
    """The record of an instruction whose value turned out to be something simpler."""
    if isinstance(instruction, Constant) or instruction.gate is Gate.WRITE or not instruction.arguments:
        return []
    result = terms.table[number]
    arguments = ", ".join(show_term(terms, values[argument]) for argument in instruction.arguments)
    before, after = f"{instruction.gate.label}({arguments})", show_term(terms, number)
    if result.is_constant:
        return [Rewrite(before, after, "constant", _assumption(terms))]
    if result.register >= 0 or number in values[:-1]:
        return [Rewrite(before, after, "copy" if result.register < 0 else "identity", _assumption(terms))]
    return []


def _assumption(terms: Terms) -> str:
    return f"M >= {terms.min_size}" if terms.min_size > 2 else ""
