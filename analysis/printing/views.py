"""Other views of a program than the listing: raw choices, simplified circuits, and the machine alone."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.extraction.circuits import HardChoice
from analysis.extraction.labels import live_selectors
from analysis.program.block import Constant, Instruction
from analysis.program.program import Edge, Program
from analysis.program.text import WIDTH, guard_text, hanging
from analysis.simplification.dataflow import live_after, live_registers


def choices_view(program: Program, width: int = WIDTH) -> str:
    """What every selector chose in each block, as the controller did it; * marks what matters.

    Args:
        program: Any program.
        width: Columns of the page.
    """
    return "\n".join(line for edge in program.edges for line in _choices(program, edge, width)) + "\n"


def circuit_view(program: Program, width: int = WIDTH) -> str:
    """The instructions of each block, numbered, with the register assignments; arguments as before."""
    return "\n".join(line for edge in program.edges for line in _circuit(program, edge, width)) + "\n"


def machine_view(program: Program, width: int = WIDTH) -> str:
    """States and edges, a line each; arguments as before."""
    return "\n".join(_title(program, edge, width) for edge in program.edges) + "\n"


def _title(program: Program, edge: Edge, width: int) -> str:
    names = [register.name for register in program.registers]
    target = "stop" if edge.target is None else program.states[edge.target]
    guard = guard_text(edge.guard, names)
    line = f"{program.states[edge.source]} -> {target:<6} [{guard}]  taken {edge.support:,} times"
    return hanging(line, width, 8)


def _choices(program: Program, edge: Edge, width: int) -> Iterator[str]:
    yield _title(program, edge, width)
    if not edge.witness:
        yield "    no recorded choices"
        return
    layout = program.machine.layout
    after = live_after(edge, live_registers(program))
    live = frozenset(program.registers[register].source for register in after)
    step = HardChoice(edge.witness, edge.target is None)
    matters = live_selectors(program.machine, step, live)
    for number, (selector, choice) in enumerate(zip(layout.selectors, edge.witness, strict=True)):
        mark = "*" if number in matters else " "
        yield f"  {mark} {selector.name:<34} {layout.choice_name(choice)}"


def _circuit(program: Program, edge: Edge, width: int) -> Iterator[str]:
    yield _title(program, edge, width)
    names = [register.name for register in program.registers]
    values = names + [f"v{position}" for position in range(len(edge.block.instructions))]
    for position, instruction in enumerate(edge.block.instructions):
        yield f"    v{position:<3} {_instruction(instruction, values)}"
    for register, number in edge.block.assignments:
        yield f"    {names[register]} := {values[number]}"


def _instruction(instruction: Instruction, values: list[str]) -> str:
    if isinstance(instruction, Constant):
        return str(instruction.value)
    return f"{instruction.gate.label} {' '.join(values[number] for number in instruction.arguments)}".rstrip()
