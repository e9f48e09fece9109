"""The integer machine: what a program means. Plain integers, no M x M array, O(1) work an instruction."""

from __future__ import annotations

from collections.abc import Iterator, MutableSequence, Sequence
from dataclasses import dataclass
from typing import Literal

from analysis.program.block import Block, Constant
from analysis.program.program import START, Edge, Program
from nram_env.machine import Gate, apply_gate
from nram_env.tasks import find_task, most_steps

Outcome = Literal["halted", "horizon", "unseen"]


class EndlessRunError(RuntimeError):
    """A run that should have stopped by itself reached the cap."""


@dataclass(frozen=True)
class Access:
    """One touch of the memory: READ got `value` from `address`, or WRITE put it there over `old`."""

    gate: Gate
    address: int
    value: int
    old: int


@dataclass(frozen=True)
class Step:
    """One timestep of a run.

    Attributes:
        time: t, counting from 1.
        edge: The edge that was taken.
        registers: Values before the step.
        after: Values after the step.
        accesses: Touches of the memory in the order of the block.
    """

    time: int
    edge: Edge
    registers: tuple[int, ...]
    after: tuple[int, ...]
    accesses: tuple[Access, ...]


@dataclass(frozen=True)
class Run:
    """How a run ended.

    Attributes:
        memory: The memory at the end.
        registers: The registers at the end.
        steps: Timesteps that were executed.
        outcome: "halted" (the program stopped itself), "horizon" (it was cut after T steps) or "unseen"
            (no edge matched: the recorded runs never showed the situation).
    """

    memory: tuple[int, ...]
    registers: tuple[int, ...]
    steps: int
    outcome: Outcome


def execute(
    block: Block,
    registers: Sequence[int],
    memory: MutableSequence[int],
    accesses: list[Access] | None = None,
) -> tuple[int, ...]:
    """Run one block; changes `memory`.

    Args:
        block: The code.
        registers: Values before the step, each in 0..M-1.
        memory: M integers in 0..M-1.
        accesses: If given, every touch of the memory is appended.

    Returns:
        The registers after the step.

    Example:
        >>> from analysis.program.block import Operation
        >>> memory = [3, 0, 0, 5]
        >>> copy = Block((Operation(Gate.READ, (0,)), Operation(Gate.WRITE, (1, 2))), ((0, 2),))
        >>> execute(copy, (3, 1), memory), memory
        ((5, 1), [3, 5, 0, 5])
    """
    values = list(registers)
    for instruction in block.instructions:
        if isinstance(instruction, Constant):
            values.append(instruction.value % len(memory))
            continue
        arguments = [values[number] for number in instruction.arguments]
        touches = instruction.gate in (Gate.READ, Gate.WRITE)
        old = memory[arguments[0]] if touches else 0
        values.append(apply_gate(instruction.gate, arguments, memory))
        if touches and accesses is not None:
            accesses.append(Access(instruction.gate, arguments[0], values[-1], old))
    after = list(registers)
    for register, number in block.assignments:
        after[register] = values[number]
    return tuple(after)


def zero_bits(registers: Sequence[int]) -> int:
    """Bit r is set where register r is 0."""
    return sum(1 << r for r, value in enumerate(registers) if value == 0)


def choose_edge(program: Program, state: int, registers: Sequence[int]) -> Edge | None:
    """The edge that a program takes here, None where the situation was never seen."""
    bits = zero_bits(registers)
    return next((edge for edge in program.edges_of_state[state] if edge.guard.matches(bits)), None)


def steps(program: Program, memory: MutableSequence[int], max_steps: int) -> Iterator[Step]:
    """Run a program step by step; changes `memory`. Ends early at a stop or an unseen situation.

    Args:
        program: The program.
        memory: M integers in 0..M-1, changed as the run goes on.
        max_steps: T, after which the run is cut.

    Raises:
        ValueError: A cell holds a value outside 0..M-1.
    """
    check_values(memory)
    state: int | None = START
    registers: tuple[int, ...] = (0,) * program.num_registers
    for time in range(1, max_steps + 1):
        edge = choose_edge(program, state, registers) if state is not None else None
        if edge is None:
            return
        accesses: list[Access] = []
        after = execute(edge.block, registers, memory, accesses)
        yield Step(time, edge, registers, after, tuple(accesses))
        state, registers = edge.target, after


def run(program: Program, memory: Sequence[int], max_steps: int | None = None) -> Run:
    """Run a program on an input of any size; `memory` itself is left as it is.

    Args:
        program: The program.
        memory: M integers in 0..M-1.
        max_steps: T, after which the run is cut; None for a program that stops by itself: until it does.

    Raises:
        ValueError: A cell holds a value outside 0..M-1; or T is needed: the program never stops, or names no
            task by whose T(n) a run without an end is told from a long one.
        EndlessRunError: It did not stop by itself, though it can.

    Example:
        >>> from analysis import find_program
        >>> run(find_program("zoo:access"), [3, 6, 5, 1, 0, 0, 0]).memory
        (1, 6, 5, 1, 0, 0, 0)
        >>> run(find_program("zoo:copy"), [4, 6, 5, 1, 0, 0, 0], max_steps=4).memory
        (4, 6, 5, 1, 6, 5, 1)
    """
    if max_steps is None:
        return _run_to_its_stop(program, memory)
    cells = list(memory)
    registers: tuple[int, ...] = (0,) * program.num_registers
    time, state = 0, START
    for step in steps(program, cells, max_steps):
        time, registers = step.time, step.after
        if step.edge.target is None:
            return Run(tuple(cells), registers, time, "halted")
        state = step.edge.target
    unseen = time < max_steps and choose_edge(program, state, registers) is None
    return Run(tuple(cells), registers, time, "unseen" if unseen else "horizon")


def _run_to_its_stop(program: Program, memory: Sequence[int]) -> Run:
    task = find_task(program.task)
    if not program.can_halt or task is None:
        why = "names no task" if program.can_halt else "does not stop by itself"
        raise ValueError(f"program {program.name} {why}; pass max_steps")
    cap = most_steps(task, len(memory))
    result = run(program, memory, cap)
    if result.outcome == "horizon":
        raise EndlessRunError(
            f"program {program.name} did not stop by itself in {cap:,} steps, 10 T(n) + 3 M + 50 for n = M = "
            f"{len(memory)}; pass max_steps to see how far it gets"
        )
    return result


def check_values(memory: Sequence[int]) -> None:
    """Raise ValueError at the first cell that holds a value outside 0..M-1."""
    for cell, value in enumerate(memory):
        if not 0 <= value < len(memory):
            raise ValueError(
                f"cell {cell} holds {value}, which is not in 0..{len(memory) - 1} (M = {len(memory)})"
            )
