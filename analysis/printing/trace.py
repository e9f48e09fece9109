"""Traces: a run as the paper's tables show it, as text, as HTML and as LaTeX (paper, Tables 2 to 6)."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from analysis.machine.vm import Access, Outcome, run, steps
from analysis.program.program import Edge, Program
from nram_env.machine import Gate
from nram_env.markup import Mark, Markup, clipped, marked, notebook_table

END = "end"
"""Stands for the block in the last row, after which nothing is run."""

MOST_CELLS, MOST_ROWS = 40, 60
"""Cells, and timesteps, that notebooks show; of more, the first and the last."""

_GAP = "\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True)
class Row:
    """The machine before a timestep, and what the timestep does to the memory.

    Attributes:
        time: t, counting from 1; in the last row the steps of the run plus 1.
        block: The state, as in "S1", with the number of its block where it has several, as in "S1.2";
            END in the last row.
        memory: M integers.
        written: Cells that the timestep before wrote to.
        registers: R integers.
        accesses: READs and WRITEs in their order.
    """

    time: int
    block: str
    memory: tuple[int, ...]
    written: frozenset[int]
    registers: tuple[int, ...]
    accesses: tuple[Access, ...]


@dataclass(frozen=True)
class Trace:
    """A run, row by row, and how it ended.

    Attributes:
        register_names: Headings of the registers.
        rows: One for every timestep, and one for the end.
        outcome: "halted", "horizon" or "unseen", as in `analysis.machine.vm.Run`.
    """

    register_names: tuple[str, ...]
    rows: tuple[Row, ...]
    outcome: Outcome

    @property
    def num_cells(self) -> int:
        """M."""
        return len(self.rows[0].memory)

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        return trace_html(self)


def trace(program: Program, memory: Sequence[int], max_steps: int) -> Trace:
    """Run a program and keep every row.

    Args:
        program: The program.
        memory: M integers in 0..M-1; left as they are.
        max_steps: T, after which the run is cut.

    Raises:
        ValueError: A cell holds a value outside 0..M-1.

    Example:
        >>> from analysis import find_program
        >>> table = trace(find_program("zoo:access"), [2, 1, 3, 0, 0], max_steps=10)
        >>> table.outcome, table.rows[-1].memory
        ('halted', (3, 1, 3, 0, 0))
    """
    cells, registers = list(memory), (0,) * program.num_registers
    before, written = tuple(cells), frozenset[int]()
    rows = []
    for step in steps(program, cells, max_steps):
        block = _block_name(program, step.edge)
        rows.append(Row(step.time, block, before, written, step.registers, step.accesses))
        before, registers = tuple(cells), step.after
        written = frozenset(access.address for access in step.accesses if access.gate is Gate.WRITE)
    rows.append(Row(len(rows) + 1, END, before, written, registers, ()))
    names = tuple(register.name for register in program.registers)
    return Trace(names, tuple(rows), run(program, memory, max_steps).outcome)


def _block_name(program: Program, edge: Edge) -> str:
    name, edges = program.states[edge.source], program.edges_of_state[edge.source]
    return name if len(edges) == 1 else f"{name}.{edges.index(edge) + 1}"


def trace_text(table: Trace) -> str:
    """The trace as a plain table; a cell in brackets was written by the timestep before.

    The columns are: timestep, block, memory by cell, registers, READ pointers, and WRITE pointers with the
    values that are stored.
    """
    cells, names = table.num_cells, table.register_names
    heading = ["t", "block", *(f"{cell} " for cell in range(cells)), *names, "READ", "WRITE"]
    lines = [
        heading,
        *(
            [str(row.time), row.block, *cell_entries(row.memory, row.written), *_rest(row)]
            for row in table.rows
        ),
    ]
    bars = {2, 2 + cells, 2 + cells + len(names)}
    left = {1, len(heading) - 2, len(heading) - 1}
    return "".join("".join(line).rstrip() + "\n" for line in padded(lines, bars, left))


def padded(lines: Sequence[Sequence[str]], bars: set[int], left: set[int]) -> Iterator[list[str]]:
    """Lines of entries, each filled up to the width of its column and a space.

    Args:
        lines: As many entries in each.
        bars: Columns before which a bar stands.
        left: Columns whose entries stand on the left.

    Example:
        >>> [*padded([["t", "a"], ["10", "7"]], bars={1}, left=set())]
        [[' t ', '| a '], ['10 ', '| 7 ']]
    """
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for entries in lines:
        yield [
            ("| " if column in bars else "") + f"{entry:{'<' if column in left else '>'}{width}} "
            for column, (entry, width) in enumerate(zip(entries, widths, strict=True))
        ]


def cell_entries(memory: Sequence[int], written: Container[int]) -> list[str]:
    """A memory, cell by cell; brackets round what the timestep before wrote."""
    return [f"[{value}]" if cell in written else f"{value} " for cell, value in enumerate(memory)]


def access_entries(accesses: Sequence[Access]) -> tuple[str, str]:
    """What a timestep read and wrote: the entries of the last two columns."""
    reads = (f"p:{access.address}" for access in accesses if access.gate is Gate.READ)
    writes = (f"p:{access.address} a:{access.value}" for access in accesses if access.gate is Gate.WRITE)
    return ", ".join(reads), ", ".join(writes)


def _entries(row: Row) -> list[str]:
    return [str(row.time), row.block, *cell_entries(row.memory, row.written), *_rest(row)]


def _rest(row: Row) -> list[str]:
    return [*map(str, row.registers), *access_entries(row.accesses)]


def trace_html(table: Trace) -> Markup:
    """The trace as notebooks show it: framed is what a timestep reads, and what the one before it wrote."""
    cells = clipped(list(range(table.num_cells)), MOST_CELLS, None)
    heads = ["t", "block", *(_GAP if cell is None else str(cell) for cell in cells), *table.register_names]
    rows = clipped(table.rows, MOST_ROWS, None)
    body = [[_GAP] * (len(heads) + 2) if row is None else _html_row(row, cells) for row in rows]
    return notebook_table(f"M = {table.num_cells}, {table.outcome}", [*heads, "READ", "WRITE"], body)


def _html_row(row: Row, cells: Sequence[int | None]) -> list[str]:
    memory = (_GAP if cell is None else marked(str(row.memory[cell]), _marks(row, cell)) for cell in cells)
    return [str(row.time), row.block, *memory, *_rest(row)]


def _marks(row: Row, cell: int) -> list[Mark]:
    read = any(access.gate is Gate.READ and access.address == cell for access in row.accesses)
    found: dict[Mark, bool] = {"written": cell in row.written, "read": read}
    return [mark for mark, holds in found.items() if holds]


def trace_latex(table: Trace) -> str:
    r"""The trace as a LaTeX `tabular` without packages; a bold cell was written by the timestep before.

    Put it into a `table` with `\small` or `\resizebox` where the memory is large.
    """
    cells, registers = table.num_cells, len(table.register_names)
    lines = [
        rf"\begin{{tabular}}{{|r|l|{'c' * cells}|{'c' * registers}|l|l|}}",
        r"\hline",
        " & ".join(_latex_heading(table)) + r" \\",
        r"\hline",
        *(" & ".join(_latex_row(row)) + r" \\" for row in table.rows),
        r"\hline",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _latex_heading(table: Trace) -> Iterator[str]:
    yield from ("Step", "Block")
    yield from (str(cell) for cell in range(table.num_cells))
    yield from (rf"${_latex_name(name)}$" for name in table.register_names)
    yield from ("READ", "WRITE")


def _latex_row(row: Row) -> Iterator[str]:
    yield from ("" if row.block == END else str(row.time), _latex_word(row.block))
    for cell, value in enumerate(row.memory):
        yield rf"\textbf{{{value}}}" if cell in row.written else str(value)
    yield from _rest(row)


def _latex_name(name: str) -> str:
    """A name in mathematics: r1 becomes r_{1}, prev is written upright."""
    word = name.rstrip("0123456789")
    index = name[len(word) :]
    upright = word if len(word) == 1 else rf"\mathrm{{{_latex_word(word)}}}"
    return upright + (f"_{{{index}}}" if index else "")


def _latex_word(word: str) -> str:
    """Text with LaTeX's own characters made harmless."""
    return "".join(
        rf"\{letter}" if letter in "#$%&_{}" else letter for letter in word if letter not in "\\^~"
    )
