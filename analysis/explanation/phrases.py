"""Statements and tests in words: their shape, the task's words for cells, and what registers mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.explanation.knowledge import substituted
from analysis.explanation.names import Meaning
from analysis.printing.layout import compared
from analysis.printing.nested import ALWAYS, Condition, Test
from analysis.program.block import Constant
from analysis.program.expressions import Apply, Expression, Let, Statement, Store, Variable
from analysis.program.text import expression_text
from nram_env.machine import Gate
from nram_env.tasks import TaskSpec
from nram_env.tasks.parts import Part
from nram_env.tasks.spec import BEFORE
from nram_env.tasks.terms import Apply as Entry
from nram_env.tasks.terms import Number

_SIGNS = {
    "==": "is",
    "!=": "is not",
    "<": "is less than",
    "<=": "is at most",
    ">": "is more than",
    ">=": "is at least",
}
_JOINED = {Gate.ADD: "plus", Gate.SUB: "minus"}


@dataclass(frozen=True)
class Phrases:
    """The words for one program.

    Attributes:
        names: Of its registers.
        meanings: What its registers hold, as far as it is known.
        spec: The task's words.
    """

    names: Sequence[str]
    meanings: Sequence[Meaning | None]
    spec: TaskSpec

    def statement(self, statement: Statement) -> str:
        """What a statement does."""
        if isinstance(statement, Let):
            return f"t{statement.temporary.number} keeps {self.value(statement.value)}"
        if isinstance(statement, Store):
            return f"{self.place(statement.address)} gets {self.value(statement.value)}"
        pairs = zip(statement.registers, statement.values, strict=True)
        together = " at the same time" if len(statement.registers) > 1 else ""
        return ", ".join(self._assigned(register, value) for register, value in pairs) + together

    def condition(self, condition: Condition) -> str:
        """What is tested."""
        if condition == ALWAYS:
            return "otherwise"
        return " or ".join(" and ".join(self._test(test) for test in tests) for tests in condition)

    def _test(self, test: Test) -> str:
        left, sign, right = compared(test)
        return f"{self.value(left)} {_SIGNS[sign]} {self.value(right)}"

    def _assigned(self, register: int, value: Expression) -> str:
        name = self.names[register]
        step = _step(register, value)
        if step is not None:
            return f"{name} goes {'up' if step > 0 else 'down'} by {'one' if abs(step) == 1 else abs(step)}"
        if isinstance(value, Apply) and value.gate is Gate.READ and self._is_node(Variable(register)):
            following = self._following(value.arguments[0])
            if following is not None:
                return f"{name} becomes {following}"
        meaning = self.meanings[register]
        if isinstance(value, Apply) and value.gate is Gate.READ and meaning is not None and meaning.part:
            return f"{name} becomes {self._taken(meaning.part, value.arguments[0])}"
        return f"{name} becomes {self.value(value, told=True)}"

    def _taken(self, part: Part, address: Expression) -> str:
        """What a register takes that holds cells of a part."""
        place = f"what cell {expression_text(address, self.names)}"
        return f"{place} holds, {part.says if part.is_cell else f'a {part.entry} of {part.name}'}"

    def value(self, value: Expression, told: bool = False) -> str:
        """A value as a noun; `told` says what a named cell is."""
        if isinstance(value, Variable):
            return f"the {self.names[value.register]}" if self._is_word(value) else self.names[value.register]
        if not isinstance(value, Apply):
            return expression_text(value, self.names)
        if value.gate is Gate.READ:
            return self.content(value.arguments[0], told)
        return self._computed(value)

    def _computed(self, value: Apply) -> str:
        if value.gate in (Gate.INC, Gate.DEC):
            return f"{self.value(value.arguments[0])} {'plus' if value.gate is Gate.INC else 'minus'} 1"
        if value.gate in _JOINED:
            number = value.arguments[1]
            if isinstance(number, Constant) and number.value < 0:
                word = "minus" if value.gate is Gate.ADD else "plus"
                return f"{self.value(value.arguments[0])} {word} {-number.value}"
            left, right = map(self.value, value.arguments)
            return f"{left} {_JOINED[value.gate]} {right}"
        if len(value.arguments) == 2 and value.gate not in (Gate.MIN, Gate.MAX):
            return f"1 if {self._test(Test(value, False))}, else 0"
        return expression_text(value, self.names)

    def place(self, address: Expression) -> str:
        """The cell at an address as a noun."""
        part = self.named(address)
        if part is not None:
            return f"{part.name} (cell {expression_text(address, self.names)})"
        if isinstance(address, Apply) and address.gate is Gate.READ:
            return f"the cell that {self.value(address)} points at"
        return f"cell {expression_text(address, self.names)}"

    def content(self, address: Expression, told: bool = False) -> str:
        """What the cell at an address holds, as a noun."""
        part = self.named(address)
        if part is not None:
            return f"{part.name}, {part.says}" if told else part.name
        field = self._field(address)
        if field is not None:
            return field
        inside = self._index(address)
        if inside is not None:
            return f"{inside[0].name}[{expression_text(inside[1], self.names)}]"
        return f"what {self.place(address)} holds"

    def named(self, address: Expression) -> Part | None:
        """The part of one cell at a constant address."""
        if not isinstance(address, Constant):
            return None
        return next(
            (part for part in self.spec.parts if part.is_cell and part.low == Number(address.value)), None
        )

    def _index(self, address: Expression) -> tuple[Part, Expression] | None:
        """The array and the index that an address is made of: where the array begins, plus the index."""
        if isinstance(address, Apply) and address.gate is Gate.ADD:
            for base, index in (address.arguments, address.arguments[::-1]):
                part = next((part for part in self.spec.parts if self._begins(base, part)), None)
                if part is not None:
                    return part, index
        return None

    def _begins(self, base: Expression, part: Part) -> bool:
        """Whether a value is the first cell of a part, because of a cell that holds it all along."""
        meaning = self.meanings[base.register] if isinstance(base, Variable) else None
        if meaning is None or meaning.kind != "cell" or meaning.part is None or part.is_cell:
            return False
        params = {name: term for name, term in self.spec.params.items() if term is not None}
        return substituted(part.low, params) == Entry(BEFORE, meaning.part.low)

    def read_at_0(self, register: int, value: Expression) -> Part | None:
        """The part of one cell that a field of a node is where the node's register still holds 0."""
        is_read = isinstance(value, Apply) and value.gate is Gate.READ and self._is_node(Variable(register))
        found = self._node(value.arguments[0]) if is_read and isinstance(value, Apply) else None
        return self.named(found[1]) if found else None

    def _is_word(self, value: Expression) -> bool:
        meaning = self.meanings[value.register] if isinstance(value, Variable) else None
        return meaning is not None and meaning.kind in ("node", "entry")

    def _is_node(self, value: Expression) -> bool:
        meaning = self.meanings[value.register] if isinstance(value, Variable) else None
        return meaning is not None and meaning.kind == "node"

    def _node(self, address: Expression) -> tuple[str, Expression] | None:
        """The node that an address begins with, in words, and the number of the field."""
        splits: list[tuple[Expression, Expression]] = [(address, Constant(0))]
        if isinstance(address, Apply) and address.gate is Gate.ADD:
            left, right = address.arguments
            splits += [(left, right), (right, left)]
        if isinstance(address, Apply) and address.gate is Gate.INC:
            splits.append((address.arguments[0], Constant(1)))
        for base, field in splits:
            if self._is_node(base):
                return self.value(base), field
            if isinstance(base, Apply) and base.gate is Gate.READ:
                following = self._following(base.arguments[0])
                if following is not None:
                    return following, field
        return None

    def _following(self, address: Expression) -> str | None:
        """The node that a field of a node points at."""
        found = self._node(address)
        if found is None:
            return None
        node, field = found
        if isinstance(field, Constant):
            known = 0 <= field.value < len(self.spec.fields)
            return f"the {self.spec.fields[field.value]} node" if known else None
        return f"the child of {node} that {self.value(field)} names ({self._fields()})"

    def _field(self, address: Expression) -> str | None:
        """A field of a node, as a noun."""
        found = self._node(address)
        if found is None or not isinstance(found[1], Constant):
            return self._following(address)
        node, field = found[0], found[1].value
        return f"the {self.spec.fields[field]} of {node}" if 0 <= field < len(self.spec.fields) else None

    def _fields(self) -> str:
        return ", ".join(f"{number}: {word}" for number, word in enumerate(self.spec.fields) if number)


def _step(register: int, value: Expression) -> int | None:
    """How far a register is counted up; None where it is not counted."""
    if not isinstance(value, Apply) or value.arguments[:1] != (Variable(register),):
        return None
    if value.gate in (Gate.INC, Gate.DEC):
        return 1 if value.gate is Gate.INC else -1
    right = value.arguments[1] if len(value.arguments) == 2 else None
    if value.gate in (Gate.ADD, Gate.SUB) and isinstance(right, Constant):
        return right.value if value.gate is Gate.ADD else -right.value
    return None
