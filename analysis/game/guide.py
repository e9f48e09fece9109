"""A program that watches a game: what it would do next, and how many timesteps it takes itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from analysis.extraction.circuits import HardChoice, circuit_block
from analysis.extraction.labels import live_selectors
from analysis.game.game import Game
from analysis.game.notation import move_text
from analysis.machine.vm import choose_edge, run
from analysis.program.block import Block, Guard
from analysis.program.program import START, Edge, Program, Register
from analysis.simplification.dataflow import live_after, live_registers
from analysis.verification.stopping import limits, stops_by_itself
from nram_env.tasks import instance_of


@dataclass(frozen=True)
class Guide:
    """A program beside a player.

    It sees what a controller sees, which registers are 0, from the first timestep on, whatever was done with
    what it would have done.

    Attributes:
        name: What the program is called by, as in "zoo:copy".
        program: The program; its machine is that of the game.
    """

    name: str
    program: Program

    def timesteps(self, game: Game) -> int | None:
        """How many timesteps the program takes on the game's instance; None if its output is then wrong."""
        must_stop = stops_by_itself(self.program, game.task)
        last = int(limits(game.task, instance_of(game.task, [game.memory]), must_stop)[0])
        result = run(self.program, game.memory, last)
        lost = result.outcome == "unseen" or (must_stop and result.outcome == "horizon")
        right = all(result.memory[cell] == value for cell, value in game.wanted.items())
        return result.steps if right and not lost else None

    def hint(self, game: Game) -> str | None:
        """What the program would do now, as a line to type.

        None where it would have stopped before, never met such registers, or nobody recorded what its
        controller chose.
        """
        state: int | None = START
        for position in game.positions[:-1]:
            edge = None if state is None else choose_edge(self.recorded, state, position.registers)
            state = None if edge is None else edge.target
        edge = None if state is None else choose_edge(self.recorded, state, game.now.registers)
        return self._line(edge) if edge is not None and edge.witness else None

    @cached_property
    def recorded(self) -> Program:
        """The program in what its controller really chose, on all registers of the machine.

        Of registers that hold the same the simplified program keeps one, but a choice may read another.
        """
        machine = self.program.machine
        registers = tuple(Register(f"r{number}", number) for number in range(machine.num_registers))
        edges = tuple(
            replace(
                edge,
                guard=self._on_machine(edge.guard),
                block=circuit_block(machine, edge.witness) if edge.witness else Block(),
            )
            for edge in self.program.edges
        )
        return replace(self.program, registers=registers, edges=edges)

    def _on_machine(self, guard: Guard) -> Guard:
        sources = [register.source for register in self.program.registers]

        def moved(bits: int) -> int:
            return sum(1 << source for register, source in enumerate(sources) if bits >> register & 1)

        return Guard(tuple((moved(mask), moved(value)) for mask, value in guard.cubes))

    def _line(self, edge: Edge) -> str:
        live, stops = live_after(edge, live_registers(self.recorded)), edge.target is None
        matters = live_selectors(self.recorded.machine, HardChoice(edge.witness, stops), live)
        return move_text(self.recorded.machine, edge.witness, stops, matters)
