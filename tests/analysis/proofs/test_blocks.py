"""What obligations say of a block and a guard is what the integer machine does."""

import numpy as np
import pytest

from analysis.machine.vm import execute, zero_bits
from analysis.proofs.blocks import BlockText, guard_formula
from analysis.proofs.checking import ask_z3
from analysis.proofs.grounding import read
from analysis.proofs.readings import conjunction, negated
from nram_env.machine import MachineConfig
from tests.analysis.programs import random_program


def is_certain(fact, *commands):
    return ask_z3("\n".join([*commands, f"(assert {negated(fact)})"]), 0, 5.0) == "unsat"


@pytest.mark.parametrize("seed", range(20))
def test_a_block_in_smt_lib_does_what_the_machine_does(seed):
    """With several READs and WRITEs a timestep, and all registers updated at once."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 7))
    program = random_program(MachineConfig(3, gates=("READ", "WRITE", *MachineConfig(3).gates)), 2, rng)
    for edge in program.edges:
        registers, memory = (rng.integers(0, size, count).tolist() for count in (3, size))
        names = ["x", "y", "z"]
        given = [f"(define-fun {name} () Int {value})" for name, value in zip(names, registers, strict=True)]
        cells = read([str(value) for value in memory], "c")
        given += [f"(define-fun M () Int {size})", f"(define-fun mem ((c Int)) Int {cells})"]
        text = BlockText(edge.block, names, "mem")
        bits = zero_bits(registers)
        guard = guard_formula(edge.guard, names)
        assert is_certain(guard if edge.guard.matches(bits) else negated(guard), *given)
        after = execute(edge.block, registers, memory)
        same = [f"(= {term} {value})" for term, value in zip(text.registers, after, strict=True)]
        same += [f"(= ({text.memory} {cell}) {value})" for cell, value in enumerate(memory)]
        assert is_certain(conjunction(same), *given, *text.definitions)
        wrong = f"(= {text.registers[0]} {(after[0] + 1) % size})"
        assert not is_certain(wrong, *given, *text.definitions)
