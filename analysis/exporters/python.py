"""A program as a Python file of its own: no imports, O(1) work a timestep, in the formatters' layout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.exporters.python_lines import python_lines
from analysis.exporters.source import (
    PASSES,
    WIDTH,
    cap_of,
    ends_by_itself,
    guard_source,
    heading,
    horizon_text,
    mentioned,
    register_names,
    state_names,
    task_of,
)
from analysis.exporters.structured import structured_run
from analysis.program.block import ProgramError
from analysis.program.expressions import statements
from analysis.program.program import Edge, Program
from analysis.simplification.guards import covers, tested_registers

_MOST_STATES = 1000

_CHECK_OF_MEMORY = """

def _checked(memory: list[int]) -> list[int]:
    cells = list(memory)
    size = len(cells)
    if size < SMALLEST_SIZE:
        raise ValueError(f"memory has {size} cells; {SMALLEST_SIZE} are needed")
    kinds = set(map(type, cells)) - {int}
    if kinds:
        raise ValueError(f"memory must hold plain int, got {kinds.pop().__name__}")
    low, high = min(cells), max(cells)
    if low < 0 or high >= size:
        cell = cells.index(low if low < 0 else high)
        raise ValueError(f"cell {cell} holds {cells[cell]}, not in 0..{size - 1}")
    return cells
"""

_CHECK_OF_STEPS = """

def _check_steps(max_steps: int | None) -> None:
    if max_steps is None and not HALTS:
        raise ValueError("this program does not stop by itself; pass max_steps")
    if max_steps is not None and (type(max_steps) is not int or max_steps < 0):
        raise ValueError(f"max_steps must be an int of at least 0, got {max_steps!r}")
"""


def to_python(program: Program) -> str:
    """The source of a Python module that runs a program.

    The module has `HALTS`, whether the program stops by itself, and `SMALLEST_SIZE`, the least M. Where the
    program stops and its states nest, it has `run(memory)`, loops and branches, which returns the memory at
    the end. Otherwise it has `run(memory, max_steps=None)`, a machine of states, and, where the program does
    not stop, `horizon(n)`, the task's T for the size n, to be given as `max_steps`.

    Raises:
        ProgramError: The task's horizon is not of the form a n n + b n + c, or there are too many states for
            Python's compiler.
    """
    if len(program.states) > _MOST_STATES:
        raise ProgramError(f"{len(program.states)} states are too many for Python; {_MOST_STATES} are not")
    structured = structured_run(program)
    if structured is not None:
        parts = [_head(program, ""), structured]
        return "\n".join(line for part in parts for line in part) + "\n" + _CHECK_OF_MEMORY
    parts = [_head(program, PASSES), _horizon(program), _run(program)]
    return "\n".join(line for part in parts for line in part) + "\n" + _CHECK_OF_MEMORY + _CHECK_OF_STEPS


def _head(program: Program, passes: str) -> Iterator[str]:
    lines = list(heading(program, "Python", passes=passes))
    yield f'"""{lines[0]}'
    yield from lines[1:]
    yield '"""'
    yield ""
    yield f"HALTS = {ends_by_itself(program)}"
    yield f"SMALLEST_SIZE = {program.min_size}"


def _horizon(program: Program) -> Iterator[str]:
    task = task_of(program)
    if ends_by_itself(program):
        return
    yield from ("", "", "def horizon(n: int) -> int:")
    if task is None:
        yield '    """Unknown: this program names no task that has one."""'
        yield '    raise ValueError("no horizon is known for this program; pass max_steps")'
        return
    yield f'    """Timesteps that task {task.name} gives to an instance of size n."""'
    yield f"    return {horizon_text(task)}"


