"""What exported sources share: names, the words at the top, arithmetic modulo M, horizon and cap."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from analysis.program.block import Constant, Guard, ProgramError
from analysis.program.expressions import Apply, Expression, Temporary, Variable
from analysis.program.program import Program
from analysis.simplification.canonical import canonical_hash
from analysis.verification import stops_by_itself
from nram_env.machine import Gate
from nram_env.tasks import Task, find_task, most_steps

WIDTH = 88
"""Columns that exported source keeps to."""

_HORIZON_SIZES = 200
_LONGEST_NAME = 8
_CONSTANTS = {Gate.ZERO: 0, Gate.ONE: 1, Gate.TWO: 2}
_COMPARISONS = {Gate.LESS_THAN: "<", Gate.LESS_OR_EQUAL_THAN: "<=", Gate.EQUALITY_TEST: "=="}

_WORDS = """
auto break case char const continue default do double else enum extern float for goto if inline int long
register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
errno stdin stdout stderr main run horizon most memory size step state zeros min max mod
var let function new delete typeof this super null true false throw catch switch export extends of eval
arguments undefined steps block checked
"""
RESERVED = frozenset([*keyword.kwlist, *_WORDS.split()])


def register_names(program: Program) -> tuple[str, ...]:
    """The registers' own names where Python, C and JavaScript can use all of them, otherwise r0, r1, ...

    Example:
        >>> from analysis.program.program import Register
        >>> from nram_env.machine import MachineConfig
        >>> registers = (Register("i", 0), Register("lambda", 1))
        >>> register_names(Program("p", registers, ("S0",), (), "table", MachineConfig(2)))
        ('r0', 'r1')
    """
    names = tuple(register.name for register in program.registers)
    if all(map(_is_usable, names)):
        return names
    return tuple(f"r{number}" for number in range(len(names)))


def state_names(program: Program) -> tuple[str, ...]:
    """The states' own names as far as they are plain words, otherwise S0, S1, ..."""
    plain = re.compile(r"\w{1,16}", re.ASCII)
    return tuple(
        name if plain.fullmatch(name) else f"S{number}" for number, name in enumerate(program.states)
    )


def mentioned(names: Iterable[str], lines: Iterable[str]) -> list[str]:
    """The names that occur in some line as words."""
    found = set(re.findall(r"\w+", " ".join(lines)))
    return [name for name in names if name in found]


def _is_usable(name: str) -> bool:
    return (
        re.fullmatch(r"[a-z][a-z0-9]*", name) is not None
        and len(name) <= _LONGEST_NAME
        and name not in RESERVED
        and re.fullmatch(r"(t|case)\d+", name) is None
    )


def task_of(program: Program) -> Task | None:
    """The program's task, if it names one that is known here."""
    return find_task(program.task)


def ends_by_itself(program: Program) -> bool:
    """Whether a program stops by itself; without a task to draw runs from, whether it can."""
    task = task_of(program)
    return program.can_halt if task is None else stops_by_itself(program, task)


def _polynomial(task: Task, steps: Callable[[int], int]) -> tuple[int, int, int]:
    """a, b and c of a number of steps that is a n n + b n + c, where the task's T(n) is so for every n."""
    first = task.smallest_difficulty
    low, middle, high = map(steps, range(first, first + 3))
    a = (high - 2 * middle + low) // 2
    b = middle - low - a * (2 * first + 1)
    c = low - first * (a * first + b)
    for n in range(first, first + _HORIZON_SIZES):
        if steps(n) != n * (a * n + b) + c:
            raise ProgramError(
                f"the horizon of task {task.name} is not of the form a n n + b n + c (it is "
                f"{task.horizon(n)} at n = {n}), which is all that exported source can hold"
            )
    return a, b, c


def horizon_text(task: Task) -> str:
    """T(n) as a term in n, as in "2 * n + 3".

    Raises:
        ProgramError: T(n) is not of the form a n n + b n + c.
    """
    return _polynomial_text("n", *_polynomial(task, task.horizon))


def cap_of(program: Program) -> str | None:
    """The cap of a run as a term in the memory size, 10 T(n) + 3 M + 50 for n = M; None where T is given.

    Raises:
        ProgramError: T(n) is not of the form a n n + b n + c.
    """
    task = task_of(program)
    if task is None or not ends_by_itself(program):
        return None
    return _polynomial_text("size", *_polynomial(task, partial(most_steps, task)))


def _polynomial_text(name: str, a: int, b: int, c: int) -> str:
    powers = {f"{name} * {name}": a, name: b}
    growing = [power if factor == 1 else f"{factor} * {power}" for power, factor in powers.items() if factor]
    if not growing:
        return str(c)
    return f"{' + '.join(growing)} {'-' if c < 0 else '+'} {abs(c)}"


PASSES = "One pass of the loop is one timestep."
"""Said of a program that is exported as a machine of states."""


