"""A game: one instance of a task, and the timesteps played on it. Immutable: undo is an older one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from analysis.extraction.circuits import circuit_block
from analysis.game.notation import Move, MoveError
from analysis.game.parsing import parse_move
from analysis.machine.vm import Access, execute
from nram_env.checks import shown
from nram_env.machine import Gate, MachineConfig
from nram_env.tasks import Task

_TOUCHES = (Gate.READ, Gate.WRITE)


@dataclass(frozen=True)
class Position:
    """What the machine holds: R registers and M cells, each an integer in 0..M-1."""

    registers: tuple[int, ...]
    memory: tuple[int, ...]


@dataclass(frozen=True)
class Turn:
    """One timestep.

    Attributes:
        line: As it was typed.
        move: The action that it stands for.
        accesses: What the gates that were named read and wrote, in their order.
        after: What the machine holds after it.
    """

    line: str
    move: Move
    accesses: tuple[Access, ...]
    after: Position


@dataclass(frozen=True)
class Game:
    """A machine at work on one instance.

    Attributes:
        machine: Registers and gates.
        task: The task.
        memory: The instance: M integers.
        turns: The timesteps so far.

    Example:
        >>> from nram_env import get_task
        >>> game = Game(MachineConfig(2), get_task("access"), (2, 4, 3, 0))
        >>> game.play("r0 = READ r0").play("WRITE r1 READ(r0); stop").is_right
        True
    """

    machine: MachineConfig
    task: Task
    memory: tuple[int, ...]
    turns: tuple[Turn, ...] = ()

    @property
    def start(self) -> Position:
        """What the machine holds before the first timestep: all registers are 0."""
        return Position((0,) * self.machine.num_registers, self.memory)

    @property
    def positions(self) -> tuple[Position, ...]:
        """What it held before the first timestep, and after each."""
        return (self.start, *(turn.after for turn in self.turns))

    @property
    def now(self) -> Position:
        """What it holds now."""
        return self.positions[-1]

    @property
    def stopped(self) -> bool:
        """Whether the run has ended."""
        return bool(self.turns) and self.turns[-1].move.stops

    @cached_property
    def wanted(self) -> dict[int, int]:
        """The wanted value of every output cell."""
        return self.task.oracle(self.memory)

    @property
    def wrong(self) -> list[int]:
        """The output cells that do not hold what is wanted."""
        return [cell for cell, value in sorted(self.wanted.items()) if self.now.memory[cell] != value]

    @property
    def is_right(self) -> bool:
        """Whether the run has ended with the output that is wanted."""
        return self.stopped and not self.wrong

    def play(self, line: str) -> Game:
        """The game after one more timestep.

        Args:
            line: See `analysis.game.parsing.parse_move`.

        Raises:
            MoveError: It is no timestep of this machine, or the run has ended.
        """
        if self.stopped:
            raise MoveError(f"the run has ended, so {shown(line)} comes too late; undo or restart")
        move = parse_move(self.machine, line)
        memory, accesses = list(self.now.memory), list[Access]()
        block = circuit_block(self.machine, move.choices)
        registers = execute(block, self.now.registers, memory, accesses)
        turn = Turn(line, move, self._named(move, accesses), Position(registers, tuple(memory)))
        return replace(self, turns=(*self.turns, turn))

    def _named(self, move: Move, accesses: Sequence[Access]) -> tuple[Access, ...]:
        places = [position for position, gate in enumerate(self.machine.gates) if gate in _TOUCHES]
        return tuple(access for place, access in zip(places, accesses, strict=True) if place in move.gates)

    def undo(self, turns: int = 1) -> Game:
        """The game as it was some timesteps earlier.

        Raises:
            MoveError: There were not as many.
        """
        if not 1 <= turns <= len(self.turns):
            raise MoveError(f"cannot take back {turns} of {len(self.turns)} timesteps")
        return replace(self, turns=self.turns[:-turns])