def _run(program: Program) -> Iterator[str]:
    names = register_names(program)
    yield from ("", "", "def run(memory: list[int], max_steps: int | None = None) -> list[int]:")
    yield from _run_docstring(program)
    yield "    memory = _checked(memory)"
    yield "    _check_steps(max_steps)"
    yield "    size = len(memory)"
    body = list(_timestep(program, names))
    yield from (f"    {name} = 0" for name in mentioned(names, body))
    if len(program.states) > 1:
        yield "    state = 0"
    yield "    step = 0"
    cap = cap_of(program)
    if cap is None:
        yield "    while step != max_steps:"
    else:
        yield f"    most = {cap} if max_steps is None else max_steps"
        yield "    while step != most:"
    yield "        step += 1"
    yield from body
    if cap is not None:
        yield "    if max_steps is None:"
        yield '        raise RuntimeError(f"did not stop by itself in {most} timesteps")'
    yield "    return memory"


def _timestep(program: Program, names: Sequence[str]) -> Iterator[str]:
    branching = len(program.states) > 1
    for state, name in enumerate(state_names(program)):
        if branching:
            yield f"        {'if' if state == 0 else 'elif'} state == {state}:"
        unseen = f'raise RuntimeError(f"timestep {{step}}: unseen in state {name}")'
        yield from _state(program, state, unseen, names, "    " * (3 if branching else 2))


def _run_docstring(program: Program) -> Iterator[str]:
    yield '    """Run the program and return the memory at the end; the argument is left as it is.'
    yield ""
    yield f"    memory: M integers in 0..M-1, M at least {program.min_size}."
    if ends_by_itself(program):
        yield "    max_steps: timesteps after which the run is cut; None runs until it stops."
    else:
        yield "    max_steps: timesteps after which the run is cut; it does not stop by itself."
    yield ""
    yield "    Raises ValueError for other arguments, and RuntimeError in a situation that"
    yield "    the controller was never seen in, or where it should stop and does not."
    yield '    """'


def _state(program: Program, state: int, unseen: str, names: Sequence[str], indent: str) -> Iterator[str]:
    edges = [edge for edge in program.edges_of_state[state] if edge.guard.cubes]
    if not edges:
        yield indent + unseen
        return
    if edges[0].guard.always:
        yield from _edge(program, edges[0], names, indent)
        return
    conditions = list(_conditions(edges, names, indent))
    yield from conditions[: -len(edges)]
    complete = covers([edge.guard for edge in edges])
    for position, (edge, condition) in enumerate(zip(edges, conditions[-len(edges) :], strict=True)):
        last = complete and position == len(edges) - 1 > 0
        yield indent + ("else:" if last else f"{'if' if position == 0 else 'elif'} {condition}:")
        yield from _edge(program, edge, names, indent + "    ")
    if not complete:
        yield f"{indent}else:"
        yield f"{indent}    {unseen}"


def _conditions(edges: Sequence[Edge], names: Sequence[str], indent: str) -> Iterator[str]:
    """Lines to be run before the branches, then one condition for every edge."""
    plain = [guard_source(edge.guard, names, ("and", "or")) for edge in edges]
    if all(len(f"{indent}elif {condition}:") <= WIDTH for condition in plain):
        yield from plain
        return
    yield f"{indent}zeros = 0"
    for register in tested_registers([edge.guard for edge in edges]):
        yield f"{indent}zeros += ({names[register]} == 0) << {register}"
    for number, edge in enumerate(edges):
        for position, (mask, value) in enumerate(edge.guard.cubes):
            earlier = f"case{number} or " if position else ""
            yield f"{indent}case{number} = {earlier}zeros & {mask} == {value}"
    yield from (f"case{number}" for number in range(len(edges)))


def _edge(program: Program, edge: Edge, names: Sequence[str], indent: str) -> Iterator[str]:
    body = statements(edge.block, program.num_registers)
    yield from python_lines(body, names, program.min_size, indent)
    if edge.target is None:
        yield f"{indent}return memory"
    elif edge.target != edge.source:
        yield f"{indent}state = {edge.target}"
    elif not body:
        yield f"{indent}pass"
