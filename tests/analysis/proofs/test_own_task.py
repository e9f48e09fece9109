"""A program for a task of one's own is proved like any other, once the task says in terms what it wants."""

import pytest

from analysis.program.block import Block, Constant, Guard, Operation
from analysis.program.program import Edge, Program, Register
from analysis.proofs.claims import Stops
from analysis.proofs.prover import prove
from nram_env import Gate, MachineConfig
from nram_env.tasks.spec import n
from tests.analysis.proofs.settings import attempted
from tests.custom_task import Fill


def fills(value):
    """x = mem[1]; i = 1; while x: mem[i] = mem[value]; x = mem[i + 1]; i = i + 1."""
    start = Block((Constant(1), Operation(Gate.READ, (2,))), ((0, 2), (1, 3)))
    fill = (Constant(value), Operation(Gate.READ, (2,)), Operation(Gate.WRITE, (0, 3)))
    step = (Operation(Gate.INC, (0,)), Operation(Gate.READ, (5,)))
    some, none = Guard(((0b10, 0),)), Guard(((0b10, 0b10),))
    edges = (
        Edge(0, Guard(), start, 1),
        Edge(1, some, Block((*fill, *step), ((0, 5), (1, 6))), 1),
        Edge(1, none, Block(), None),
    )
    registers = (Register("i", 0), Register("x", 1))
    return Program("fill", registers, ("start", "loop"), edges, "machine", MachineConfig(2), task="fill")


def test_a_program_for_a_task_of_ones_own_is_proved():
    found = attempted("fill", Stops(n + 2), task=Fill(), program=fills(0))
    assert found.proved


def test_a_wrong_program_for_it_is_refuted():
    found = prove(fills(1), Fill(), minutes=0.5)
    assert found.verdict == "REFUTED"
    assert found.counterexample.cell in range(1, len(found.counterexample.memory))


def test_without_a_specification_there_is_nothing_to_prove():
    task = type("Silent", (Fill,), {"spec": None})()
    with pytest.raises(ValueError, match="task fill has no specification: what it wants"):
        prove(fills(0), task)
