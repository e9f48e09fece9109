"""Reads what a player types, as the one hard action that it stands for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from analysis.game.notation import CONSTANTS, IDLE, STOP, Move, MoveError, gate_names
from nram_env.checks import shown
from nram_env.machine import Gate, MachineConfig

_SHORT = {"LT": Gate.LESS_THAN, "LE": Gate.LESS_OR_EQUAL_THAN}
_TOKEN = re.compile(r"\s*([A-Za-z][\w-]*|\d+|[()=,])")


def parse_move(machine: MachineConfig, line: str) -> Move:
    """The hard action that a line stands for.

    Args:
        machine: Registers and gates.
        line: Statements, separated by `;`: `r1 = VALUE`, `GATE VALUE ...`, `stop` or `idle`. A value is a
            register, 0, 1 or 2, a gate (its output), or a gate with its arguments in parentheses, which the
            first gate of a statement may do without. Names of gates may be shortened, in upper or lower case.

    Raises:
        MoveError: It does not say one timestep of this machine.

    Example:
        >>> machine = MachineConfig(2, ("READ", "INC", "WRITE"))
        >>> parse_move(machine, "r1 = inc r1; write r0 read(r1); stop")
        Move(choices=(1, 1, 0, 2, 0, 3), stops=True, gates=frozenset({0, 1, 2}))
    """
    found = _Line(machine)
    for statement in line.split(";"):
        if statement.strip():
            found.add(statement.strip())
    return found.move()


class _Line:
    """What the statements of a line have said so far."""

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, self.names = machine, gate_names(machine)
        self.arguments: dict[int, tuple[int, ...]] = {}
        self.updates: dict[int, int] = {}
        self.used: list[int] = []
        self.stops = False

    def add(self, statement: str) -> None:
        """Take one statement.

        Raises:
            MoveError: It makes no sense, here or beside those before.
        """
        if statement.lower() in (STOP, IDLE):
            self.stops |= statement.lower() == STOP
            return
        words = _Words(statement)
        if words.second == "=":
            self._update(words)
            return
        choice = self._call(words)
        if choice - self.machine.num_registers not in self.arguments:
            raise words.error(
                "it changes nothing; statements are r0 = VALUE, WRITE POINTER VALUE, READ POINTER, stop, idle"
            )

    def move(self) -> Move:
        """The action.

        Raises:
            MoveError: A gate whose output is used was given no arguments.
        """
        for position in self.used:
            if position not in self.arguments:
                name, gate = self.names[position], self.machine.gates[position]
                example = " ".join([name, *["r0"] * gate.arity])
                raise MoveError(
                    f"the output of {name} is used, but nothing says what it reads: add {example!r}, or "
                    f"put its arguments in parentheses"
                )
        kept = range(self.machine.num_registers)
        updates = [self.updates.get(register, register) for register in kept]
        return Move((*self._gate_choices(), *updates), self.stops, frozenset(self.arguments))

    def _gate_choices(self) -> Iterator[int]:
        """What every gate reads. A WRITE always writes: one that idles writes what its cell holds already."""
        held: tuple[int, ...] | None = None
        for position, gate in enumerate(self.machine.gates):
            chosen = self.arguments.get(position, (0,) * gate.arity)
            if gate is Gate.WRITE and position not in self.arguments:
                if held is None:
                    raise MoveError(
                        f"{self.names[position]} has to be named in every timestep: no READ before it in the "
                        f"gate list gives it a value to write back"
                    )
                chosen = held
            if gate is Gate.READ:
                held = (chosen[0], self.machine.num_registers + position)
            if gate is Gate.WRITE:
                held = chosen
            yield from chosen

    def _update(self, words: _Words) -> None:
        name = words.take()
        register = self._register(name)
        if register is None:
            raise words.error(f"{shown(name)} is no register; {self._registers()}")
        words.take()
        value = self._call(words)
        if self.updates.setdefault(register, value) != value:
            raise words.error(f"{name} already becomes something else in this timestep")

    def _call(self, words: _Words) -> int:
        """A value, of which the rest of the statement may be the arguments."""
        name = words.take()
        position = self._gate(name, words)
        if position is None or words.next in ("(", None):
            choice = self._value(name, words)
        else:
            choice = self._apply(position, self._values(words, end=None), words)
        if words.next is not None:
            raise words.error(
                f"{shown(words.next)} is too much; arguments of a gate within go in parentheses"
            )
        return choice

    def _value(self, name: str, words: _Words) -> int:
        register = self._register(name)
        if register is not None:
            return register
        position = self._gate(name, words)
        if position is None:
            raise words.error(
                f"{shown(name)} is no value; {self._registers()}, constants are 0, 1 and 2, gates "
                f"{', '.join(self.names)}"
            )
        if words.next == "(":
            words.take()
            return self._apply(position, self._values(words, end=")"), words)
        if self.machine.gates[position].arity:
            self.used.append(position)
        return self.machine.num_registers + position

    def _values(self, words: _Words, end: str | None) -> list[int]:
        values = []
        while words.next != end:
            if words.next is None:
                raise words.error("a parenthesis is not closed")
            if words.next == ",":
                words.take()
                continue
            values.append(self._value(words.take(), words))
        if end is not None:
            words.take()
        return values

    def _apply(self, position: int, values: list[int], words: _Words) -> int:
        name, gate = self.names[position], self.machine.gates[position]
        if len(values) != gate.arity:
            wanted = " and ".join(gate.arguments) or "nothing"
            raise words.error(f"{name} takes {wanted}, got {len(values)} of {gate.arity} values")
        for value in values:
            if value >= self.machine.num_registers + position:
                later = self.names[value - self.machine.num_registers]
                order = ", ".join(self.names)
                raise words.error(f"{name} runs before {later} and cannot read it; the order is {order}")
        if self.arguments.setdefault(position, tuple(values)) != tuple(values):
            raise words.error(f"{name} is there once a timestep, and reads something else already")
        return self.machine.num_registers + position

    def _register(self, name: str) -> int | None:
        number = name[1:]
        is_register = name[:1] in "rR" and number.isdecimal() and int(number) < self.machine.num_registers
        return int(number) if is_register else None

    def _registers(self) -> str:
        last = self.machine.num_registers - 1
        return "registers are r0" + (f" to r{last}" if last else "")

    def _gate(self, name: str, words: _Words) -> int | None:
        """The gate that a name, or the beginning of one, stands for; None if it stands for none."""
        if self._register(name) is not None:
            return None
        upper = name.upper().replace("_", "-")
        known = CONSTANTS.get(upper) or _SHORT.get(upper)
        upper = known.label if known is not None and known.label in self.names else upper
        if upper in self.names:
            return self.names.index(upper)
        begun = [position for position, full in enumerate(self.names) if full.startswith(upper)]
        if len({self.machine.gates[position] for position in begun}) > 1:
            meant = ", ".join(self.names[position] for position in begun)
            raise words.error(f"{shown(name)} may be {meant}")
        return begun[0] if begun else None


class _Words:
    """The words of a statement, taken one by one."""

    def __init__(self, statement: str) -> None:
        self._statement, self._words, end = statement, [], 0
        while found := _TOKEN.match(statement, end):
            self._words.append(found[1])
            end = found.end()
        if statement[end:].strip():
            raise self.error(f"{shown(statement[end:].strip()[0])} is no part of the notation")

    @property
    def next(self) -> str | None:
        return self._words[0] if self._words else None

    @property
    def second(self) -> str | None:
        return self._words[1] if len(self._words) > 1 else None

    def take(self) -> str:
        if not self._words:
            raise self.error("it ends too early")
        return self._words.pop(0)

    def error(self, why: str) -> MoveError:
        return MoveError(f"cannot read {shown(self._statement)}: {why}")
