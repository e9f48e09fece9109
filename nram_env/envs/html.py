"""Environments as notebooks show them: the paper's table of one machine, and a row for each of many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from nram_env.envs.episode import EpisodeState
from nram_env.envs.frame import Frame
from nram_env.envs.table import Entry, Row, cell_entries, heading, register_entries, rows
from nram_env.markup import Markup, clipped, marked, notebook_table, words

MOST_CELLS, MOST_ROWS = 40, 8
"""Cells of a memory, and machines of a batch, that are shown; of more, the first and the last."""

_GAP = "\N{HORIZONTAL ELLIPSIS}"


def frame_table(frame: Frame) -> Markup:
    """One machine before and after its last timestep, and what is wanted, as in `render_mode="ansi"`."""
    count = frame.state.registers.shape[1]
    body = [[*_entries(row, count), words("  ".join(row.touched))] for row in rows(frame)]
    heads = [*_heads("step", frame.state), "READ, WRITE"]
    return notebook_table(", ".join(heading(frame)), heads, body)


def batch_table(title: str, state: EpisodeState) -> Markup:
    """Many machines as they are now.

    Args:
        title: Of the task.
        state: A batch.
    """
    count, heads = len(state.memory), _heads("row", state)
    shown = clipped(list(range(count)), MOST_ROWS, None)
    body = [[_GAP] * len(heads) if row is None else _machine(state, row) for row in shown]
    caption = f"{title}, {count} machines, M = {state.memory_size}, {int(state.finished.sum())} finished"
    return notebook_table(caption, heads, body)


def _machine(state: EpisodeState, row: int) -> list[str]:
    registers = register_entries(state, row)
    return _entries(Row(str(row), cell_entries(state, row), registers), len(registers))


def _heads(first: str, state: EpisodeState) -> list[str]:
    cells = clipped([str(cell) for cell in range(state.memory_size)], MOST_CELLS, _GAP)
    return [first, *cells, *(f"r{register}" for register in range(state.registers.shape[1]))]


def _entries(row: Row, num_registers: int) -> list[str]:
    """A row of the table; what is wanted says nothing of registers."""
    registers = row.registers or (Entry(""),) * num_registers
    return [row.name, *_marked(clipped(row.cells, MOST_CELLS, Entry(_GAP))), *_marked(registers)]


def _marked(entries: Sequence[Entry]) -> Iterator[Markup]:
    yield from (marked(f"{entry.value}{entry.doubt}", entry.marks) for entry in entries)
