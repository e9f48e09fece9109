"""Programs as JSON files: versioned, checked when read, written atomically."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.program.block import (
    LARGEST_CONSTANT,
    MAX_INSTRUCTIONS,
    Block,
    Constant,
    Guard,
    Instruction,
    Operation,
)
from analysis.program.certificate import VERDICTS, Certificate
from analysis.program.program import (
    KINDS,
    KNOWN_SEMANTICS,
    MAX_CERTIFICATES,
    MAX_CUBES,
    MAX_EDGES,
    MAX_MIN_SIZE,
    MAX_STATES,
    Edge,
    Program,
    Register,
    Rewrite,
    Semantics,
)
from nram_env.checks import (
    LONGEST_TEXT,
    built,
    choice,
    integer,
    list_of,
    nullable,
    number,
    record,
    scalar,
    text,
    tuple_of,
)
from nram_env.files import parse_json, read_json
from nram_env.machine import MACHINE, MAX_GATES, MAX_REGISTERS, parse_gates
from nram_env.support import write_atomically
from nram_env.tasks import IMPORTS

FORMAT = "nram-program/1"
_CONSTANT = "CONSTANT"


def save_program(program: Program, path: str | Path) -> None:
    """Write a program file.

    Raises:
        OSError: The place cannot be written; the message names the path.

    Example:
        >>> import tempfile
        >>> from analysis import find_program
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     save_program(find_program("zoo:copy"), f"{folder}/copy.json")
        ...     load_program(f"{folder}/copy.json").task
        'copy'
    """
    write_atomically(path, dump_program(program))


def load_program(path: str | Path) -> Program:
    """Read a program file.

    Raises:
        FileError: The file is no program, of another format version, or makes no sense; the message names
            the file and the part.

    Example:
        >>> from agents import zoo
        >>> load_program(zoo.PLACE / "copy" / "program.json").task
        'copy'
    """
    return read_json(path, PROGRAM)


def dump_program(program: Program) -> str:
    """A program as JSON text, one line an edge."""
    record = program_record(program)
    edges = record.pop("edges")
    head = json.dumps(record, indent=1)
    lines = ",\n".join("  " + json.dumps(edge) for edge in edges)
    return f'{head[:-2]},\n "edges": [\n{lines}\n ]\n}}\n'


def parse_program(content: str) -> Program:
    """A program from JSON text.

    Raises:
        ValueError: As for `load_program`.
    """
    return PROGRAM(parse_json(content), "")


def program_record(program: Program) -> dict[str, Any]:
    """A program as plain dictionaries, lists, strings and numbers."""
    return {
        "format": FORMAT,
        "name": program.name,
        "task": program.task,
        **({"imports": list(program.imports)} if program.imports else {}),
        "kind": program.kind,
        "semantics": asdict(program.semantics),
        "machine": program.machine.to_json(),
        "min_size": program.min_size,
        "origin": dict(program.origin),
        "certificates": [asdict(certificate) for certificate in program.certificates],
        "registers": [asdict(register) for register in program.registers],
        "states": list(program.states),
        "edges": [edge_record(edge) for edge in program.edges],
    }


def edge_record(edge: Edge) -> dict[str, Any]:
    """An edge as plain values."""
    return {
        "source": edge.source,
        "guard": [list(cube) for cube in edge.guard.cubes],
        "instructions": [_instruction_record(instruction) for instruction in edge.block.instructions],
        "assignments": [list(assignment) for assignment in edge.block.assignments],
        "target": edge.target,
        "support": edge.support,
        "witness": list(edge.witness),
        "rewrites": [asdict(rewrite) for rewrite in edge.rewrites],
    }


def _instruction_record(instruction: Instruction) -> list[Any]:
    if isinstance(instruction, Constant):
        return [_CONSTANT, instruction.value]
    return [instruction.gate.label, *instruction.arguments]


_TEXT, _NAME, _COUNT = text(LONGEST_TEXT), text(), integer(0)
_STATE, _REGISTER = integer(0, MAX_STATES - 1), integer(0, MAX_REGISTERS - 1)
_VALUE = integer(0, MAX_REGISTERS + MAX_INSTRUCTIONS - 1)

_PARTS = list_of(scalar(), 3, least=1)
_CONSTANT_VALUE = tuple_of(integer(-LARGEST_CONSTANT, LARGEST_CONSTANT))
_ARGUMENTS = list_of(_VALUE, 2)
_GATE = built(_NAME, lambda name: parse_gates([name])[0])


def _instruction(value: Any, where: str) -> Instruction:
    name, *values = _PARTS(value, where)
    if name == _CONSTANT:
        return Constant(*_CONSTANT_VALUE(values, f"{where}.value"))
    return Operation(_GATE(name, f"{where}.gate"), _ARGUMENTS(values, f"{where}.arguments"))


_REWRITE = built(
    record(dict.fromkeys(("before", "after", "why", "assumes"), _TEXT)), lambda fields: Rewrite(**fields)
)

_EDGE_RECORD = record(
    {
        "source": _STATE,
        "guard": built(list_of(tuple_of(_COUNT, _COUNT), MAX_CUBES), Guard),
        "instructions": list_of(_instruction, MAX_INSTRUCTIONS),
        "assignments": list_of(tuple_of(_REGISTER, _VALUE), MAX_REGISTERS),
        "target": nullable(_STATE),
        "support": _COUNT,
        "witness": list_of(_VALUE, 2 * MAX_GATES + MAX_REGISTERS),
        "rewrites": list_of(_REWRITE, 4 * MAX_INSTRUCTIONS),
    }
)


def _edge(fields: dict[str, Any]) -> Edge:
    block = Block(fields.pop("instructions"), fields.pop("assignments"))
    return Edge(block=block, **fields)


_CERTIFICATE = built(
    record(
        {
            "check": _NAME,
            "claim": _TEXT,
            "verdict": choice(*VERDICTS),
            "domain": _TEXT,
            "count": _COUNT,
            "counterexample": nullable(_TEXT),
        },
        {"error_below": nullable(number(0, 1))},
    ),
    lambda fields: Certificate(**fields),
)

SEMANTICS = built(
    record({name: choice(*known) for name, known in KNOWN_SEMANTICS.items()}),
    lambda fields: Semantics(**fields),
)
"""Check of what a file says of semantics; returns them."""

_PROGRAM_RECORD = record(
    {
        "format": choice(FORMAT),
        "name": _NAME,
        "task": nullable(_NAME),
        "kind": choice(*KINDS),
        "semantics": SEMANTICS,
        "machine": MACHINE,
        "min_size": integer(1, MAX_MIN_SIZE),
        "origin": record({}, {"training_size": integer(1, MAX_MIN_SIZE)}, scalar()),
        "certificates": list_of(_CERTIFICATE, MAX_CERTIFICATES),
        "registers": list_of(
            built(record({"name": _NAME, "source": _REGISTER}), lambda fields: Register(**fields)),
            MAX_REGISTERS,
        ),
        "states": list_of(_NAME, MAX_STATES, least=1),
        "edges": list_of(built(_EDGE_RECORD, _edge), MAX_EDGES),
    },
    optional={"imports": IMPORTS},
)


def _program(fields: dict[str, Any]) -> Program:
    del fields["format"]
    return Program(**fields)


PROGRAM = built(_PROGRAM_RECORD, _program)
"""Check of what `program_record` makes; returns the program."""
