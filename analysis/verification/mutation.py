"""Are the checks strong? Every single edit of the program should be refuted by them.

An edit that survives is the same program in another form, another program that is also right, or a hole in
the checks; which of these, tests cannot tell, so survivors are listed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from analysis.program.block import Block, Constant, Guard, Instruction, Operation, ProgramError
from analysis.program.certificate import Certificate
from analysis.program.program import Edge, Program
from analysis.simplification.canonical import canonical_text
from analysis.simplification.program import simplify_program
from nram_env.machine import Gate


@dataclass(frozen=True)
class Mutant:
    """A program with one edit.

    Attributes:
        edit: The edit in words.
        program: The edited program.
    """

    edit: str
    program: Program


def mutants(program: Program) -> Iterator[Mutant]:
    """Every program that differs in one source, gate, constant, output, guard, next state or stop.

    Those that come to the same program after simplification are left out.
    """
    seen = {canonical_text(program)}
    for index, edge in enumerate(program.edges):
        for what, changed in _edited_edges(program, edge):
            edges = (*program.edges[:index], changed, *program.edges[index + 1 :])
            try:
                mutant = simplify_program(replace(program, edges=edges))
            except ProgramError:
                continue  # the edit makes two guards overlap: no program at all
            text = canonical_text(mutant)
            if text not in seen:
                seen.add(text)
                yield Mutant(f"edge {index}: {what}", mutant)


def check_mutants(
    program: Program, checks: Callable[[Program], Certificate], limit: int | None = None
) -> tuple[Certificate, tuple[Mutant, ...]]:
    """Put every mutant through the checks that the program passes.

    Args:
        program: A program that passes the checks.
        checks: What tells a wrong program from a right one.
        limit: Try at most this many mutants, evenly spread; all if None.

    Returns:
        A certificate with the counts, and the mutants that were not refuted.
    """
    tried = list(mutants(program))
    if limit is not None and len(tried) > limit:
        tried = tried[:: -(-len(tried) // limit)]
    survivors = tuple(mutant for mutant in tried if checks(mutant.program).verdict != "REFUTED")
    domain = f"{len(tried)} single edits: {len(tried) - len(survivors)} refuted, {len(survivors)} not"
    claim = "every single edit of the program is refuted"
    if survivors:
        return Certificate("mutation", claim, "UNKNOWN", domain, len(tried)), survivors
    return Certificate("mutation", claim, "TESTED", domain, len(tried)), survivors


def _edited_edges(program: Program, edge: Edge) -> Iterator[tuple[str, Edge]]:
    for what, block in _edited_blocks(edge.block, program.num_registers):
        yield what, replace(edge, block=block)
    for cube, (mask, value) in enumerate(edge.guard.cubes):
        for register in range(program.num_registers):
            bit = 1 << register
            flipped = (mask, value ^ bit) if mask & bit else (mask | bit, value)
            cubes = (*edge.guard.cubes[:cube], flipped, *edge.guard.cubes[cube + 1 :])
            yield (
                f"guard tests {program.registers[register].name} otherwise",
                replace(edge, guard=Guard(cubes)),
            )
    for target in (*range(len(program.states)), None):
        if target != edge.target:
            name = "stop" if target is None else program.states[target]
            yield f"next is {name}", replace(edge, target=target)


def _edited_blocks(block: Block, num_registers: int) -> Iterator[tuple[str, Block]]:
    for position, instruction in enumerate(block.instructions):
        for what, changed in _edited_instructions(instruction, num_registers + position):
            code = (*block.instructions[:position], changed, *block.instructions[position + 1 :])
            yield f"instruction {position}: {what}", replace(block, instructions=code)
    for index, (register, number) in enumerate(block.assignments):
        for other in range(num_registers + len(block.instructions)):
            if other != number:
                new = (*block.assignments[:index], (register, other), *block.assignments[index + 1 :])
                yield f"register {register} takes value {other}", replace(block, assignments=new)


def _edited_instructions(instruction: Instruction, available: int) -> Iterator[tuple[str, Instruction]]:
    if isinstance(instruction, Constant):
        for value in (instruction.value - 1, instruction.value + 1):
            yield f"constant {value}", Constant(value)
        return
    for gate in Gate:
        if gate is not instruction.gate and gate.arity == instruction.gate.arity:
            yield gate.label, replace(instruction, gate=gate)
    for place, number in enumerate(instruction.arguments):
        for other in range(available):
            if other != number:
                arguments = (*instruction.arguments[:place], other, *instruction.arguments[place + 1 :])
                yield f"argument {place} is value {other}", Operation(instruction.gate, arguments)
