"""A machine as a picture: heat maps of memory and registers, drawn with numpy alone."""

from __future__ import annotations

import numpy as np

from nram_env.envs.font import ADVANCE, HEIGHT, text_mask
from nram_env.envs.frame import Frame
from nram_env.machine import Gate

WIDTH, PICTURE_HEIGHT = 640, 480
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 8, 92, 40
_SCALE = 2
_PAPER, _INK, _GRID, _FAINT = (255, 255, 255), (20, 20, 20), (225, 225, 225), (110, 110, 110)
_FULL = (24, 48, 120)
_READ, _WRITE, _WANTED = (0, 130, 170), (205, 50, 30), (20, 185, 70)
_COLOURS = {Gate.READ: _READ, Gate.WRITE: _WRITE}
_STRIP, _STRIP_TOP = 18, {Gate.READ: 40, Gate.WRITE: 64}


def draw_picture(frame: Frame) -> np.ndarray:
    """Draw memory and registers side by side.

    A column is a cell, or a register; a row is an integer, 0 at the bottom; the darker a place, the more
    probable that the cell holds the integer. The strips on top are the pointers of the last timestep's
    READ and WRITE; the cells that they point at most are framed in the same colour. Green frames are the
    wanted values.

    Args:
        frame: What to draw.

    Returns:
        (480, 640, 3) uint8.
    """
    memory, registers = (part[0].numpy(force=True) for part in (frame.state.memory, frame.state.registers))
    sheet = _Sheet(len(memory), len(registers))
    sheet.head(frame)
    sheet.heat(memory, registers)
    sheet.labels()
    mask, target = frame.state.mask[0].numpy(force=True), frame.state.target[0].numpy(force=True)
    for cell in np.flatnonzero(mask):
        sheet.frame_place(int(cell), int(target[cell]), _WANTED)
    for access in frame.accesses:
        sheet.pointer(access.gate, access.pointer)
    return sheet.pixels


class _Sheet:
    """The canvas and where things lie on it: memory, one empty column, registers."""

    def __init__(self, memory_size: int, num_registers: int) -> None:
        self.pixels = np.full((PICTURE_HEIGHT, WIDTH, 3), _PAPER, dtype=np.uint8)
        self._memory_size, self._num_registers = memory_size, num_registers
        columns = memory_size + 1 + num_registers
        self._x = np.linspace(_LEFT, WIDTH - _RIGHT, columns + 1).astype(int)
        self._y = np.linspace(PICTURE_HEIGHT - _BOTTOM, _TOP, memory_size + 1).astype(int)

    def head(self, frame: Frame) -> None:
        """Write what is shown on top."""
        state = frame.state
        self._write(8, 8, f"{frame.title}  N={state.difficulty.item()}  M={state.memory_size}", _INK)
        progress = f"STEP {state.elapsed.item()}/{state.horizon.item()}  LEFT {state.survival.item():.2f}"
        self._write(WIDTH - _RIGHT - _text_width(progress), 8, progress, _INK)
        self._write(8, _STRIP_TOP[Gate.READ] + 2, "READ", _READ)
        self._write(8, _STRIP_TOP[Gate.WRITE] + 2, "WRITE", _WRITE)

    def heat(self, memory: np.ndarray, registers: np.ndarray) -> None:
        """Draw all distributions, each as a column."""
        for column, distribution in enumerate(memory):
            self._draw_column(column, distribution)
        for register, distribution in enumerate(registers):
            self._draw_column(self._memory_size + 1 + register, distribution)

    def labels(self) -> None:
        """Number the cells, the registers and the integers, as densely as there is room."""
        bottom, cell_width = PICTURE_HEIGHT - _BOTTOM + 6, (WIDTH - _LEFT - _RIGHT) / (len(self._x) - 1)
        step = _label_step(_text_width(str(self._memory_size)) + 4, cell_width)
        for cell in range(0, self._memory_size, step):
            self._write_centred(cell, bottom, str(cell))
        step = _label_step(_text_width(f"R{self._num_registers}") + 4, cell_width)
        for register in range(0, self._num_registers, step):
            self._write_centred(self._memory_size + 1 + register, bottom, f"R{register}")
        step = _label_step(HEIGHT * _SCALE + 4, (self._y[0] - self._y[-1]) / self._memory_size)
        for value in range(0, self._memory_size, step):
            middle = (self._y[value] + self._y[value + 1] - HEIGHT * _SCALE) // 2
            self._write(_LEFT - 6 - _text_width(str(value)), middle, str(value), _FAINT)
        self._write(_LEFT, PICTURE_HEIGHT - 16, "CELL", _FAINT)

    def frame_place(self, cell: int, value: int, colour: tuple[int, int, int]) -> None:
        """Frame one integer of one cell."""
        self._outline(self._y[value + 1], self._y[value], self._x[cell], self._x[cell + 1], colour)

    def pointer(self, gate: Gate, pointer: np.ndarray) -> None:
        """Draw a pointer's distribution as a strip, and frame the cell that it points at most."""
        colour, top = _COLOURS[gate], _STRIP_TOP[gate]
        for cell, probability in enumerate(pointer):
            self._fill(top, top + _STRIP, self._x[cell], self._x[cell + 1], _blend(probability, colour))
        cell = int(pointer.argmax())
        self._outline(self._y[-1], self._y[0], self._x[cell], self._x[cell + 1], colour)

    def _draw_column(self, column: int, distribution: np.ndarray) -> None:
        left, right = self._x[column], self._x[column + 1]
        for value, probability in enumerate(distribution):
            self._fill(self._y[value + 1], self._y[value], left, right, _blend(probability, _FULL))
        if right - left >= 6:
            self._outline(self._y[-1], self._y[0], left, right, _GRID, 1)

    def _fill(self, top: int, bottom: int, left: int, right: int, colour: np.ndarray) -> None:
        self.pixels[top:bottom, left:right] = colour

    def _outline(
        self, top: int, bottom: int, left: int, right: int, colour: tuple[int, int, int], thickness: int = 2
    ) -> None:
        box = self.pixels[top:bottom, left:right]
        thickness = max(1, min(thickness, (right - left) // 3, (bottom - top) // 3))
        box[:thickness], box[-thickness:], box[:, :thickness], box[:, -thickness:] = (colour,) * 4

    def _write(self, left: int, top: int, text: str, colour: tuple[int, int, int]) -> None:
        mask = text_mask(text, _SCALE)
        self.pixels[top : top + mask.shape[0], left : left + mask.shape[1]][mask] = colour

    def _write_centred(self, column: int, top: int, text: str) -> None:
        middle = (self._x[column] + self._x[column + 1]) // 2
        self._write(middle - _text_width(text) // 2, top, text, _FAINT)


def _text_width(text: str) -> int:
    return (ADVANCE * len(text) - 1) * _SCALE


def _label_step(needed: int, available: float) -> int:
    """Label every so many places: 1, 2, 5, 10, 20, ..."""
    steps = (digit * 10**power for power in range(6) for digit in (1, 2, 5))
    return next(step for step in steps if step * available >= needed)


def _blend(probability: float, colour: tuple[int, int, int]) -> np.ndarray:
    """From paper to the full colour; small probabilities are lifted, so that they can be seen."""
    weight = float(np.clip(probability, 0, 1)) ** 0.6
    return np.array(_PAPER) * (1 - weight) + np.array(colour) * weight
