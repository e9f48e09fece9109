"""The runs of a program on all memories of one size at once, step by step, as SMT-LIB text."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.program.block import Block, Constant
from analysis.program.program import START, Edge, Program
from analysis.proofs.blocks import guard_formula
from analysis.proofs.grounding import read
from analysis.proofs.readings import conjunction, disjunction, negated
from analysis.proofs.symbols import gate_term
from nram_env.machine import Gate


class Unrolling:
    """Where the runs of a program stand after some timesteps.

    Args:
        program: The program.
        cells: Names of the M cells at the start.

    Attributes:
        commands: SMT-LIB commands that say what happens, a list that grows with every step.
        steps: Timesteps so far.
        memory: Terms of the cells now.
        stopped: The formula that the run has stopped by itself.
        unseen: The formula that it met a situation for which the program has no edge.

    Example:
        >>> from analysis import find_program
        >>> runs = Unrolling(find_program("zoo:access"), ["a", "b", "c"])
        >>> runs.step()
        >>> runs.steps, runs.memory[:2], runs.stopped
        (1, ['m.1.0', 'm.1.1'], 'at.1.stop')
    """

    def __init__(self, program: Program, cells: Sequence[str]) -> None:
        self.program = program
        self.commands: list[str] = []
        self.steps = 0
        self.memory = list(cells)
        self.stopped, self.unseen = "false", "false"
        self._registers = ["0"] * program.num_registers
        self._at: dict[int, str] = {START: "true"}

    def step(self) -> None:
        """One timestep of all runs that have not stopped."""
        self.steps += 1
        edges = [edge for state in self._at for edge in self.program.edges_of_state[state]]
        fired = [(edge, self._fires(edge)) for edge in edges]
        self._note_unseen(fired)
        done = [(flag, *self._executed(edge.block)) for edge, flag in fired]
        self._registers = self._merged("r", self._registers, [(flag, after) for flag, after, _ in done])
        self.memory = self._merged("m", self.memory, [(flag, after) for flag, _, after in done])
        self._move(fired)

    def _fires(self, edge: Edge) -> str:
        condition = conjunction([self._at[edge.source], guard_formula(edge.guard, self._registers)])
        return self._named(f"fire.{self.steps}.{self.program.edges.index(edge)}", "Bool", condition)

    def _note_unseen(self, fired: Sequence[tuple[Edge, str]]) -> None:
        lost = [
            conjunction([at, *(negated(flag) for edge, flag in fired if edge.source == state)])
            for state, at in self._at.items()
        ]
        self.unseen = self._named(f"at.{self.steps}.unseen", "Bool", disjunction([self.unseen, *lost]))

    def _move(self, fired: Sequence[tuple[Edge, str]]) -> None:
        into: dict[int | None, list[str]] = {}
        for edge, flag in fired:
            into.setdefault(edge.target, []).append(flag)
        stopped = disjunction([self.stopped, *into.pop(None, [])])
        self.stopped = self._named(f"at.{self.steps}.stop", "Bool", stopped)
        self._at = {
            state: self._named(f"at.{self.steps}.{state}", "Bool", disjunction(flags))
            for state, flags in into.items()
            if state is not None
        }

    def _executed(self, block: Block) -> tuple[list[str], list[str]]:
        """Registers and cells after a block."""
        values, cells = list(self._registers), list(self.memory)
        for instruction in block.instructions:
            if isinstance(instruction, Constant):
                values.append(str(instruction.value % len(cells)))
                continue
            arguments = [values[number] for number in instruction.arguments]
            if instruction.gate is Gate.WRITE:
                address, value = arguments
                cells = [self._stored(address, value, cell, old) for cell, old in enumerate(cells)]
                values.append(value)
            else:
                values.append(self._value(instruction.gate, arguments, cells))
        after = list(self._registers)
        for register, number in block.assignments:
            after[register] = values[number]
        return after, cells

    def _value(self, gate: Gate, arguments: list[str], cells: list[str]) -> str:
        if gate is Gate.READ:
            return self._fresh("Int", read(cells, arguments[0]))
        return self._fresh("Int", gate_term(gate, arguments, str(len(cells))))

    def _stored(self, address: str, value: str, cell: int, old: str) -> str:
        if address.isdecimal():
            return value if int(address) == cell else old
        return self._fresh("Int", f"(ite (= {address} {cell}) {value} {old})")

    def _merged(self, letter: str, old: list[str], done: Sequence[tuple[str, list[str]]]) -> list[str]:
        """What the edges that fire leave, each entry under a name of its own."""
        return [
            self._named(f"{letter}.{self.steps}.{place}", "Int", _chosen(place, entry, done))
            for place, entry in enumerate(old)
        ]

    def _fresh(self, sort: str, body: str) -> str:
        name = f"v.{len(self.commands)}"
        self.commands.append(f"(define-fun {name} () {sort} {body})")
        return name

    def _named(self, name: str, sort: str, body: str) -> str:
        """A constant that is equal to a term: formulas stay small where a macro would be copied on and on."""
        self.commands += [f"(declare-fun {name} () {sort})", f"(assert (= {name} {body}))"]
        return name


def _chosen(place: int, entry: str, done: Sequence[tuple[str, list[str]]]) -> str:
    found = entry
    for flag, after in done:
        if after[place] != entry:
            found = f"(ite {flag} {after[place]} {found})"
    return found
