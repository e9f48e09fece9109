"""Diagrams as SVG: the states of a program with its edges, and every block as a circuit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.pictures.circuit_diagram import circuit_picture
from analysis.pictures.state_diagram import edge_label, state_picture
from analysis.pictures.svg import CHARACTER, Picture, below_each_other, document, words
from analysis.program.program import Edge, Program
from analysis.program.text import block_lines, guard_text

_LINE = 17


def to_svg(program: Program) -> str:
    """One SVG file: the state diagram, and below it every block as code and as a circuit."""
    names = [register.name for register in program.registers]
    title = f"program {program.name}"
    pictures = [_heading(title), state_picture(program)]
    for number, edge in enumerate(program.edges):
        pictures.append(_words(program, edge, edge_label(number), names))
        if edge.block.instructions or edge.block.assignments:
            pictures.append(circuit_picture(edge.block, names))
    return document(below_each_other(pictures), title)


def _heading(text: str) -> Picture:
    return Picture(len(text) * CHARACTER * 1.1, 14, (words(0, 12, text, "title"),))


def _words(program: Program, edge: Edge, label: str, names: Sequence[str]) -> Picture:
    target = "stop" if edge.target is None else program.states[edge.target]
    condition = "" if edge.guard.always else f"   if {guard_text(edge.guard, names)}"
    title = f"{label}   {program.states[edge.source]} \N{RIGHTWARDS ARROW} {target}{condition}"
    lines = block_lines(edge.block, names)
    width = max(len(title) * 1.1, *(len(line) + 4 for line in lines)) * CHARACTER
    return Picture(width, 14 + _LINE * len(lines), tuple(_written(title, lines)))


def _written(title: str, lines: Sequence[str]) -> Iterator[str]:
    yield words(0, 12, title, "title")
    for number, text in enumerate(lines, start=1):
        yield words(4 * CHARACTER, 12 + _LINE * number, text, "code")
