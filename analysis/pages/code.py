"""The code of a program: explained line by line, as blocks, as circuits, and its states as a diagram."""

from __future__ import annotations

from collections.abc import Iterator, Sized

from analysis.explanation.page import Explained, explained, foundation
from analysis.extraction.names import roles
from analysis.pages.markup import details, scrolling, section, table
from analysis.pages.subject import Subject
from analysis.pictures.circuit_diagram import MOST_DRAWN, circuit_picture
from analysis.pictures.state_diagram import edge_label, state_picture
from analysis.pictures.svg import inline
from analysis.printing.code import as_code
from analysis.program.program import Edge, Program
from analysis.program.text import block_lines, guard_text
from analysis.rewriting.search import SHORTENED
from nram_env.markup import Markup, tag

MOST_BLOCKS = 60
"""Blocks that are printed and drawn; of more, the first."""

MOST_STATES = 60
"""States of a program whose diagram is drawn."""


def code_section(subject: Subject) -> Markup:
    """The program for reading: its short form, where there is one."""
    return section("code", "The program", *_code(subject))


def _code(subject: Subject) -> Iterator[Markup]:
    form, task = subject.shown, subject.task
    if SHORTENED in form.program.origin:
        yield tag("p", "Shortened to the same output from what the network does, which stands further below.")
    if task is not None and task.spec is not None:
        lines = explained(form.program, task, form.proof)
        if lines is not None:
            yield tag("p", foundation(lines, form.proof))
            yield _explained(lines)
            return
    code = as_code(form.program, task)
    if code is None:
        yield tag("p", "Its states do not nest, or there is no task to try it on; read its blocks instead.")
        return
    yield tag("p", f"The same as the blocks on {code.runs}.")
    yield scrolling("code", tag("pre", "\n".join(code.lines)))


def _explained(lines: list[Explained]) -> Markup:
    rows = [row for found in lines for row in _rows(found)]
    heads = tag("thead", tag("tr", tag("th", "code", scope="col"), tag("th", "in words", scope="col")))
    caption = tag("caption", "The code, line by line; what holds in a loop stands behind its head")
    return scrolling("code", tag("table", caption, heads, tag("tbody", *rows), class_="code"))


def _rows(found: Explained) -> Iterator[Markup]:
    yield tag("tr", tag("td", tag("code", found.line)), tag("td", found.sentence))
    if found.invariant:
        margin = " " * (len(found.line) - len(found.line.lstrip()) + 4)
        holds = tag("ul", *(tag("li", clause) for clause in found.invariant))
        label = tag("p", "Invariant, whenever the loop goes round again:")
        head = tag("td", tag("code", f"{margin}# invariant"))
        yield tag("tr", head, tag("td", label, holds), class_="invariant")


def blocks_listing(program: Program) -> Markup:
    """The blocks of a program, each with its letter, for `stepper` to light up."""
    names = [register.name for register in program.registers]
    shown = program.edges[:MOST_BLOCKS]
    items = [_block(program, edge, number, names) for number, edge in enumerate(shown)]
    return tag("ol", *items, class_="blocks")


def block_title(program: Program, number: int) -> str:
    """As in "B, S1 -> S1"."""
    edge = program.edges[number]
    target = "stop" if edge.target is None else program.states[edge.target]
    return f"{edge_label(number)}   {program.states[edge.source]} \N{RIGHTWARDS ARROW} {target}"


def _block(program: Program, edge: Edge, number: int, names: list[str]) -> Markup:
    guard = "" if edge.guard.always else f"if {guard_text(edge.guard, names)}:"
    indent = "    " if guard else ""
    lines = [*([guard] if guard else []), *(indent + line for line in block_lines(edge.block, names))]
    code = [tag("code", line, class_="line") for line in lines]
    return tag(
        "li", tag("span", block_title(program, number), class_="block-title"), *code, id=f"block-{number}"
    )


def registers_table(program: Program) -> Markup:
    """What each register is for."""
    rows = [
        (register.name, f"{role.kind}: {role.says}", f"r{register.source} of the network's machine")
        for register, role in zip(program.registers, roles(program), strict=True)
    ]
    return table("Registers; each is 0 at first", ["register", "what it is used as", "which it was"], rows)


def diagrams_section(subject: Subject) -> Markup:
    """The states and the circuits of the program as it was learned."""
    return section("diagrams", "States and circuits", *_diagrams(subject.long.program))


def _diagrams(program: Program) -> Iterator[Markup]:
    if len(program.states) <= MOST_STATES:
        count = f"{_counted(program.states, 'state')}, {_counted(program.edges, 'block')}"
        title = f"State diagram of {program.name}: {count}"
        yield _figure(inline(state_picture(program), title), title)
    else:
        yield tag("p", f"{len(program.states)} states are too many for a diagram here.")
    names = [register.name for register in program.registers]
    for number, edge in enumerate(program.edges[:MOST_BLOCKS]):
        title = f"Block {block_title(program, number)}"
        if 0 < len(edge.block.instructions) <= MOST_DRAWN:
            picture = circuit_picture(edge.block, names)
            words = f"{title}: {'; '.join(block_lines(edge.block, names))}"
            yield _figure(inline(picture, words), title)
    if len(program.edges) > MOST_BLOCKS:
        yield tag("p", f"{len(program.edges) - MOST_BLOCKS} more blocks are not drawn here.")
    yield details("Registers", registers_table(program))


def _counted(things: Sized, name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _figure(picture: str, caption: str) -> Markup:
    return tag("figure", tag("figcaption", caption), scrolling(caption, Markup(picture)))
