"""A machine as a picture: heat maps of memory and registers, drawn with numpy alone."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from nram_env.envs.font import ADVANCE, HEIGHT, text_mask
from nram_env.envs.frame import Frame
from nram_env.machine import Gate

WIDTH, PICTURE_HEIGHT = 320, 240
"""In dots; a dot is a square of as many pixels as the scale says, and so are all lengths here."""
SCALE = 2
Colour = tuple[int, int, int]

_LEFT, _RIGHT, _TOP, _BOTTOM, _GAP = 37, 4, 46, 20, 17
_PAPER, _INK, _GRID, _FAINT = (255, 255, 255), (20, 20, 20), (225, 225, 225), (110, 110, 110)
_FULL = (24, 48, 120)
_READ, _WRITE, _WANTED = (0, 130, 170), (205, 50, 30), (20, 185, 70)
_COLOURS = {Gate.READ: _READ, Gate.WRITE: _WRITE}
_STRIP, _STRIP_TOP = 9, {Gate.READ: 20, Gate.WRITE: 32}


def draw_picture(frame: Frame, scale: int = SCALE, caption: str = "") -> np.ndarray:
    """Draw memory and registers side by side.

    A column is a cell, or a register; a row is an integer, 0 at the bottom; the darker a place, the more
    probable that the cell holds the integer. The strips on top are the pointers of the last timestep's
    last READ and WRITE; the cells that they point at most are framed in the same colour. Green frames are
    the wanted values.

    Args:
        frame: What to draw.
        scale: Size of a dot in pixels.
        caption: Words for the lower right corner.

    Returns:
        (240 scale, 320 scale, 3) uint8.
    """
    memory, registers = (part[0].numpy(force=True) for part in (frame.state.memory, frame.state.registers))
    sheet = _Sheet(len(memory), len(registers), scale)
    sheet.head(frame)
    sheet.foot(caption)
    sheet.heat(memory, registers)
    sheet.labels()
    mask, target = frame.state.mask[0].numpy(force=True), frame.state.target[0].numpy(force=True)
    for cell in np.flatnonzero(mask):
        sheet.frame_place(int(cell), int(target[cell]), _WANTED)
    for access in {access.gate: access for access in frame.accesses}.values():
        sheet.pointer(access.gate, access.pointer)
    return sheet.pixels


class _Sheet:
    """The canvas, and the edges of cells, registers and integers on it."""

    def __init__(self, memory_size: int, num_registers: int, scale: int) -> None:
        self._scale = scale
        self.pixels = np.full((PICTURE_HEIGHT * scale, WIDTH * scale, 3), _PAPER, dtype=np.uint8)
        right, uniform = (WIDTH - _RIGHT) * scale, (WIDTH - _LEFT - _RIGHT - _GAP) * scale
        width = max(uniform // (memory_size + num_registers), min(15 * scale, 80 * scale // num_registers))
        registers = right - width * num_registers
        self._cells = np.linspace(_LEFT * scale, registers - _GAP * scale, memory_size + 1).astype(int)
        self._registers = np.linspace(registers, right, num_registers + 1).astype(int)
        bottom, top = (PICTURE_HEIGHT - _BOTTOM) * scale, _TOP * scale
        self._values = np.linspace(bottom, top, memory_size + 1).astype(int)

    def head(self, frame: Frame) -> None:
        """Write what is shown on top."""
        state = frame.state
        self._write(4, 4, f"{frame.title}  N={state.difficulty.item()}  M={state.memory_size}", _INK)
        progress = f"STEP {state.elapsed.item()}/{state.horizon.item()}  LEFT {state.survival.item():.2f}"
        self._write(WIDTH - _RIGHT - _text_width(progress), 4, progress, _INK)
        self._write(4, _STRIP_TOP[Gate.READ] + 1, "READ", _READ)
        self._write(4, _STRIP_TOP[Gate.WRITE] + 1, "WRITE", _WRITE)

    def foot(self, caption: str) -> None:
        """Say what the columns on the left are, and the caption."""
        self._write(_LEFT, PICTURE_HEIGHT - 8, "CELL", _FAINT)
        self._write(WIDTH - _RIGHT - _text_width(caption), PICTURE_HEIGHT - 8, caption, _INK)

    def heat(self, memory: np.ndarray, registers: np.ndarray) -> None:
        """Draw all distributions, each as a column."""
        self._heat_map(self._cells, memory)
        self._heat_map(self._registers, registers)

    def labels(self) -> None:
        """Number the cells, the registers and the integers, as densely as there is room."""
        self._label_columns(self._cells, "")
        self._label_columns(self._registers, "R")
        height = HEIGHT * self._scale
        needed = height + 2 * self._scale
        for value in range(0, len(self._values) - 1, _label_step(needed, self._values[::-1])):
            middle = (self._values[value] + self._values[value + 1] - height) // 2
            left = (_LEFT - 3 - _text_width(str(value))) * self._scale
            self._place(left, middle, str(value), _FAINT)

    def frame_place(self, cell: int, value: int, colour: Colour) -> None:
        """Frame one integer of one cell."""
        top, bottom = self._values[value + 1], self._values[value]
        self._outline(top, bottom, self._cells[cell], self._cells[cell + 1], colour)

    def pointer(self, gate: Gate, pointer: np.ndarray) -> None:
        """Draw a pointer's distribution as a strip, and frame the cell that it points at most."""
        colour, top = _COLOURS[gate], _STRIP_TOP[gate] * self._scale
        strip = np.repeat(_blend(pointer, colour), np.diff(self._cells), axis=0)
        self.pixels[top : top + _STRIP * self._scale, self._cells[0] : self._cells[-1]] = strip
        cell = int(pointer.argmax())
        edges = self._cells[cell], self._cells[cell + 1]
        self._outline(self._values[-1], self._values[0], *edges, colour)

    def _heat_map(self, edges: np.ndarray, distributions: np.ndarray) -> None:
        image = np.repeat(_blend(distributions.T[::-1], _FULL), np.diff(edges), axis=1)
        image = np.repeat(image, -np.diff(self._values)[::-1], axis=0)
        self.pixels[self._values[-1] : self._values[0], edges[0] : edges[-1]] = image
        for left, right in pairwise(edges):
            if right - left >= 3 * self._scale:
                self._outline(self._values[-1], self._values[0], left, right, _GRID, 1)

    def _label_columns(self, edges: np.ndarray, prefix: str) -> None:
        last = len(edges) - 2
        needed = (_text_width(f"{prefix}{last}") + 3) * self._scale
        for column in range(0, last + 1, _label_step(needed, edges)):
            text, middle = f"{prefix}{column}", (edges[column] + edges[column + 1]) // 2
            left = middle - _text_width(text) * self._scale // 2
            self._place(left, (PICTURE_HEIGHT - _BOTTOM + 3) * self._scale, text, _FAINT)

    def _outline(
        self, top: int, bottom: int, left: int, right: int, colour: Colour, thickness: int | None = None
    ) -> None:
        box = self.pixels[top:bottom, left:right]
        thickness = max(1, min(thickness or self._scale, (right - left) // 3, (bottom - top) // 3))
        box[:thickness], box[-thickness:], box[:, :thickness], box[:, -thickness:] = (colour,) * 4

    def _write(self, left: int, top: int, text: str, colour: Colour) -> None:
        self._place(left * self._scale, top * self._scale, text, colour)

    def _place(self, left: int, top: int, text: str, colour: Colour) -> None:
        """Write at a place in pixels."""
        mask = text_mask(text, self._scale)
        left = min(left, self.pixels.shape[1] - mask.shape[1])
        self.pixels[top : top + mask.shape[0], left : left + mask.shape[1]][mask] = colour


def _text_width(text: str) -> int:
    """In dots."""
    return ADVANCE * len(text) - 1


def _label_step(needed: int, edges: np.ndarray) -> int:
    """Label every so many places: 1, 2, 5, 10, 20, ..."""
    available = (edges[-1] - edges[0]) / (len(edges) - 1)
    steps = (digit * 10**power for power in range(6) for digit in (1, 2, 5))
    return next(step for step in steps if step * available >= needed)


def _blend(probabilities: np.ndarray, colour: Colour) -> np.ndarray:
    """From paper to the full colour (..., 3); small probabilities are lifted, so that they can be seen."""
    weights = probabilities.clip(0, 1)[..., None] ** 0.6
    return np.array(_PAPER) * (1 - weights) + np.array(colour) * weights
