"""Programs and proofs that tests of proofs are about."""

from pathlib import Path

import numpy as np

from analysis import load_program
from analysis.program.block import Block, Constant, Guard, Operation
from analysis.program.program import Edge, Program, Register
from analysis.proofs.attempt import attempt
from analysis.proofs.houdini import OutOfReachError
from analysis.proofs.runs import instances, record
from analysis.proofs.setting import Setting
from nram_env import MachineConfig, get_task

DATA = Path(__file__).parents[2] / "data"


def one_edge(*gates, constants=()):
    """A program of one block with these gates and constants, whose arguments are its registers."""
    code = [Operation(gate, (0, 1)[: gate.arity]) for gate in gates]
    block = Block((*code, *map(Constant, constants)), ())
    registers = (Register("x", 0), Register("y", 1))
    edge = Edge(0, Guard(), block, None, 0)
    return Program("planted", registers, ("S0",), (edge,), "machine", MachineConfig(2))


def kept(name):
    """A program that stays as it is while the zoo is trained anew; those but for Access do not stop."""
    return load_program(DATA / f"proof_of_{name}.json")


def small_runs(program, steps=40):
    """Runs of a program on small instances of its task."""
    task = get_task(program.task)
    memories = instances(task, seed=0)
    return record(program, task.spec, memories, np.full(len(memories), steps))


def attempted(name, claim, task=None, program=None, hasty=True, **knobs):
    """An attempt at a claim about a program of the zoo; None if a goal does not follow."""
    program = program or kept(name)
    task = task or get_task(program.task)
    setting = Setting(program, task, last=claim.last, **knobs)
    try:
        return attempt(setting, [claim], small_runs(program), hasty=hasty)
    except OutOfReachError:
        return None
