"""From the structure of a program to nested code, in three steps.

A loop that is entered with its test known, or behind the same block that it repeats, tests at its end. A
register that is set only to be tested at once is tested as the expression that it would be set to. What
nothing reads is left out.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import permutations

from analysis.printing.nested import Body, Choice, Continue, Item, Repeat, Step, Test, items, leaves
from analysis.printing.rotation import rotated
from analysis.printing.structure import Do, If, Loop, Node, structure
from analysis.program.block import Block, Constant, Guard
from analysis.program.expressions import (
    Apply,
    Assign,
    Expression,
    Statement,
    Variable,
    expressions,
    may_be_overwritten,
    statements,
    variables,
)
from analysis.program.program import Edge, Program
from analysis.rewriting.blocks import outputs, without_assignment
from analysis.simplification.block import drop_dead, needed_values
from analysis.simplification.dataflow import live_after, live_registers
from analysis.simplification.guards import MAX_REGISTERS, guard_of, length, tested_by, values_on
from nram_env.machine import Gate

_PERMUTED = 5
"""Branches that are put into every order; more stay as they are."""


def nested_code(program: Program) -> Body | None:
    """The program as nested code, or None where its states do not nest."""
    nodes = structure(program)
    if nodes is None:
        return None
    zeros = dict.fromkeys(range(program.num_registers), 0)
    return _without_unread(_Writer(program).body(rotated(nodes, zeros, program.num_registers)))


class _Writer:
    """Writes blocks as statements and guards as conditions."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.live = live_registers(program)

    def body(self, nodes: Sequence[Node], in_loop: bool = False) -> Body:
        """The code of a sequence; `in_loop` if a loop begins anew behind it."""
        found: list[Item] = []
        for place, node in enumerate(nodes):
            following = nodes[place + 1] if place + 1 < len(nodes) else None
            if isinstance(node, Do):
                block, tested = self._inlined(node.edge, following)
                found.append(Step(statements(block, self.program.num_registers), node.edge))
            elif isinstance(node, If):
                behind = tested if place and isinstance(nodes[place - 1], Do) else {}
                found.append(self._choice(node, behind, in_loop and following is None))
            elif isinstance(node, Loop):
                found.append(Repeat(self.body(node.body, True)))
            else:
                found.append(node)
        return tuple(found)

    def _inlined(self, edge: Edge, following: Node | None) -> tuple[Block, dict[int, Expression]]:
        """A block less what only the tests behind it need, and what they test instead: register -> value."""
        tested: dict[int, Expression] = {}
        if not isinstance(following, If) or edge.target is None:
            return edge.block, tested
        mask, block, target = tested_by(guard for guard, _ in following.branches), edge.block, edge.target
        lost = {r for r, _ in block.assignments if mask >> r & 1 and not self._is_needed(r, target)}
        afterwards = Afterwards(block, self.program.num_registers, lost)
        for register, number in block.assignments:
            if register in lost and (expression := afterwards.expression(number)) is not None:
                block, tested[register] = without_assignment(block, register), expression
        everything = frozenset(range(self.program.num_registers))
        return drop_dead(block, self.program.num_registers, everything)[0], tested

    def _is_needed(self, register: int, state: int) -> bool:
        """Whether a register is needed from a state on but for its tests."""
        return any(
            register in needed_values(edge.block, self.program.num_registers, live_after(edge, self.live))
            for edge in self.program.edges_of_state[state]
        )

    def _choice(self, node: If, tested: Mapping[int, Expression], in_loop: bool) -> Choice:
        branches = []
        for guard, body in _in_order(node.branches, in_loop):
            cubes = (_tests(mask, value, tested) for mask, value in guard.cubes)
            branches.append((tuple(cubes), self.body(body, in_loop)))
        if in_loop:
            branches[:-1] = [
                (condition, (*body, Continue()) if _is_idle(body) else body)
                for condition, body in branches[:-1]
            ]
        return Choice(tuple(branches))


def _is_idle(body: Body) -> bool:
    return all(item == Step(()) for item in body)


_Branch = tuple[Guard, tuple[Node, ...]]


def _in_order(branches: Sequence[_Branch], in_loop: bool) -> list[_Branch]:
    """Branches in the order that needs the fewest tests; each tests what those before leave open.

    Those from which nothing behind is reached go first, what does nothing last.
    """
    mask = tested_by(guard for guard, _ in branches)
    if mask.bit_count() > MAX_REGISTERS or len(branches) > _PERMUTED:
        return sorted(branches, key=lambda branch: not leaves(branch[1]))
    orders = (_less_tested(order, mask) for order in permutations(branches))
    return min(orders, key=lambda order: _effort(order, in_loop))


