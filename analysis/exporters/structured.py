"""A program that stops by itself as a Python function of loops and branches, made from its nested code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.exporters.python_lines import python_arithmetic, python_lines
from analysis.exporters.source import WIDTH, cap_of, mentioned, register_names
from analysis.printing.layout import Layout, Line, compared
from analysis.printing.lowering import nested_code
from analysis.printing.nested import Body, Repeat, Step, Test, items
from analysis.program.expressions import Assign, expressions, variables
from analysis.program.program import Program

_DOCSTRING = """    \"\"\"Run the program and return the memory at the end; the argument is left as it is.

    memory: M integers in 0..M-1, M at least {smallest}.

    Raises ValueError for other arguments, and RuntimeError in a situation that
    the controller was never seen in, or where it should stop and does not.
    \"\"\""""

_COUNTED = """

def _counted(passes: int, size: int) -> int:
    most = {cap}
    if passes == most:
        raise RuntimeError(f"did not stop by itself in {{most}} passes of its loops")
    return passes + 1"""


def structured_run(program: Program) -> list[str] | None:
    """The lines of `run(memory)`; None where the program is better written as a machine of states.

    So it is where it does not stop by itself, where its states do not nest, and where a line gets too long.

    Raises:
        ProgramError: The task's horizon is not of the form a n n + b n + c.
    """
    cap = cap_of(program)
    body = None if cap is None else nested_code(program)
    if body is None:
        return None
    lines = list(_run(program, body))
    if any(isinstance(item, Repeat) for item in items(body)):
        lines += _COUNTED.format(cap=cap).split("\n")
    return lines if max(map(len, lines)) <= WIDTH else None


def _run(program: Program, body: Body) -> Iterator[str]:
    names = register_names(program)
    code = [line.text for line in _Python(names, program.min_size).lines(body, 1)]
    yield from ("", "", "def run(memory: list[int]) -> list[int]:")
    yield from _DOCSTRING.format(smallest=program.min_size).split("\n")
    yield "    memory = _checked(memory)"
    yield from (["    size = len(memory)"] if mentioned(["size"], code) else [])
    assigned = _assigned_first(body)
    initial = [name for register, name in enumerate(names) if register not in assigned]
    yield from (f"    {name} = 0" for name in mentioned([*initial, "passes"], code))
    yield from code


def _assigned_first(body: Body) -> set[int]:
    """The registers that are set before anything can read them."""
    assigned, read = set[int](), set[int]()
    for item in body:
        if not isinstance(item, Step):
            break
        for statement in item.statements:
            read = read.union(*map(variables, expressions(statement)))
            assigned |= set(statement.registers if isinstance(statement, Assign) else ()) - read
    return assigned


class _Python(Layout):
    """Code in Python."""

    stop = "return memory"
    unseen = 'raise RuntimeError("a situation that the controller was never seen in")'
    each_pass = ("passes = _counted(passes, size)",)

    def __init__(self, names: Sequence[str], smallest: int) -> None:
        self._names, self._smallest = names, smallest
        self._arithmetic = python_arithmetic(names, smallest, lambda text: text)

    def statements(self, step: Step, indent: str) -> Iterator[Line]:
        return map(Line, python_lines(step.statements, self._names, self._smallest, indent))

    def test(self, test: Test) -> str:
        """A comparison; at M = 1, where 1 is 0, of what the machine would test."""
        if self._smallest == 1:
            return f"{self._arithmetic.value(test.value)} {'==' if test.zero else '!='} 0"
        left, sign, right = compared(test)
        return f"{self._arithmetic.value(left)} {sign} {self._arithmetic.value(right)}"

    def endless(self, body: Body) -> str:
        return "while True:"
