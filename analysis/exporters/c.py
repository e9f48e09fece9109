"""A program as one C99 file: `run` on an array of integers, and a main around it."""

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

_USAGE = """
The file is complete: cc -O2 -o program program.c

    echo 3 7 5 0 0 | ./program%s

reads M integers, runs %s, and prints the memory at the end. Exit code 0 if
it ran, 1 if it met a situation that the controller was never seen in or did not end, 2 on bad
input. As a part of something else, call run().
"""

_HELPERS = {
    "mod": """static int64_t mod(int64_t value, int64_t size) {
    value %= size;
    return value < 0 ? value + size : value;
}
""",
    "min": """static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }
""",
    "max": """static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }
""",
}

_MAIN = """
static int fail(const char *message, const char *text) {
    fprintf(stderr, message, text);
    fputc('\\n', stderr);
    return 2;
}

/* Whether the whole text is an integer; puts it into value. */
static int parse(const char *text, int64_t *value) {
    char *end;
    errno = 0;
    *value = (int64_t)strtoll(text, &end, 10);
    return errno == 0 && *text != '\\0' && *end == '\\0';
}

/* Read M integers, run, print the memory at the end. */
static int work(int64_t **memory, int64_t max_steps) {
    int64_t size = 0, room = 0, steps;
    char text[32];
    while (scanf("%31s", text) == 1) {
        if (size == room) {
            int64_t *larger = realloc(*memory, (size_t)(room = 2 * room + 64) * sizeof **memory);
            if (larger == NULL)
                return fail("out of memory%s", "");
            *memory = larger;
        }
        if (!parse(text, &(*memory)[size]))
            return fail("%s is not an integer", text);
        size++;
    }
    if (size < SMALLEST_SIZE)
        return fail("too few cells on standard input for this program%s", "");
    for (int64_t cell = 0; cell < size; cell++) {
        if ((*memory)[cell] < 0 || (*memory)[cell] >= size) {
            snprintf(text, sizeof text, "%" PRId64, cell);
            return fail("cell %s holds a value that is not in 0..M-1", text);
        }
    }
    steps = run(*memory, size, max_steps);
    if (steps < 0) {
        fail("%s", steps == UNSEEN ? "a situation that the controller was never seen in" : "no end");
        return 1;
    }
    for (int64_t cell = 0; cell < size; cell++)
        printf("%" PRId64 "%c", (*memory)[cell], cell + 1 < size ? ' ' : '\\n');
    return 0;
}

int main(int count, char **arguments) {
    int64_t *memory = NULL, max_steps = -1;
    int code;
    if (count > 2 || (count == 2 && (!parse(arguments[1], &max_steps) || max_steps < 0)))
        return fail("give at most one argument, a number of timesteps%s", "");
    if (count < 2 && !HALTS)
        return fail("this program does not stop by itself; give the number of timesteps%s", "");
    code = work(&memory, max_steps);
    free(memory);
    return code;
}
"""


def to_c(program: Program) -> str:
    """The source of a C99 program without dependencies; its first comment says how to use it.

    Raises:
        ProgramError: The task's horizon cannot be written down.
    """
    run = "\n".join(_run(program))
    helpers = [text for name, text in _HELPERS.items() if f"{name}(" in run]
    parts = ["\n".join(_head(program)), *helpers, "\n".join(_horizon(program)), run]
    return "\n".join(part for part in parts if part) + _MAIN


def _head(program: Program) -> Iterator[str]:
    words = ("", "until the program stops") if ends_by_itself(program) else (" T", "T timesteps")
    lines = [*heading(program, "C"), *(_USAGE % words).rstrip().split("\n")]
    yield f"/* {lines[0]}"
    yield from (f" * {line}".rstrip() for line in lines[1:])
    yield " */"
    yield ""
    yield from (f"#include <{name}.h>" for name in ("errno", "inttypes", "stdio", "stdlib"))
    yield ""
    halts = int(ends_by_itself(program))
    yield f"enum {{ HALTS = {halts}, SMALLEST_SIZE = {program.min_size}, UNSEEN = -1, ENDLESS = -2 }};"
    yield ""


