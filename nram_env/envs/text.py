"""A machine as text, in the layout of the paper's tables: one row a timestep."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import numpy as np

from nram_env.envs.episode import EpisodeState
from nram_env.envs.frame import Access, Frame
from nram_env.machine import Gate

SURE = 0.9
"""A distribution whose largest probability is below this is marked with `~`."""

_COLOURS = {"read": "\033[36m", "write": "\033[1;31m", "right": "\033[32m", "plain": ""}
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
    state = frame.state
    width = len(str(state.memory_size - 1)) + 2
    lines = [_head(frame), _columns(state, width)]
    if frame.before is not None:
        lines.append(_row(frame.before, frame.accesses, (), width, use_colour))
    lines.append(_row(state, (), frame.accesses, width, use_colour))
    lines.append(_wanted(state, width))
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _head(frame: Frame) -> str:
    state = frame.state
    return (
        f"{frame.title}  n = {state.difficulty.item()}  M = {state.memory_size}  "
        f"step {state.elapsed.item()} of {state.horizon.item()}  survival {state.survival.item():.3f}"
        + ("  finished" if state.finished.item() else "")
    )


def _columns(state: EpisodeState, width: int) -> str:
    cells = "".join(f"{cell:>{width - 1}} " for cell in range(state.memory_size))
    registers = "".join(f"{f'r{r}':>{width - 1}} " for r in range(state.registers.shape[1]))
    return f"step |{cells}|{registers}| READ, WRITE"


def _row(
    state: EpisodeState, starting: Sequence[Access], ended: Sequence[Access], width: int, colour: bool
) -> str:
    """One state; `starting` are the accesses of the timestep that starts here, `ended` of the one before."""
    read = {access.pointer.argmax() for access in starting if access.gate is Gate.READ}
    written = {access.pointer.argmax() for access in ended if access.gate is Gate.WRITE}
    cells = []
    for cell, distribution in enumerate(state.memory[0].numpy(force=True)):
        wanted = state.mask[0, cell].item() and distribution.argmax() == state.target[0, cell].item()
        style = "write" if cell in written else "read" if cell in read else "right" if wanted else "plain"
        cells.append(_paint(_entry(distribution, width), style, colour))
    registers = [_entry(distribution, width) for distribution in state.registers[0].numpy(force=True)]
    touched = "  ".join(_touch(access) for access in starting)
    return f"{state.elapsed.item() + 1:>4} |{''.join(cells)}|{''.join(registers)}| {touched}"


def _wanted(state: EpisodeState, width: int) -> str:
    cells = (
        f"{state.target[0, cell].item() if state.mask[0, cell] else '.':>{width - 1}} "
        for cell in range(state.memory_size)
    )
    return f"want |{''.join(cells)}|"


def _entry(distribution: np.ndarray, width: int) -> str:
    return f"{distribution.argmax():>{width - 1}}{_doubt(distribution)}"


def _doubt(distribution: np.ndarray) -> str:
    return " " if distribution.max() >= SURE else "~"


def _touch(access: Access) -> str:
    arrow = "->" if access.gate is Gate.READ else "<-"
    pointer, value = (f"{part.argmax()}{_doubt(part).strip()}" for part in (access.pointer, access.value))
    return f"{access.gate.label} {pointer} {arrow} {value}"


def _paint(text: str, style: str, colour: bool) -> str:
    start = _COLOURS[style]
    return f"{start}{text}{_PLAIN}" if colour and start else text
