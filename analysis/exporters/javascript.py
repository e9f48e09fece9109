"""A program as a JavaScript module: a generator of its timesteps, and `run` around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.exporters.source import (
    Arithmetic,
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
from analysis.program.expressions import Assign, Let, Statement, Store, statements
from analysis.program.program import Edge, Program

EXPORTED = ("HALTS", "SMALLEST_SIZE", "horizon", "mostSteps", "steps", "run")
"""The names that the code of a program defines for its user."""

_HELPERS = """
const { min, max } = Math;
const mod = (value, size) => ((value % size) + size) % size;
"""

_RUN = """
/* The argument as an array of its own; throws a RangeError where it is no memory. */
function checked(memory) {
  const cells = Array.from(memory);
  const size = cells.length;
  if (size < SMALLEST_SIZE) {
    throw new RangeError(`memory has ${size} cells; ${SMALLEST_SIZE} are needed`);
  }
  cells.forEach((value, cell) => {
    if (!Number.isInteger(value) || value < 0 || value >= size) {
      throw new RangeError(`cell ${cell} holds ${value}, not in 0..${size - 1}`);
    }
  });
  return cells;
}

/* Run the program and return the memory at the end; the argument is left as it is.

   memory: M integers in 0..M-1, M at least SMALLEST_SIZE.
   maxSteps: timesteps after which the run is cut; null runs until it stops by itself.

   Throws a RangeError for other arguments, and an Error in a situation that the controller was never
   seen in, or where it should stop and does not. */
function run(memory, maxSteps = null) {
  const cells = checked(memory);
  if (maxSteps === null && !HALTS) {
    throw new RangeError("this program does not stop by itself; pass maxSteps");
  }
  if (maxSteps !== null && (!Number.isInteger(maxSteps) || maxSteps < 0)) {
    throw new RangeError(`maxSteps must be an integer of at least 0, got ${maxSteps}`);
  }
  const most = maxSteps === null ? mostSteps(cells.length) : maxSteps;
  const timesteps = steps(cells, most);
  let done = 0;
  let moment = timesteps.next();
  for (; !moment.done; moment = timesteps.next()) {
    done += 1;
  }
  if (moment.value === "unseen") {
    throw new Error(`timestep ${done + 1}: a situation that the controller was never seen in`);
  }
  if (moment.value === "horizon" && maxSteps === null) {
    throw new Error(`did not stop by itself in ${most} timesteps`);
  }
  return cells;
}
"""


def to_javascript(program: Program) -> str:
    """The source of a JavaScript module without imports; `javascript_code` says what it defines.

    Raises:
        ProgramError: The task's horizon is not of the form a n + b.
    """
    above = "\n".join(f"// {line}".rstrip() for line in heading(program, "JavaScript"))
    return f"{above}\n\n{javascript_code(program)}\nexport {{ {', '.join(EXPORTED)} }};\n"


def javascript_code(program: Program) -> str:
    """The same without what is said above it and without the export, to be put into a script.

    It defines HALTS, whether the program stops by itself; SMALLEST_SIZE, the least M; horizon(n), the task's
    T, null where none is known; mostSteps(size), the cap of a run, Infinity where none is known;
    steps(memory, maxSteps), a generator that changes the memory, yields {block, registers} after every
    timestep, the number of the edge that was taken and the new registers, and returns "halted", "unseen" or
    "horizon"; and run(memory, maxSteps). No word of it comes from elsewhere than the program's code.

    Raises:
        ProgramError: The task's horizon is not of the form a n + b.
    """
    return "\n".join([*_constants(program), _HELPERS, *_steps(program)]) + "\n" + _RUN


def _constants(program: Program) -> Iterator[str]:
    task, halts, cap = task_of(program), ends_by_itself(program), cap_of(program)
    yield f"const HALTS = {str(halts).lower()};"
    yield f"const SMALLEST_SIZE = {program.min_size};"
    yield ""
    yield f"const horizon = (n) => {'null' if task is None else horizon_text(task)};"
    yield f"const mostSteps = (size) => {'Infinity' if cap is None else cap};"


def _steps(program: Program) -> Iterator[str]:
    names = register_names(program)
    body = list(_cases(program, names))
    known = mentioned(names, body)
    yield "/* The timesteps of a run on an array of M integers in 0..M-1, which is changed. */"
    yield "function* steps(memory, maxSteps) {"
    yield "  const size = memory.length;"
    yield from (f"  let {name} = 0;" for name in known)
    yield "  let state = 0;"
    yield "  for (let step = 0; step < maxSteps; step += 1) {"
    yield "    switch (state) {"
    yield from body
    yield "    }"
    yield "  }"
    yield '  return "horizon";'
    yield "}"


def _cases(program: Program, names: Sequence[str]) -> Iterator[str]:
    numbers = {id(edge): number for number, edge in enumerate(program.edges)}
    for state, name in enumerate(state_names(program)):
        yield f"      case {state}: // {name}"
        for edge in program.edges_of_state[state]:
            yield from _edge(program, edge, numbers[id(edge)], names)
        if not any(edge.guard.always for edge in program.edges_of_state[state]):
            yield '        return "unseen";'


def _edge(program: Program, edge: Edge, number: int, names: Sequence[str]) -> Iterator[str]:
    if not edge.guard.cubes:
        return
    condition = "" if edge.guard.always else f"if ({guard_source(edge.guard, names, ('&&', '||'))}) "
    yield f"        {condition.replace('==', '===').replace('!=', '!==')}{{"
    yield from (f"          {line}" for line in _body(program, edge, names))
    yield f"          yield {{ block: {number}, registers: [{', '.join(names)}] }};"
    if edge.target is None:
        yield '          return "halted";'
    else:
        yield f"          state = {edge.target};"
        yield "          continue;"
    yield "        }"


def _body(program: Program, edge: Edge, names: Sequence[str]) -> Iterator[str]:
    def comparison(left: str, sign: str, right: str) -> str:
        bit = f"Number({left} {'===' if sign == '==' else sign} {right})"
        return bit if program.min_size > 1 else f"mod({bit}, size)"

    arithmetic = Arithmetic(
        names, program.min_size, modulo=lambda text: f"mod({text}, size)", comparison=comparison, keep=str
    )
    for statement in statements(edge.block, program.num_registers):
        yield _statement(statement, names, arithmetic)


def _statement(statement: Statement, names: Sequence[str], arithmetic: Arithmetic) -> str:
    if isinstance(statement, Store):
        return f"memory[{arithmetic.value(statement.address)}] = {arithmetic.value(statement.value)};"
    if isinstance(statement, Let):
        return f"const t{statement.temporary.number} = {arithmetic.value(statement.value)};"
    return _assign(statement, names, arithmetic)


def _assign(statement: Assign, names: Sequence[str], arithmetic: Arithmetic) -> str:
    targets = ", ".join(names[register] for register in statement.registers)
    values = ", ".join(map(arithmetic.value, statement.values))
    return f"{targets} = {values};" if len(statement.registers) == 1 else f"[{targets}] = [{values}];"