def _horizon(program: Program) -> Iterator[str]:
    task = task_of(program)
    if task is None or ends_by_itself(program):
        return
    yield f"/* Timesteps that task {task.name} gives to an instance of size n. */"
    yield f"int64_t horizon(int64_t n) {{ return {horizon_text(task)}; }}"
    yield ""


def _run(program: Program) -> Iterator[str]:
    names = register_names(program)
    yield "/* Run on memory[0..size-1], values in 0..size-1, for at most max_steps timesteps, or until it"
    yield "   stops (-1). Returns the timesteps that were run, UNSEEN, or ENDLESS if it did not stop. */"
    yield "int64_t run(int64_t *memory, int64_t size, int64_t max_steps) {"
    body = list(_cases(program, names))
    yield from (f"    int64_t {name} = 0;" for name in mentioned(names, body))
    yield "    int state = 0;"
    yield "    int64_t step;"
    cap = cap_of(program)
    if cap is not None:
        yield f"    const int64_t most = max_steps < 0 ? {cap} : max_steps;"
    yield f"    for (step = 0; step != {'max_steps' if cap is None else 'most'}; step++) {{"
    yield "        switch (state) {"
    yield from body
    yield "        }"
    yield "    }"
    yield "    (void)size;"
    yield "    return step;" if cap is None else "    return max_steps < 0 ? ENDLESS : step;"
    yield "}"


def _cases(program: Program, names: Sequence[str]) -> Iterator[str]:
    for state, name in enumerate(state_names(program)):
        yield f"        case {state}: /* {name} */"
        for edge in program.edges_of_state[state]:
            yield from _edge(program, edge, names)
        if not any(edge.guard.always for edge in program.edges_of_state[state]):
            yield "            return UNSEEN;"


def _edge(program: Program, edge: Edge, names: Sequence[str]) -> Iterator[str]:
    if not edge.guard.cubes:
        return
    condition = "" if edge.guard.always else f"if ({guard_source(edge.guard, names, ('&&', '||'))}) "
    yield f"            {condition}{{"
    yield from (f"                {line}" for line in _body(program, edge, names))
    if edge.target is None:
        yield "                return step + 1;"
    else:
        yield f"                state = {edge.target};"
        yield "                continue;"
    yield "            }"


def _body(program: Program, edge: Edge, names: Sequence[str]) -> Iterator[str]:
    arithmetic = Arithmetic(
        names,
        program.min_size,
        modulo=lambda text: f"mod({text}, size)",
        comparison=lambda a, sign, b: (
            f"({a} {sign} {b})" if program.min_size > 1 else f"mod({a} {sign} {b}, size)"
        ),
        keep=lambda text: text,
    )
    for statement in statements(edge.block, program.num_registers):
        yield from _statement(statement, names, arithmetic)


def _statement(statement: Statement, names: Sequence[str], arithmetic: Arithmetic) -> Iterator[str]:
    if isinstance(statement, Store):
        yield f"memory[{arithmetic.value(statement.address)}] = {arithmetic.value(statement.value)};"
    elif isinstance(statement, Let):
        yield f"int64_t t{statement.temporary.number} = {arithmetic.value(statement.value)};"
    elif len(statement.registers) == 1:
        yield f"{names[statement.registers[0]]} = {arithmetic.value(statement.values[0])};"
    else:
        yield from _all_at_once(statement, names, arithmetic)


def _all_at_once(statement: Assign, names: Sequence[str], arithmetic: Arithmetic) -> Iterator[str]:
    targets = [names[register] for register in statement.registers]
    for name, value in zip(targets, statement.values, strict=True):
        yield f"int64_t next_{name} = {arithmetic.value(value)};"
    yield from (f"{name} = next_{name};" for name in targets)
