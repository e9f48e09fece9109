"""Reads tests/data/handwritten.txt: programs for the further tasks that a person wrote, none of them learned.

A task is solvable by the machine within T(n) because one of these solves it so; they know nothing of oracles,
samplers and specifications.
"""

import re
from pathlib import Path

from analysis.extraction.circuits import circuit_block
from analysis.game.parsing import parse_move
from analysis.program.block import Guard
from analysis.program.program import Edge, Program, Register
from nram_env.machine import MachineConfig
from nram_env.tasks import get_task

_FILE = Path(__file__).parent / "data" / "handwritten.txt"
_LINE = re.compile(r"(\w+)((?: r\d+[=>]0)*): (.*?)(?: -> (\w+))?")


def handwritten():
    """The text of every program, by its task."""
    sections = re.split(r"\n\n+", _FILE.read_text(encoding="utf-8").strip())[1:]
    return {name: lines for name, *lines in (section.splitlines() for section in sections)}


def program_of(task, lines):
    """The program of these lines, each one hard action of the machine that the task's environment has."""
    machine = MachineConfig(get_task(task).num_registers)
    found = [_LINE.fullmatch(line).groups() for line in lines]
    states = list(dict.fromkeys(state for state, *_ in found))
    registers = tuple(Register(f"r{r}", r) for r in range(machine.num_registers))
    edges = tuple(_edge(machine, states, *parts) for parts in found)
    in_order = tuple(sorted(edges, key=lambda edge: edge.source))
    return Program(task, registers, tuple(states), in_order, "machine", machine, task=task)


def _edge(machine, states, state, tests, line, after):
    move = parse_move(machine, line)
    assert move.stops == (after is None), f"{line} has to go on to a state, or to stop"
    zeros = {int(register): sign == "=" for register, sign in re.findall(r"r(\d+)([=>])", tests)}
    cube = sum(1 << r for r in zeros), sum(1 << r for r, zero in zeros.items() if zero)
    target = None if after is None else states.index(after)
    block = circuit_block(machine, move.choices)
    return Edge(states.index(state), Guard((cube,)), block, target, witness=move.choices)
