"""The listing: a program on one page, with what is claimed about it and how far that was checked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.extraction.names import roles
from analysis.extraction.seen import as_if_seen, unseen
from analysis.printing.code import as_code
from analysis.program.block import gate_of
from analysis.program.certificate import FAR, NOT_AT_HAND, PROOF, Certificate, meanings
from analysis.program.file import FORMAT
from analysis.program.program import Edge, Program
from analysis.program.text import WIDTH, block_lines, guard_text, hanging
from analysis.simplification.canonical import canonical_hash
from nram_env.tasks import UnknownTaskError, find_task, get_task

_MARGIN, _CODE, _CONTINUED, _ARROW = 13, 8, 16, 68
"""Columns at which items, code, the rest of a long line of code, and at most where a block leads to start."""

_ABOVE = {
    "table": "faithful",
    "fidelity": "faithful",
    "long horizon": "faithful",
    FAR: "faithful",
    "random": "correct",
    "exhaustive": "correct",
    "mutation": "checks",
}
"""Checks that stand above the program, under which heading; one heading is printed once."""

_STATES_SHOWN = 8
"""States whose unseen situations are printed; of more, how many there are."""


@dataclass(frozen=True)
class Short:
    """A shortened form of a program, whose code is printed in place of the program's own.

    Attributes:
        program: The form, with its certificates.
        evidence: What is known of the evidence of its proof, if it says that it has one.
    """

    program: Program
    evidence: str = NOT_AT_HAND


def listing(
    program: Program, width: int = WIDTH, evidence: str = NOT_AT_HAND, short: Short | None = None
) -> str:
    """The whole listing.

    Args:
        program: Any program; what it says about itself comes from the certificates that it carries.
        width: Columns of the page.
        evidence: What is known of the evidence of its proof, if it says that it has one.
        short: A shortened form of it, if there is one.

    Example:
        >>> from analysis import find_program
        >>> print(listing(find_program("zoo:access"))[:14])
        program access
    """
    title = f"program {program.name}"
    named = f"{title}{FORMAT:>{min(width, WIDTH) - 26 - len(title)}}   hash {canonical_hash(program)}"
    above = [named, *(hanging(item, width, _MARGIN) for item in _header(program, evidence))]
    below = [hanging(item, width, _MARGIN) for item in _footer(program)]
    parts = [above, *_body(program, width), _code(program, width, short), below]
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part))) + "\n"


def blocks_text(program: Program) -> str:
    """Control, registers and blocks alone: what the program does, nothing about where it came from."""
    return "\n\n".join("\n".join(lines) for part in _body(program, WIDTH) if (lines := list(part))) + "\n"


def _body(program: Program, width: int) -> list[Iterator[str]]:
    shown = as_if_seen(program)
    return [_control(shown, width), _blocks(shown, width), _unseen(program, width)]


def _header(program: Program, evidence: str) -> Iterator[str]:
    if program.origin:
        yield _item("from", _origin(program))
    machine, semantics = program.machine, program.semantics
    stop = "stops if f > 0.5" if semantics.stop_rule == "first_over_half" else "f is ignored"
    yield _item(
        "machine",
        f"{machine.num_registers} registers, {machine.num_gates} gates; registers update together; "
        f"WRITE returns its value; {stop}",
    )
    if program.task is not None:
        yield _item("task", _task_text(program, program.task))
    found = {certificate.check: certificate for certificate in program.certificates}
    if "stops" in found:
        yield _item("ends", f"{found['stops'].claim}; {found['stops']}")
    if PROOF in found:
        yield _item("proof", f"{found[PROOF]} ({evidence}); {found[PROOF].claim}")
    last = ""
    for check in filter(found.__contains__, _ABOVE):
        heading = _ABOVE[check]
        yield _item("" if heading == last else heading, _finding(found[check]))
        last = heading
    for number, meaning in enumerate(meanings(program.certificates)):
        yield _item("" if number else "meaning", meaning)
    if not {"random", "exhaustive"} & found.keys():
        yield _item("correct", "UNKNOWN: not checked yet; see nram verify")
    if program.kind == "unrolled":
        yield _item("kind", "UNROLLED: one block a timestep, not a finite program")


def _origin(program: Program) -> str:
    origin = dict(program.origin)
    words = [f"{origin.pop('controller', 'unknown')} controller"]
    return ", ".join(words + [f"{name.replace('_', ' ')} {value}" for name, value in sorted(origin.items())])


def _task_text(program: Program, name: str) -> str:
    try:
        task = get_task(name, program.imports)
    except UnknownTaskError as error:
        return str(error)
    return f"{name}: {task.summary}"


def _finding(certificate: Certificate) -> str:
    return f"{certificate}; {certificate.claim}"


def _control(program: Program, width: int) -> Iterator[str]:
    tested = [
        r.name for i, r in enumerate(program.registers) if any(e.guard.mask >> i & 1 for e in program.edges)
    ]
    how = (
        f"chosen by whether {', '.join(tested)} {'is' if len(tested) == 1 else 'are'} 0"
        if tested
        else "no test"
    )
    kinds = {"table": "a table over zero-patterns", "machine": "learned from runs", "unrolled": "unrolled"}
    states = f"{len(program.states)} state{'s' if len(program.states) > 1 else ''}"
    blocks = f"{len(program.edges)} block{'s' if len(program.edges) > 1 else ''}"
    control = f"{states}, {blocks}; {how}; {kinds[program.kind]}; M >= {program.min_size}"
    yield hanging(_item("control", control), width, _MARGIN)
    heading = "registers"
    for register, role in zip(program.registers, roles(program), strict=True):
        said = f"{register.name:<6} {role.kind}: {role.says} (r{register.source})"
        yield hanging(_item(heading, said), width, _MARGIN)
        heading = ""


def _blocks(program: Program, width: int) -> Iterator[str]:
    names = [register.name for register in program.registers]
    for state, edges in enumerate(program.edges_of_state):
        for position, edge in enumerate(edges):
            label = program.states[state] if position == 0 else ""
            if position and not edge.support and edges[position - 1].support:
                yield "        -- on none of the recorded runs:"
            yield from _block(program, edge, label, names, width)
        if not edges:
            line = f"  {program.states[state]:<5} never seen: the machine stops here with an unseen situation"
            yield hanging(line, width, _CONTINUED)


def _unseen(program: Program, width: int) -> Iterator[str]:
    names = [register.name for register in program.registers]
    stops = [
        f"{state} if {guard_text(guard, names)}"
        for state, guard, edges in zip(program.states, unseen(program), program.edges_of_state, strict=True)
        if guard is not None and edges
    ]
    if len(stops) > _STATES_SHOWN:
        stops = [*stops[:_STATES_SHOWN], f"{len(stops) - _STATES_SHOWN} more states"]
    if stops:
        said = f"{'; '.join(stops)}: never recorded, the machine stops there"
        yield hanging(_item("unseen", said), width, _MARGIN)


def _block(program: Program, edge: Edge, label: str, names: Sequence[str], width: int) -> Iterator[str]:
    where = "stop" if edge.target is None else f"-> {program.states[edge.target]}"
    lines = block_lines(edge.block, names)
    if not edge.guard.always:
        lines = [f"if {guard_text(edge.guard, names)}:", *(f"    {line}" for line in lines)]
    lines[-1] = f"{lines[-1]:<{min(_ARROW, width - 12) - _CODE}}  {where}"
    for line in lines:
        yield hanging(f"  {label:<5} {line}", width, _CONTINUED)
        label = ""


def _code(program: Program, width: int, short: Short | None) -> Iterator[str]:
    shown = program if short is None else short.program
    code = as_code(shown, find_task(program.task))
    if code is None:
        return
    same = f"the same as the blocks on {code.runs}" if short is None else _same_output(short)
    yield hanging(_item("as code", f"({same})"), width, _MARGIN)
    for line in code.lines:
        indented = " " * _CODE + line
        yield hanging(indented, width, len(indented) - len(indented.lstrip()) + _CODE)
    for remark in code.remarks:
        yield hanging(_item("remark", f"{remark}: on those runs, not proved"), width, _MARGIN)


def _same_output(short: Short) -> str:
    """How far it is known that a shortened form has the output that is wanted, as the program has."""
    found = {certificate.check: certificate for certificate in short.program.certificates}
    if PROOF in found:
        return f"shortened to the same output: {found[PROOF]} ({short.evidence}); see nram shorten"
    known = "; ".join(str(found[check]) for check in ("random", "exhaustive") if check in found)
    return f"shortened to the same output: {known or 'not checked'}; see nram shorten"


def _footer(program: Program) -> Iterator[str]:
    for certificate in program.certificates:
        if certificate.check == "time":
            yield _item("time", _finding(certificate))
        if certificate.check == "effects":
            yield _item("effects", _finding(certificate))
    pruned = [
        f"{program.states[edge.source]} {program.machine.num_gates} -> {_gates(edge)}"
        for edge in program.edges
        if edge.witness
    ]
    if pruned:
        yield _item("pruned", f"gates of each block: {', '.join(pruned)}")
    yield "  -- arithmetic is modulo M; a comparison, min or max is on 0..M-1"


def _gates(edge: Edge) -> int:
    return sum(gate_of(instruction) is not None for instruction in edge.block.instructions)


def _item(heading: str, text: str) -> str:
    return f"  {heading:<10} {text}"
