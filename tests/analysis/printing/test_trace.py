"""Trace tables hold the rows of the paper's tables, and read as they do."""

import re

import pytest

from analysis.printing.trace import END, trace, trace_latex, trace_text
from analysis.program.block import Block, Guard, Operation
from analysis.program.program import Edge, Program, Register
from nram_env.machine import Gate, MachineConfig
from tests.analysis.programs import CASES, program_of

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


@every_case
def test_the_rows_are_those_of_the_paper_s_tables(case):
    found = trace(program_of(case), case.rows[0]["memory"], len(case.rows))
    assert len(found.rows) == len(case.rows) + 1
    for row, wanted in zip(found.rows, case.rows, strict=False):
        assert (row.time, list(row.memory), list(row.registers)) == (
            wanted["step"],
            wanted["memory"],
            wanted["registers"],
        )


def test_the_pointers_of_copy_are_those_of_the_paper_s_table():
    rows = CASES["copy"].rows
    for row, wanted in zip(trace(program_of(CASES["copy"]), rows[0]["memory"], 11).rows, rows, strict=False):
        read, write = row.accesses
        assert read.address == wanted["read_pointer"]
        assert (write.address, write.value) == (wanted["write_pointer"], wanted["write_value"])


@every_case
def test_the_text_holds_every_number_of_the_rows(case):
    found = trace(program_of(case), case.rows[0]["memory"], len(case.rows))
    lines = trace_text(found).splitlines()
    assert len({line.index("|") for line in lines}) == 1
    for line, row in zip(lines[1:], found.rows, strict=True):
        left, memory, registers, accesses = line.split("|")
        assert left.split() == [str(row.time), row.block]
        assert [int(number) for number in re.findall(r"\d+", memory)] == list(row.memory)
        assert [int(number) for number in registers.split()] == list(row.registers)
        assert accesses.count("p:") == len(row.accesses)


@every_case
def test_cells_that_the_step_before_wrote_are_marked_and_no_others(case):
    found = trace(program_of(case), case.rows[0]["memory"], len(case.rows))
    text, latex = trace_text(found).splitlines()[1:], trace_latex(found).splitlines()[4:]
    before = frozenset()
    for row, line, latex_line in zip(found.rows, text, latex[:-2], strict=True):
        assert row.written == before
        assert line.count("[") == latex_line.count(r"\textbf") == len(row.written)
        before = frozenset(access.address for access in row.accesses if access.gate is Gate.WRITE)


def test_a_line_of_the_text_reads_as_in_the_paper():
    found = trace(program_of(CASES["copy"]), [6, 2, 10, 6, 8, 9, 0, 0, 0, 0, 0, 0], 11)
    line = trace_text(found).splitlines()[3]
    assert " ".join(line.split()) == "3 S1 | 6 2 10 6 8 9 [2] 0 0 0 0 0 | 0 5 1 1 | p:1 p:6 a:2"


def test_latex_lines_have_as_many_entries_as_the_table_has_columns():
    found = trace(program_of(CASES["swap"]), CASES["swap"].rows[0]["memory"], 4)
    lines = trace_latex(found).splitlines()
    columns = sum(letter in "rlc" for letter in lines[0].removeprefix(r"\begin{tabular}"))
    assert {line.count("&") + 1 for line in lines if "&" in line} == {columns}
    assert sum(line.endswith(r"\\") for line in lines) == len(found.rows) + 1
    assert lines[-1] == r"\end{tabular}"


def test_names_are_harmless_in_latex():
    block = Block((Operation(Gate.READ, (0,)),), ((0, 2),))
    names = (Register("a_b", 0), Register("r12", 1))
    program = Program("load", names, ("S_0",), (Edge(0, Guard(), block, None),), "machine", MachineConfig(2))
    text = trace_latex(trace(program, [1, 0], 3))
    assert r"$\mathrm{a\_b}$ & $r_{12}$" in text
    assert r"S\_0" in text


def stopping(guard: Guard, target: int | None) -> Program:
    block = Block((Operation(Gate.READ, (0,)),), ((0, 1),))
    edges = (Edge(0, guard, block, target),)
    return Program("load", (Register("a", 0),), ("S0",), edges, "machine", MachineConfig(1))


def test_the_trace_says_how_the_run_ended():
    assert trace(stopping(Guard(), None), [3, 0, 0, 0], 9).outcome == "halted"
    assert trace(stopping(Guard(), 0), [3, 0, 0, 0], 9).outcome == "horizon"
    found = trace(stopping(Guard(((1, 1),)), 0), [3, 0, 0, 0], 9)
    assert (found.outcome, len(found.rows), found.rows[-1].block) == ("unseen", 2, END)


def test_blocks_of_a_state_are_told_apart():
    block = Block((Operation(Gate.INC, (0,)),), ((0, 1),))
    edges = (Edge(0, Guard(((1, 1),)), block, 0), Edge(0, Guard(((1, 0),)), block, 0))
    program = Program("count", (Register("a", 0),), ("S0",), edges, "table", MachineConfig(1))
    found = trace(program, [0, 0, 0], 3)
    assert [row.block for row in found.rows] == ["S0.1", "S0.2", "S0.2", END]


def test_the_input_is_left_as_it_is_and_checked():
    memory = [3, 1, 2, 0, 0]
    trace(program_of(CASES["copy"]), memory, 5)
    assert memory == [3, 1, 2, 0, 0]
    with pytest.raises(ValueError, match="cell 1 holds 7"):
        trace(program_of(CASES["copy"]), [3, 7, 2, 0, 0], 5)
