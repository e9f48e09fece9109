"""Nested code laid out as indented lines, in the words of some language."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from analysis.printing.nested import (
    ALWAYS,
    Body,
    Break,
    Choice,
    Condition,
    Item,
    Repeat,
    Step,
    Stop,
    Test,
    breaks,
    items,
    leaves,
)
from analysis.program.block import Constant
from analysis.program.expressions import Apply, Expression, Statement
from analysis.program.text import expression_text, statement_text
from nram_env.machine import Gate


@dataclass(frozen=True)
class Line:
    """A line of code and what it was written from.

    Attributes:
        text: The line.
        about: The statement, the condition that is tested, or the other item that the line stands for.
        step: The timestep of a statement.
        loop: The loop that begins here.
    """

    text: str
    about: Statement | Condition | Item | None = None
    step: Step | None = None
    loop: Repeat | None = None


class Layout(ABC):
    """Lays nested code out; a language says how statements, values and ends are written.

    Attributes:
        stop: What ends a run.
        unseen: What is written where no branch is taken; nothing if None.
        each_pass: Lines that every pass of a loop begins with.
    """

    stop = "stop"
    unseen: str | None = None
    each_pass: tuple[str, ...] = ()

    @abstractmethod
    def statements(self, step: Step, indent: str) -> Iterable[Line]:
        """The lines of a step."""

    @abstractmethod
    def test(self, test: Test) -> str:
        """A test as text."""

    @abstractmethod
    def endless(self, body: Body) -> str:
        """What a loop without a condition begins with."""

    def condition(self, condition: Condition) -> str:
        """A condition as in "mem[i] < x and j != 0"."""
        return " or ".join(" and ".join(map(self.test, tests)) for tests in condition)

    def lines(self, body: Body, depth: int = 0) -> Iterator[Line]:
        """Code as lines that know what they say, a statement a line.

        Args:
            body: The code.
            depth: How far in it starts.
        """
        indent = "    " * depth
        for item in body:
            if isinstance(item, Step):
                yield from self.statements(item, indent)
            elif isinstance(item, Repeat):
                yield from self._loop(item, depth)
            elif isinstance(item, Choice):
                yield from self._choice(item, depth)
            else:
                word = self.stop if isinstance(item, Stop) else type(item).__name__.lower()
                yield Line(indent + word, item)

    def _loop(self, loop: Repeat, depth: int) -> Iterator[Line]:
        """A loop, with its condition at the head where one of its two branches is what leaves it."""
        indent, heads = "    " * depth, _ways(loop)
        condition, again, last = heads or (None, loop.body, ())
        head = self.endless(again) if condition is None else f"while {self.condition(condition)}:"
        yield Line(indent + head, loop if condition is None else condition, loop=loop)
        lines = [*(Line(f"{indent}    {line}") for line in self.each_pass), *self.lines(again, depth + 1)]
        yield from lines or [Line(f"{indent}    pass")]
        yield from self.lines(tuple(item for item in last if not isinstance(item, Break)), depth)

    def _choice(self, choice: Choice, depth: int) -> Iterator[Line]:
        """Branches; what is done where none before leaves stands behind them, not in an else."""
        indent, word = "    " * depth, "if"
        for condition, body in choice.branches:
            if condition == ALWAYS and word == "if":
                yield from self.lines(body, depth)
                return
            lines = list(self.lines(body, depth + 1))
            if condition == ALWAYS and not lines:
                return
            head = f"{word} {self.condition(condition)}:" if condition != ALWAYS else "else:"
            yield Line(indent + head, condition)
            yield from lines or [Line(f"{indent}    pass")]
            word = "if" if word == "if" and leaves(body) else "elif"
        if self.unseen is not None and choice.branches[-1][0] != ALWAYS:
            lone = [self.unseen] if word == "if" else ["else:", f"    {self.unseen}"]
            yield from (Line(indent + line) for line in lone)


def _ways(loop: Repeat) -> tuple[Condition, Body, Body] | None:
    """What is asked to go round, what is then done, and what at the end; None if a loop is not made so."""
    branching = loop.body[0] if len(loop.body) == 1 else None
    if not isinstance(branching, Choice) or len(branching.branches) != 2:
        return None
    (leave, last), (rest, again) = branching.branches
    single = len(leave) == 1 and len(leave[0]) == 1
    if rest != ALWAYS or not single or not leaves(last) or breaks(last[:-1]) or breaks(again):
        return None
    return ((replace(leave[0][0], zero=not leave[0][0].zero),),), again, last


class Listing(Layout):
    """Code for reading, as in "mem[i] = mem[j]".

    Args:
        names: Names of the registers.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def statements(self, step: Step, indent: str) -> Iterator[Line]:
        """The statements, one a line."""
        for statement in step.statements:
            yield Line(indent + statement_text(statement, self._names), statement, step)

    def test(self, test: Test) -> str:
        """As in "mem[i] < x"."""
        left, sign, right = compared(test)
        return f"{expression_text(left, self._names)} {sign} {expression_text(right, self._names)}"

    def endless(self, body: Body) -> str:
        """Says whether the loop goes on to the horizon."""
        can_end = any(isinstance(item, Break | Stop) for item in items(body))
        return f"repeat{'' if can_end else ' until T'}:"


def code_lines(body: Body, names: Sequence[str], depth: int = 0) -> Iterator[str]:
    """Nested code as text for reading, a statement a line.

    Args:
        body: The code.
        names: Names of the registers.
        depth: How far in it starts.
    """
    return (line.text for line in Listing(names).lines(body, depth))


_SIGNS = {
    (Gate.LESS_THAN, False): "<",
    (Gate.LESS_THAN, True): ">=",
    (Gate.LESS_OR_EQUAL_THAN, False): "<=",
    (Gate.LESS_OR_EQUAL_THAN, True): ">",
    (Gate.EQUALITY_TEST, False): "==",
    (Gate.EQUALITY_TEST, True): "!=",
    (Gate.SUB, True): "==",
    (Gate.SUB, False): "!=",
}


def compared(test: Test) -> tuple[Expression, str, Expression]:
    """A test as a comparison of two values."""
    value = test.value
    if isinstance(value, Apply) and (sign := _SIGNS.get((value.gate, test.zero))):
        return value.arguments[0], sign, value.arguments[1]
    return value, "==" if test.zero else "!=", Constant(0)
