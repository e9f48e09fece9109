"""Statements, run one after another, mean what their block means."""

import numpy as np

from analysis.extraction.circuits import circuit_block
from analysis.machine.vm import execute
from analysis.program.block import Block, Constant, Operation
from analysis.program.expressions import Apply, Assign, Let, Store, Temporary, Variable, statements
from analysis.program.text import block_lines
from analysis.simplification.program import simplify_program
from nram_env.machine import PAPER_GATES, Gate, MachineConfig, apply_gate
from tests.analysis.programs import CASES, program_of, random_choices


def _value(expression, registers, kept, memory):
    if isinstance(expression, Variable):
        return registers[expression.register]
    if isinstance(expression, Temporary):
        return kept[expression.number]
    if isinstance(expression, Constant):
        return expression.value % len(memory)
    arguments = [_value(part, registers, kept, memory) for part in expression.arguments]
    return apply_gate(expression.gate, arguments, memory)


def _run(parts, registers, memory):
    registers, kept = list(registers), {}
    for part in parts:
        if isinstance(part, Let):
            kept[part.temporary.number] = _value(part.value, registers, kept, memory)
        elif isinstance(part, Store):
            address = _value(part.address, registers, kept, memory)
            memory[address] = _value(part.value, registers, kept, memory)
        else:
            values = [_value(value, registers, kept, memory) for value in part.values]
            for register, value in zip(part.registers, values, strict=True):
                registers[register] = value
    return tuple(registers)


def test_the_statements_of_2_000_random_circuits_do_what_the_circuits_do():
    rng = np.random.default_rng(2)
    for _ in range(2_000):
        machine = MachineConfig(int(rng.integers(1, 5)), PAPER_GATES * int(rng.integers(1, 3)))
        block, size = circuit_block(machine, random_choices(machine, rng)), int(rng.integers(2, 9))
        registers = rng.integers(size, size=machine.num_registers).tolist()
        memory = rng.integers(size, size=size).tolist()
        twin = list(memory)
        assert _run(statements(block, machine.num_registers), registers, memory) == execute(
            block, registers, twin
        )
        assert memory == twin


def test_registers_that_need_each_other_s_old_values_are_assigned_together():
    swap = Block((), ((0, 1), (1, 0)))
    assert block_lines(swap, ["a", "b"]) == ["a, b = b, a"]
    shift = Block((Operation(Gate.INC, (1,)),), ((0, 1), (1, 2)))
    assert block_lines(shift, ["a", "b"]) == ["a = b", "b = b + 1"]


def test_a_cell_that_is_overwritten_before_its_use_is_kept():
    block = Block(
        (Operation(Gate.READ, (0,)), Operation(Gate.WRITE, (0, 1)), Operation(Gate.INC, (2,))), ((1, 4),)
    )
    assert block_lines(block, ["p", "x"]) == ["t0 = mem[p]", "mem[p] = x", "x = t0 + 1"]


def test_a_kept_value_goes_straight_to_its_register_where_the_old_one_is_not_needed():
    program = simplify_program(program_of(CASES["swap"]))
    first = statements(program.edges[0].block, 2)
    assert first[0] == Assign((1,), (Apply(Gate.READ, (Constant(0),)),))
    assert not any(isinstance(part, Let) for part in first)
