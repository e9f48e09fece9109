"""Draws the README's picture: the machine in the middle of a run, and the program that its controller became.

python -m docs.draw_hero --write    # write docs/pictures/hero.svg
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from analysis.pictures.svg import Picture, document, line, point, rectangle, words
from analysis.printing.code import short_code
from docs.list_programs import Entry, entries
from docs.site.machine_pictures import STEP, soft_machine

PAGE = Path(__file__).parent / "pictures" / "hero.svg"
ENTRY = "copy"

_PLACE, _TOP, _LEFT = 22, 44, 22
_GAP, _ARROW, _CODE_WIDTH, _LINE = 30, 110, 260, 24
_INK = "#183078"


def hero() -> str:
    """The SVG file."""
    state = soft_machine().unwrapped.state
    memory, registers = (part[0].numpy(force=True) for part in (state.memory, state.registers))
    size, count = len(memory), len(registers)
    right = _LEFT + size * _PLACE + _GAP
    code = right + count * _PLACE + _ARROW
    height = _TOP + size * _PLACE + 24
    shapes = [
        words(_LEFT, 14, f"the machine after {STEP} timesteps", "title"),
        *_columns(memory, _LEFT, "memory", ""),
        *_columns(registers, right, "registers", "r"),
        *_arrow(right + count * _PLACE, _TOP + size * _PLACE / 2),
        *_code(code, height),
    ]
    return document(Picture(code + _CODE_WIDTH, height, tuple(shapes)), "a machine and its program")


def _columns(distributions: np.ndarray, left: float, name: str, prefix: str) -> Iterator[str]:
    """A column a cell or register, an integer a row, 0 at the bottom, the darker the more probable."""
    count, size = distributions.shape
    yield words(left, _TOP - 8, name, "small")
    for column, row in np.ndindex(count, size):
        x, y = left + column * _PLACE, _TOP + (size - 1 - row) * _PLACE
        place = f'x="{x}" y="{y}" width="{_PLACE - 1}" height="{_PLACE - 1}"'
        shown = min(1.0, 0.04 + distributions[column, row] ** 0.6)
        yield f'<rect {place} fill="{_INK}" fill-opacity="{shown:.2f}"/>'
    for column in range(count):
        x = left + (column + 0.5) * _PLACE
        yield words(x, _TOP + size * _PLACE + 14, f"{prefix}{column}", "small middle")


def _arrow(x: float, y: float) -> Iterator[str]:
    yield line(f"M{point(x + 16, y)} H{x + _ARROW - 20:.1f}", "arrow")
    yield words(x + _ARROW / 2, y - 10, "every choice", "small middle")
    yield words(x + _ARROW / 2, y + 18, "its argmax", "small middle")


def _code(x: float, height: float) -> Iterator[str]:
    entry = next(entry for entry in entries() if entry.name == ENTRY)
    lines = short_code(entry.after)
    yield words(x, 14, "the program that it is, shortened", "title")
    yield rectangle(x, _TOP - 12, _CODE_WIDTH, len(lines) * _LINE + 20, "box")
    for number, text in enumerate(lines):
        yield words(x + 14, _TOP + 10 + number * _LINE, text)
    for number, text in enumerate(_claims(entry)):
        yield words(x, _TOP + len(lines) * _LINE + 32 + number * 18, text, "code")


def _claims(entry: Entry) -> tuple[str, ...]:
    return "Learned from examples by an LSTM.", f"Output right: {entry.output}."


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(hero(), encoding="utf-8")
    else:
        print(hero(), end="")
