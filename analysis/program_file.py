"""Programs as JSON files: versioned, checked when read, written atomically."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.block import Block, Constant, Guard, Instruction, Operation, ProgramError
from analysis.certificate import Certificate
from analysis.program import Edge, Program, Register, Rewrite, Semantics
from nram_env.machine import MachineConfig, parse_gates
from nram_env.support import write_atomically

FORMAT = "nram-program/1"
_CONSTANT = "CONSTANT"


def save_program(program: Program, path: str | Path) -> None:
    """Write a program file.

    Raises:
        OSError: The place cannot be written; the message names the path.
    """
    write_atomically(path, dump_program(program))


def load_program(path: str | Path) -> Program:
    """Read a program file.

    Raises:
        ProgramError: The file is no program, of another format version, or makes no sense; the message
            names the file and the part.
        OSError: The file cannot be read.
    """
    try:
        return parse_program(Path(path).read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ProgramError(f"{path}: not a program file: it is no text") from error
    except ProgramError as error:
        raise ProgramError(f"{path}: {error}") from error


def dump_program(program: Program) -> str:
    """A program as JSON text, one line an edge."""
    record = program_record(program)
    edges = record.pop("edges")
    head = json.dumps(record, indent=1)
    lines = ",\n".join("  " + json.dumps(edge) for edge in edges)
    return f'{head[:-2]},\n "edges": [\n{lines}\n ]\n}}\n'


def parse_program(text: str) -> Program:
    """A program from JSON text.

    Raises:
        ProgramError: See `load_program`.
    """
    try:
        record = json.loads(text)
    except json.JSONDecodeError as error:
        raise ProgramError(f"not JSON: {error}") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        found = record.get("format") if isinstance(record, dict) else type(record).__name__
        raise ProgramError(f"format is {found!r}; this version reads {FORMAT!r}")
    try:
        return _program(record)
    except ProgramError:
        raise
    except KeyError as error:
        raise ProgramError(f"the entry {error} is missing") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise ProgramError(f"an entry has the wrong form: {error}") from error


def program_record(program: Program) -> dict[str, Any]:
    """A program as plain dictionaries, lists, strings and numbers."""
    return {
        "format": FORMAT,
        "name": program.name,
        "task": program.task,
        "kind": program.kind,
        "semantics": asdict(program.semantics),
        "machine": {
            "num_registers": program.machine.num_registers,
            "gates": [gate.label for gate in program.machine.gates],
        },
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


def _program(record: Mapping[str, Any]) -> Program:
    machine = record["machine"]
    return Program(
        name=str(record["name"]),
        registers=tuple(Register(str(r["name"]), _integer(r["source"])) for r in record["registers"]),
        states=tuple(str(state) for state in record["states"]),
        edges=tuple(_edge(edge, f"edge {index}") for index, edge in enumerate(record["edges"])),
        kind=record["kind"],
        machine=MachineConfig(machine["num_registers"], parse_gates(machine["gates"])),
        semantics=_semantics(record["semantics"]),
        min_size=_integer(record["min_size"]),
        task=record["task"],
        origin=dict(record["origin"]),
        certificates=tuple(Certificate(**certificate) for certificate in record["certificates"]),
    )


def _semantics(record: Mapping[str, Any]) -> Semantics:
    wanted, found = asdict(Semantics()).keys(), record.keys()
    if wanted != found:
        odd = sorted(set(wanted) ^ set(found))
        raise ProgramError(
            f"semantics must name exactly {', '.join(wanted)}; missing or unknown: {', '.join(odd)}"
        )
    return Semantics(**record)


def _edge(record: Mapping[str, Any], where: str) -> Edge:
    try:
        target = record["target"]
        return Edge(
            source=_integer(record["source"]),
            guard=Guard(tuple((_integer(mask), _integer(value)) for mask, value in record["guard"])),
            block=Block(
                tuple(_instruction(instruction) for instruction in record["instructions"]),
                tuple((_integer(register), _integer(value)) for register, value in record["assignments"]),
            ),
            target=None if target is None else _integer(target),
            support=_integer(record["support"]),
            witness=tuple(_integer(choice) for choice in record["witness"]),
            rewrites=tuple(Rewrite(**rewrite) for rewrite in record["rewrites"]),
        )
    except KeyError as error:
        raise ProgramError(f"{where}: the entry {error} is missing") from error
    except (TypeError, ValueError) as error:
        raise ProgramError(f"{where}: {error}") from error


def _instruction(record: list[Any]) -> Instruction:
    name, *numbers = record
    values = tuple(_integer(number) for number in numbers)
    if name != _CONSTANT:
        return Operation(parse_gates([name])[0], values)
    (value,) = values
    return Constant(value)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ProgramError(f"expected an integer, got {value!r}")
    return value
