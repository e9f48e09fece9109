"""Draws the README's badges from what they are about: pyproject.toml, and the programs and proofs that ship.

python -m docs.draw_badges --write    # write docs/pictures/badges.svg
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from analysis.pictures.svg import CHARACTER, Picture, document, rectangle, words
from docs.list_programs import ZOO

ROOT = Path(__file__).parent.parent
PAGE = Path(__file__).parent / "pictures" / "badges.svg"

_HEIGHT, _GAP, _ROOM = 22, 10, 16


def facts() -> Iterator[tuple[str, str]]:
    """What a badge is about, and what it says."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    programs = {path.parent for path in ZOO.glob("*/program.json")}
    proofs = {path.parent for path in ZOO.glob("*/program.proof.zip")}
    yield "Python", settings["project"]["requires-python"].replace(">=", ">= ")
    yield "licence", settings["project"]["license"]
    yield "types", "strict" if settings["tool"]["mypy"]["strict"] else "loose"
    yield "tasks learned", str(len({path.name.removesuffix("-feedforward") for path in programs}))
    yield "programs with a proof", f"{len(programs & proofs)} of {len(programs)}"


def badges() -> str:
    """The SVG file."""
    shapes: list[str] = []
    x = 0.0
    for about, says in facts():
        for text, kind in ((about, "box"), (says, "state")):
            width = len(text) * CHARACTER + _ROOM
            shapes += (rectangle(x, 0, width, _HEIGHT, kind), words(x + width / 2, 15, text, "middle"))
            x += width
        x += _GAP
    return document(Picture(x - _GAP, _HEIGHT, tuple(shapes)), _title(), margin=1)


def _title() -> str:
    return ", ".join(f"{about}: {says}" for about, says in facts())


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(badges(), encoding="utf-8")
    else:
        print(badges(), end="")