def heading(program: Program, language: str, width: int = WIDTH, passes: str = PASSES) -> Iterator[str]:
    """What an exported file says about itself, line by line.

    Args:
        program: The program.
        language: Said in the first line.
        width: Columns.
        passes: What is said of the passes of loops.
    """
    yield from _paragraph(f"Program {program.name}, exported to {language}.", width)
    yield ""
    origin = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in program.origin.items())
    yield from _paragraph(f"Origin: {origin or 'unknown'}; hash {canonical_hash(program)}.", width)
    task = task_of(program)
    if task is not None:
        yield from _paragraph(f"Task {task.name}: {task.summary}", width)
    for certificate in sorted(program.certificates, key=lambda found: found.check != "stops"):
        yield from _paragraph(f"{certificate.check.capitalize()}: {certificate}; {certificate.claim}.", width)
    if program.kind == "unrolled":
        yield from _paragraph("Unrolled: one block a timestep, not a finite program.", width)
    yield from _paragraph(
        "Memory holds M integers in 0..M-1. All arithmetic is modulo M; min, max and comparisons are on "
        f"0..M-1. {passes}",
        width,
    )


def _paragraph(text: str, width: int) -> list[str]:
    harmless = text.replace("\\", "/").replace('"', "'").replace("*/", "* /").replace("/*", "/ *")
    printable = "".join(letter if letter.isprintable() else " " for letter in harmless)
    return textwrap.wrap(printable, width)


@dataclass(frozen=True)
class Arithmetic:
    """Writes expressions so that every value that is kept, compared or used as an address is in 0..M-1.

    Sums are reduced once, at their end.

    Attributes:
        names: Names of the registers.
        smallest: The least M at which the source runs; constants below it need no reduction.
        modulo: Text of a sum reduced modulo M.
        comparison: Text of a comparison as 0 or 1 modulo M, from its left side, operator and right side.
        keep: Called with the text of every part; returns what to write in its place, as the name of a
            temporary that it was assigned to.
    """

    names: Sequence[str]
    smallest: int
    modulo: Callable[[str], str]
    comparison: Callable[[str, str, str], str]
    keep: Callable[[str], str]

    def value(self, expression: Expression) -> str:
        """An expression, its value in 0..M-1."""
        terms, constant = self._terms(expression)
        if not terms and 0 <= constant < self.smallest:
            return str(constant)
        if len(terms) == 1 and terms[0][0] == "+" and constant == 0:
            return terms[0][1]
        return self.keep(self.modulo(self._sum(terms, constant)))

    def _sum(self, terms: list[tuple[str, str]], constant: int) -> str:
        ordered = sorted(terms, key=lambda term: term[0] == "-")
        if constant or not terms:
            ordered.append(("-" if constant < 0 else "+", str(abs(constant))))
        sign, first = ordered[0]
        text = first if sign == "+" else f"-{first}"
        for sign, term in ordered[1:]:
            text = f"{self.keep(text)} {sign} {term}"
        return text

    def _terms(self, expression: Expression) -> tuple[list[tuple[str, str]], int]:
        """The terms of a sum with their signs, and what is constant in it."""
        if isinstance(expression, Constant):
            return [], expression.value
        if isinstance(expression, Variable):
            return [("+", self.names[expression.register])], 0
        if isinstance(expression, Temporary):
            return [("+", f"t{expression.number}")], 0
        gate, arguments = expression.gate, expression.arguments
        if gate in _CONSTANTS:
            return [], _CONSTANTS[gate]
        if gate in (Gate.INC, Gate.DEC):
            terms, constant = self._terms(arguments[0])
            return terms, constant + (1 if gate is Gate.INC else -1)
        if gate in (Gate.ADD, Gate.SUB):
            return self._added(gate, *map(self._terms, arguments))
        return [("+", self._atom(expression))], 0

    def _added(
        self, gate: Gate, left: tuple[list[tuple[str, str]], int], right: tuple[list[tuple[str, str]], int]
    ) -> tuple[list[tuple[str, str]], int]:
        if gate is Gate.ADD:
            return left[0] + right[0], left[1] + right[1]
        turned = [("-" if sign == "+" else "+", term) for sign, term in right[0]]
        return left[0] + turned, left[1] - right[1]

    def _atom(self, expression: Apply) -> str:
        texts = [self.value(argument) for argument in expression.arguments]
        if expression.gate is Gate.READ:
            return self.keep(f"memory[{texts[0]}]")
        if expression.gate in _COMPARISONS:
            return self.keep(self.comparison(texts[0], _COMPARISONS[expression.gate], texts[1]))
        return self.keep(f"{expression.gate.label.lower()}({texts[0]}, {texts[1]})")


def guard_source(guard: Guard, names: Sequence[str], words: tuple[str, str]) -> str:
    """A guard as a condition; `words` are "and" and "or" of the language."""
    conjunction, disjunction = words
    cubes = [f" {conjunction} ".join(_literals(mask, value, names)) for mask, value in guard.cubes]
    if conjunction != "and" and len(cubes) > 1:
        cubes = [f"({cube})" for cube in cubes]
    return f" {disjunction} ".join(cubes)


def _literals(mask: int, value: int, names: Sequence[str]) -> list[str]:
    return [
        f"{name} {'==' if value >> register & 1 else '!='} 0"
        for register, name in enumerate(names)
        if mask >> register & 1
    ]