def _less_tested(order: Sequence[_Branch], mask: int) -> list[_Branch]:
    open_values, found = values_on(mask), []
    for guard, body in order:
        taken = {value for value in open_values if guard.matches(value)}
        found.append((guard_of(taken, mask, values_on(mask) - open_values), body))
        open_values -= taken
    return found


def _effort(order: Sequence[_Branch], in_loop: bool) -> tuple[int, int, int]:
    """How many branches stand where they need an else, how many tests there are, and what idles early."""
    idles = [all(isinstance(node, Do) and node.edge.block == Block() for node in body) for _, body in order]
    ends = [leaves(body) or (in_loop and idle) for (_, body), idle in zip(order, idles, strict=True)]
    misplaced = sum(end and not all(ends[:place]) for place, end in enumerate(ends))
    tests = sum(length(guard) for guard, _ in order)
    return misplaced + (0 if in_loop else sum(idles[:-1])), tests, sum(idles[:-1])


def _tests(mask: int, value: int, tested: Mapping[int, Expression]) -> tuple[Test, ...]:
    return tuple(
        Test(tested.get(register, Variable(register)), bool(value >> register & 1))
        for register in range(mask.bit_length())
        if mask >> register & 1
    )


class Afterwards:
    """Values of a block in terms of what memory, and registers but those that are lost, hold behind it."""

    def __init__(self, block: Block, num_registers: int, lost: Container[int]) -> None:
        self.block, self.num_registers = block, num_registers
        self.holders: dict[int, int] = {}
        for register, number in enumerate(outputs(block, num_registers)):
            if register not in lost:
                self.holders.setdefault(number, register)

    def expression(self, number: int) -> Expression | None:
        """The expression of a value; None where it cannot be had any more."""
        if number in self.holders:
            return Variable(self.holders[number])
        if number < self.num_registers:
            return self._before(number)
        position = number - self.num_registers
        made = self.block.instructions[position]
        if isinstance(made, Constant):
            return made
        if made.gate is Gate.WRITE:
            return self.expression(made.arguments[1])
        if made.gate is Gate.READ and may_be_overwritten(self.block, self.num_registers, position):
            return None
        arguments = [self.expression(argument) for argument in made.arguments]
        found = tuple(argument for argument in arguments if argument is not None)
        return Apply(made.gate, found) if len(found) == len(arguments) else None

    def _before(self, register: int) -> Expression | None:
        """The old value of a register that was counted up or down."""
        for position, made in enumerate(self.block.instructions):
            holder = self.holders.get(position + self.num_registers)
            if holder is None or isinstance(made, Constant) or register not in made.arguments:
                continue
            if made.gate in (Gate.INC, Gate.DEC):
                return Apply(Gate.SUB if made.gate is Gate.INC else Gate.ADD, (Variable(holder), Constant(1)))
            if made.gate in (Gate.ADD, Gate.SUB) and made.arguments[0] == register:
                offset = self.expression(made.arguments[1])
                if isinstance(offset, Constant):
                    return Apply(Gate.SUB if made.gate is Gate.ADD else Gate.ADD, (Variable(holder), offset))
        return None


def _without_unread(body: Body) -> Body:
    """The code without assignments to registers that nothing reads."""
    while True:
        read = frozenset[int]().union(*map(_read, items(body)))
        smaller = _mapped(body, read)
        if smaller == body:
            return body
        body = smaller


def _read(item: Item) -> frozenset[int]:
    if isinstance(item, Step):
        found = [e for statement in item.statements for e in expressions(statement)]
    elif isinstance(item, Choice):
        found = [test.value for condition, _ in item.branches for tests in condition for test in tests]
    else:
        found = []
    return frozenset[int]().union(*map(variables, found))


def _mapped(body: Body, read: frozenset[int]) -> Body:
    return tuple(_item(item, read) for item in body)


def _item(item: Item, read: frozenset[int]) -> Item:
    if isinstance(item, Step):
        kept = tuple(kept for statement in item.statements for kept in _kept(statement, read))
        return replace(item, statements=kept)
    if isinstance(item, Repeat):
        return Repeat(_mapped(item.body, read))
    if isinstance(item, Choice):
        return Choice(tuple((condition, _mapped(branch, read)) for condition, branch in item.branches))
    return item


def _kept(statement: Statement, read: frozenset[int]) -> Iterator[Statement]:
    if not isinstance(statement, Assign):
        yield statement
        return
    pairs = [pair for pair in zip(statement.registers, statement.values, strict=True) if pair[0] in read]
    if pairs:
        registers, values = zip(*pairs, strict=True)
        yield Assign(tuple(registers), tuple(values))
