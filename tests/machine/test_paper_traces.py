"""The paper's execution traces, row by row, in every form of the machine."""

import numpy as np
import pytest
import torch

from nram_env.machine import hard_step, initial_state, step
from tests.cases import PAPER_CASES, Case, integer_step

every_case = pytest.mark.parametrize("case", PAPER_CASES, ids=lambda case: case.name)


def _soft_states(case: Case):
    state = initial_state(case.config, torch.tensor([case.rows[0]["memory"]]), dtype=torch.float64)
    for timestep in range(len(case.rows)):
        yield state
        selectors = torch.tensor(case.config.layout.one_hot([case.choices(timestep)]))
        state = step(case.config, state, selectors)


def _integer_states(case: Case):
    registers, memory = [0] * case.config.num_registers, case.rows[0]["memory"]
    for timestep in range(len(case.rows)):
        after = integer_step(case.config, case.choices(timestep), registers, memory)
        yield registers, memory, after[2]
        registers, memory, _ = after


def test_the_traces_have_39_rows():
    assert sum(len(case.rows) for case in PAPER_CASES) == 39


@every_case
def test_the_soft_machine_with_one_hot_selectors_reproduces_every_row(case):
    for row, state in zip(case.rows, _soft_states(case), strict=True):
        assert state.registers[0].argmax(-1).tolist() == row["registers"], row
        assert state.memory[0].argmax(-1).tolist() == row["memory"], row
        for rows in (state.registers, state.memory):
            assert torch.equal(rows.max(-1).values, torch.ones(rows.shape[:-1], dtype=torch.float64))


@every_case
def test_the_integer_machine_reproduces_every_row(case):
    for row, (registers, memory, _) in zip(case.rows, _integer_states(case), strict=True):
        assert (registers, memory) == (row["registers"], row["memory"]), row


def test_the_copy_circuit_reads_and_writes_where_the_paper_says():
    case = PAPER_CASES[0]
    layout = case.config.layout
    for timestep, (registers, memory, outputs) in enumerate(_integer_states(case)):
        row, values = case.rows[timestep], [*registers, *outputs]
        pointers = dict(zip((s.name for s in layout.selectors), case.choices(timestep), strict=True))
        assert values[pointers["gate0.READ.p"]] == row["read_pointer"]
        assert values[pointers["gate13.WRITE.p"]] == row["write_pointer"]
        assert values[pointers["gate13.WRITE.a"]] == row["write_value"]
        assert memory[row["read_pointer"]] == row["write_value"]


@every_case
def test_the_batched_hard_machine_reproduces_every_row(case):
    registers = np.zeros((1, case.config.num_registers), dtype=np.int64)
    memory = np.array([case.rows[0]["memory"]])
    for timestep, row in enumerate(case.rows):
        assert registers[0].tolist() == row["registers"], row
        assert memory[0].tolist() == row["memory"], row
        registers, memory = hard_step(case.config, registers, memory, np.array([case.choices(timestep)]))
