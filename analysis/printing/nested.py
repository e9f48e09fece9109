"""Nested code as it is read: statements, conditions over expressions, loops and branches; and how it runs."""

from __future__ import annotations

from collections.abc import Iterator, MutableSequence, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from analysis.program.block import Constant
from analysis.program.expressions import Assign, Expression, Let, Statement, Temporary, Variable
from analysis.program.program import Edge
from nram_env.machine import Gate, apply_gate


@dataclass(frozen=True)
class Step:
    """The statements of one timestep, run one after another.

    Attributes:
        statements: The statements.
        edge: What they were written from.
    """

    statements: tuple[Statement, ...]
    edge: Edge | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Test:
    """Whether a value is 0, or is not."""

    value: Expression
    zero: bool


Condition = tuple[tuple[Test, ...], ...]
"""An or of ands of tests."""

ALWAYS: Condition = ((),)


@dataclass(frozen=True)
class Choice:
    """The first branch whose condition holds; where none does, the run ends: it was never seen there."""

    branches: tuple[tuple[Condition, Body], ...]


@dataclass(frozen=True)
class Repeat:
    """Again and again until a break, a stop or the horizon."""

    body: Body


@dataclass(frozen=True)
class Break:
    """Leave the innermost loop."""


@dataclass(frozen=True)
class Continue:
    """Begin the innermost loop anew."""


@dataclass(frozen=True)
class Stop:
    """End the run."""


Item = Step | Choice | Repeat | Break | Continue | Stop
Body = tuple[Item, ...]


def leaves(body: Sequence[object]) -> bool:
    """Whether nothing behind code is reached from it: it ends by leaving its loop, its pass or the run."""
    return bool(body) and isinstance(body[-1], Break | Continue | Stop)


def items(body: Body) -> Iterator[Item]:
    """All items, those within others too."""
    for item in body:
        yield item
        if isinstance(item, Repeat):
            yield from items(item.body)
        elif isinstance(item, Choice):
            for _, branch in item.branches:
                yield from items(branch)


def breaks(body: Body) -> bool:
    """Whether code may leave the loop that it is in."""
    return any(
        isinstance(item, Break)
        or (isinstance(item, Choice) and any(breaks(branch) for _, branch in item.branches))
        for item in body
    )


class _RunEndError(Exception):
    """A stop, the horizon, or a situation that no branch covers."""


def run_nested(
    code: Body, num_registers: int, memory: Sequence[int], max_steps: int
) -> tuple[tuple[int, ...], int]:
    """Execute nested code.

    Args:
        code: The code.
        num_registers: R.
        memory: M integers in 0..M-1.
        max_steps: T.

    Returns:
        The memory at the end and the number of timesteps.
    """
    run = _Run(num_registers, list(memory), max_steps)
    with suppress(_RunEndError):
        run.execute(code)
    return tuple(run.memory), run.time


class _Run:
    def __init__(self, num_registers: int, memory: MutableSequence[int], max_steps: int) -> None:
        self.registers = [0] * num_registers
        self.temporaries: dict[int, int] = {}
        self.memory = memory
        self.max_steps = max_steps
        self.time = 0

    def execute(self, code: Body) -> Break | Continue | None:
        """Run items in order, up to a break or continue that is met."""
        return next((met for item in code if (met := self._item(item)) is not None), None)

    def _item(self, item: Item) -> Break | Continue | None:
        if isinstance(item, Break | Continue):
            return item
        if isinstance(item, Stop):
            raise _RunEndError
        if isinstance(item, Choice):
            return self.execute(self._chosen(item))
        if isinstance(item, Step):
            self._step(item)
        else:
            while not isinstance(self.execute(item.body), Break):
                pass
        return None

    def _chosen(self, choice: Choice) -> Body:
        for condition, body in choice.branches:
            if any(all(self._holds(test) for test in tests) for tests in condition):
                return body
        raise _RunEndError

    def _holds(self, test: Test) -> bool:
        return (self._value(test.value) == 0) == test.zero

    def _step(self, step: Step) -> None:
        if self.time == self.max_steps:
            raise _RunEndError
        self.time += 1
        for statement in step.statements:
            self._do(statement)

    def _do(self, statement: Statement) -> None:
        if isinstance(statement, Assign):
            values = [self._value(value) for value in statement.values]
            for register, value in zip(statement.registers, values, strict=True):
                self.registers[register] = value
        elif isinstance(statement, Let):
            self.temporaries[statement.temporary.number] = self._value(statement.value)
        else:
            self.memory[self._value(statement.address)] = self._value(statement.value)

    def _value(self, expression: Expression) -> int:
        if isinstance(expression, Variable):
            return self.registers[expression.register]
        if isinstance(expression, Temporary):
            return self.temporaries[expression.number]
        if isinstance(expression, Constant):
            return expression.value % len(self.memory)
        arguments = [self._value(argument) for argument in expression.arguments]
        assert expression.gate is not Gate.WRITE
        return apply_gate(expression.gate, arguments, self.memory)
