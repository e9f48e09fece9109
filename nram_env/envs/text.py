"""A machine as text, in the layout of the paper's tables: one row a timestep."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from nram_env.envs.frame import Frame
from nram_env.envs.table import Entry, Row, heading, rows
from nram_env.markup import Mark

_COLOURS: Mapping[Mark, str] = {"read": "\033[36m", "written": "\033[1;31m", "as wanted": "\033[32m"}
_PLAIN = "\033[0m"


def draw_text(frame: Frame, *, colour: bool | None = None) -> str:
    """Draw the last timestep as the paper's tables do.

    Each row is the state at the start of a timestep, with what READ and WRITE touch in it; the last row
    is the state now. An entry is the most probable integer, with `~` where that is uncertain.
    In colour: the cell that is read cyan, the cell that was written red, wanted values that are there green.

    Args:
        frame: What to draw.
        colour: Whether to use ANSI colours; default: where standard output is a terminal and NO_COLOR
            is not set.
    """
    use_colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ if colour is None else colour
    width = len(str(frame.state.memory_size - 1)) + 2
    lines = ["  ".join(heading(frame)), _columns(frame, width)]
    lines += [_line(row, width, use_colour) for row in rows(frame)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _columns(frame: Frame, width: int) -> str:
    cells = "".join(f"{cell:>{width - 1}} " for cell in range(frame.state.memory_size))
    registers = "".join(f"{f'r{r}':>{width - 1}} " for r in range(frame.state.registers.shape[1]))
    return f"step |{cells}|{registers}| READ, WRITE"


def _line(row: Row, width: int, colour: bool) -> str:
    parts = [_entries(row.cells, width, colour)]
    if row.registers:
        parts += [_entries(row.registers, width, colour), " " + "  ".join(row.touched)]
    else:
        parts.append("")
    return f"{row.name:>4} |{'|'.join(parts)}"


def _entries(entries: Sequence[Entry], width: int, colour: bool) -> str:
    return "".join(
        _paint(f"{entry.value:>{width - 1}}{entry.doubt or ' '}", entry, colour) for entry in entries
    )


def _paint(text: str, entry: Entry, colour: bool) -> str:
    return f"{_COLOURS[entry.marks[0]]}{text}{_PLAIN}" if colour and entry.marks else text
