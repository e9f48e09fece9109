"""Blocks and guards in SMT-LIB."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.program.block import Block, Constant, Guard
from analysis.proofs.readings import conjunction, disjunction, negated
from analysis.proofs.symbols import constant_term, gate_term
from nram_env.machine import Gate


class BlockText:
    """What a block computes, every value under a name of its own.

    Args:
        block: The code.
        registers: Terms of the registers before the step.
        memory: The function of the memory before the step.

    Attributes:
        definitions: SMT-LIB commands that define the names.
        registers: Terms of the registers after the step.
        memory: The function of the memory after the step.
        addresses: Terms of the cells that are written.

    Example:
        >>> from analysis.program.block import Operation
        >>> text = BlockText(Block((Operation(Gate.INC, (0,)), Operation(Gate.WRITE, (0, 1)))), ["r"], "mem")
        >>> print(*text.definitions, sep="\\n")
        (define-fun v.1 () Int (ite (< (+ r 1) 0) (+ (+ r 1) M) (ite (>= (+ r 1) M) (- (+ r 1) M) (+ r 1))))
        (define-fun mem.1 ((c Int)) Int (ite (= c r) v.1 (mem c)))
        >>> text.registers, text.memory
        (['r'], 'mem.1')
    """

    def __init__(self, block: Block, registers: Sequence[str], memory: str) -> None:
        self.definitions: list[str] = []
        self.addresses: list[str] = []
        self.memory = memory
        self._values = list(registers)
        for instruction in block.instructions:
            if isinstance(instruction, Constant):
                self._define(constant_term(instruction.value))
            else:
                self._apply(instruction.gate, [self._values[number] for number in instruction.arguments])
        self.registers = list(registers)
        for register, number in block.assignments:
            self.registers[register] = self._values[number]

    def _apply(self, gate: Gate, arguments: list[str]) -> None:
        if gate is Gate.WRITE:
            self._store(*arguments)
        elif gate is Gate.READ:
            self._define(f"({self.memory} {arguments[0]})")
        else:
            self._define(gate_term(gate, arguments))

    def _define(self, term: str) -> None:
        self._values.append(f"v.{len(self._values)}")
        self.definitions.append(f"(define-fun {self._values[-1]} () Int {term})")

    def _store(self, address: str, value: str) -> None:
        self.addresses.append(address)
        after = f"mem.{len(self.addresses)}"
        body = f"(ite (= c {address}) {value} ({self.memory} c))"
        self.definitions.append(f"(define-fun {after} ((c Int)) Int {body})")
        self.memory = after
        self._values.append(value)


def guard_formula(guard: Guard, registers: Sequence[str]) -> str:
    """A guard over the terms of the registers.

    Example:
        >>> guard_formula(Guard(((0b11, 0b10),)), ["p", "q"])
        '(and (not (= p 0)) (= q 0))'
    """
    return disjunction([_cube(mask, value, registers) for mask, value in guard.cubes])


def _cube(mask: int, value: int, registers: Sequence[str]) -> str:
    zero = [(value >> r & 1, f"(= {term} 0)") for r, term in enumerate(registers) if mask >> r & 1]
    return conjunction([text if is_zero else negated(text) for is_zero, text in zero])
