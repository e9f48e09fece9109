"""Simplify one block: values that are equal are computed once, what nothing needs is not computed at all.

Every rewrite is recorded with its reason. The order of the result depends on what is computed alone, so
that blocks which compute the same things come out equal.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.program.block import Block, Constant, Instruction, Operation
from analysis.program.program import Rewrite
from analysis.simplification.meaning import NOTHING_KNOWN, Facts, Meaning, meaning_of
from analysis.simplification.terms import Term
from nram_env.machine import Gate


@dataclass(frozen=True)
class Simplified:
    """A simplified block.

    Attributes:
        block: The new code.
        rewrites: What was done, and why.
        min_size: The smallest M for which it means the same as the old one.
    """

    block: Block
    rewrites: tuple[Rewrite, ...]
    min_size: int


def simplify_block(
    block: Block, num_registers: int, live: frozenset[int] | None = None, facts: Facts = NOTHING_KNOWN
) -> Simplified:
    """Simplify a block.

    Args:
        block: The code.
        num_registers: R.
        live: Registers whose value after the step matters; all if not given.
        facts: What is known about the registers before the step.

    Returns:
        A block with the same stores and the same live registers whenever the facts hold and M is at
        least `min_size`.

    Example:
        >>> doubled = Block((Constant(0), Operation(Gate.ADD, (0, 1)), Operation(Gate.INC, (2,))), ((0, 3),))
        >>> simplify_block(doubled, 1).block.instructions
        (Constant(value=1), Operation(gate=<Gate.ADD: 5>, arguments=(0, 1)))
    """
    lean, dead = drop_dead(block, num_registers, frozenset(range(num_registers)) if live is None else live)
    meaning = meaning_of(lean, num_registers, facts)
    outputs = {register: meaning.outputs[register] for register, _ in lean.assignments}
    wanted = {r: term for r, term in outputs.items() if meaning.terms.table[term].register != r}
    new = _Emitter(meaning, num_registers).emit(wanted)
    return Simplified(new, dead + meaning.rewrites, meaning.terms.min_size)


def drop_dead(block: Block, num_registers: int, live: frozenset[int]) -> tuple[Block, tuple[Rewrite, ...]]:
    """The block without what neither a store nor a live register needs."""
    assignments = [(register, number) for register, number in block.assignments if register in live]
    needed = needed_values(block, num_registers, live)
    kept = [p for p in range(len(block.instructions)) if p + num_registers in needed]
    renumbered = {position + num_registers: new + num_registers for new, position in enumerate(kept)}
    renumbered |= {register: register for register in range(num_registers)}
    code = tuple(_renumber(block.instructions[position], renumbered) for position in kept)
    lean = Block(code, tuple((register, renumbered[number]) for register, number in assignments))
    if lean == block:
        return block, ()
    before, after = (f"{len(b.instructions)} gates, {len(b.assignments)} registers" for b in (block, lean))
    return lean, (Rewrite(before, after, "dead"),)


def needed_values(block: Block, num_registers: int, live: frozenset[int]) -> frozenset[int]:
    """Value numbers that a store or a live register needs; those below R are registers that are read.

    A live register that the block does not assign is needed too.
    """
    assigned = dict(block.assignments)
    needed = {assigned.get(register, register) for register in live}
    for position in reversed(range(len(block.instructions))):
        instruction = block.instructions[position]
        if isinstance(instruction, Constant):
            continue
        if instruction.gate is Gate.WRITE:
            needed.add(position + num_registers)
        if position + num_registers in needed:
            needed.update(instruction.arguments)
    return frozenset(needed)


def _renumber(instruction: Instruction, numbers: Mapping[int, int]) -> Instruction:
    if isinstance(instruction, Constant):
        return instruction
    return Operation(instruction.gate, tuple(numbers[number] for number in instruction.arguments))


_Making = Generator[int, Any, int]
"""Asks for terms, is sent their value numbers, and returns one."""


class _Emitter:
    """Writes the code for stores and outputs: every value once, in an order that follows from them alone."""

    def __init__(self, meaning: Meaning, num_registers: int) -> None:
        self.meaning = meaning
        self.table = meaning.terms.table
        self.num_registers = num_registers
        self.code: list[Instruction] = []
        self.numbers: dict[int, int] = {}
        self.shared: dict[Instruction, int] = {}

    def emit(self, wanted: Mapping[int, int]) -> Block:
        """The block that makes all stores and assigns these terms to these registers."""
        stores = self.meaning.stores
        for version, (address, value) in enumerate(stores):
            place, stored = self.term(address), self.term(value)
            later = [part for pair in stores[version + 1 :] for part in pair] + list(wanted.values())
            for read in self._reads(later, version):
                self.term(read)
            self._append(Operation(Gate.WRITE, (place, stored)))
        assignments = tuple((register, self.term(term)) for register, term in sorted(wanted.items()))
        return Block(tuple(self.code), assignments)

    def term(self, number: int) -> int:
        """The value number of a term, its code written if it is not there yet; not recursive."""
        waiting, made = [self._made(number)], None
        while waiting:
            try:
                part = waiting[-1].send(made)
            except StopIteration as end:
                waiting.pop()
                made = end.value
            else:
                waiting.append(self._made(part))
                made = None
        return self.numbers[number]

    def _made(self, number: int) -> _Making:
        if number not in self.numbers:
            self.numbers[number] = yield from self._written(self.table[number])
        return self.numbers[number]

    def _written(self, term: Term) -> _Making:
        if term.register >= 0:
            return term.register
        if term.gate is None:
            return (yield from self._sum(term))
        arguments = []
        for part in term.parts:
            arguments.append((yield part))
        return self._append(Operation(term.gate, tuple(arguments)))

    def _sum(self, term: Term) -> _Making:
        positive = [part for part, times in term.sum for _ in range(times)]
        negative = [part for part, times in term.sum for _ in range(-times)]
        offset = term.offset
        if positive:
            total = yield positive[0]
        else:
            total, offset = self._constant(offset), 0
        for part in positive[1:]:
            total = self._once(Operation(Gate.ADD, (total, (yield part))))
        for part in negative:
            total = self._once(Operation(Gate.SUB, (total, (yield part))))
        return self._once(Operation(Gate.ADD, (total, self._constant(offset)))) if offset else total

    def _constant(self, value: int) -> int:
        return self._once(Constant(value))

    def _once(self, instruction: Instruction) -> int:
        if instruction not in self.shared:
            self.shared[instruction] = self._append(instruction)
        return self.shared[instruction]

    def _append(self, instruction: Instruction) -> int:
        self.code.append(instruction)
        return self.num_registers + len(self.code) - 1

    def _reads(self, roots: list[int], version: int) -> Iterator[int]:
        """READs of this version that the roots need, each after those inside its address."""
        seen: set[int] = set()
        waiting = list(reversed(roots))
        found = []
        while waiting:
            number = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            term = self.table[number]
            if term.gate is Gate.READ and term.version == version:
                found.append(number)
            waiting += [part for part, _ in reversed(term.sum)] + list(reversed(term.parts))
        yield from found
