"""A program as notebooks show it: its blocks, and what was found out about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from analysis.program.certificate import NOT_AT_HAND, PROOF, Certificate
from analysis.program.text import block_lines, guard_text
from nram_env.markup import Markup, clipped, code, join, notebook_table, words

if TYPE_CHECKING:
    from analysis.program.program import Edge, Program

MOST_BLOCKS = 40
"""Blocks that are shown; of more, the first and the last."""


def program_tables(program: Program) -> Markup:
    """A table of the blocks, and below it one of the certificates, if there are any."""
    return join([_blocks(program), *_findings(program)])


def _blocks(program: Program) -> Markup:
    task = "" if program.task is None else f", task {program.task}"
    caption = f"program {program.name}{task}, M >= {program.min_size}; arithmetic is modulo M"
    edges = clipped([edge for edges in program.edges_of_state for edge in edges], MOST_BLOCKS, None)
    return notebook_table(caption, ["state", "if", "does", "then"], [_block(program, edge) for edge in edges])


def _block(program: Program, edge: Edge | None) -> list[str]:
    if edge is None:
        return ["\N{HORIZONTAL ELLIPSIS}"] * 4
    names = [register.name for register in program.registers]
    target = "stop" if edge.target is None else program.states[edge.target]
    guard = "" if edge.guard.always else guard_text(edge.guard, names)
    return [program.states[edge.source], code([guard]), code(block_lines(edge.block, names)), target]


def _findings(program: Program) -> Iterator[Markup]:
    if program.certificates:
        rows = [[found.check, words(found.claim), words(_found(found))] for found in program.certificates]
        yield notebook_table("what was found out", ["check", "claim", "finding"], rows)


def _found(certificate: Certificate) -> str:
    return f"{certificate} ({NOT_AT_HAND})" if certificate.check == PROOF else str(certificate)
