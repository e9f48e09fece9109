"""Draws which room of the project imports which, from the imports themselves: the picture in architecture.md.

python docs/draw_rooms.py            # print the picture
python docs/draw_rooms.py --write    # put it into docs/architecture.md
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- drawn by docs/draw_rooms.py -->\n```text\n", "```\n<!-- end of the picture -->"

ROOMS = (
    "nram_env",
    "agents",
    "analysis.program",
    "analysis.machine",
    "analysis.simplification",
    "analysis.verification",
    "analysis.rewriting",
    "analysis.proofs",
    "analysis.extraction",
    "analysis.printing",
    "analysis.game",
    "analysis.explanation",
    "analysis.measurement",
    "analysis.pictures",
    "analysis.exporters",
    "analysis.studies",
    "analysis.pages",
    "analysis.commands",
)
"""The two other packages, then every room of analysis; each imports itself and those before it."""


def modules() -> dict[str, Path]:
    """Every module of the three packages and its file."""
    found = {}
    for package in ("nram_env", "agents", "analysis"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


def room_of(module: str) -> str | None:
    """The room of a module; None for the face of analysis, which names what is in all of them."""
    return next((room for room in ROOMS if module == room or module.startswith(f"{room}.")), None)


def imports(source: str) -> Iterator[str]:
    """Modules that a source imports, at once or when they are needed."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def used_rooms() -> dict[str, set[str]]:
    """For every room the other rooms that it imports."""
    found: dict[str, set[str]] = {room: set() for room in ROOMS}
    for module, path in modules().items():
        room = room_of(module)
        if room is not None:
            others = {room_of(name) for name in imports(path.read_text(encoding="utf-8"))}
            found[room] |= {other for other in others if other not in (None, room)}
    return found


def picture() -> str:
    """A row a room: its number, its name, a mark for every room that it imports, and what it is for.

    What a room imports stands to the left of its own number.
    """
    used, lines = used_rooms(), []
    for row, room in enumerate(ROOMS):
        marks = [("x" if other in used[room] else ".") for other in ROOMS[:row]] + [str(row + 1)]
        lines.append(f"{room:<24} {' '.join(f'{mark:>2}' for mark in marks):<36}  {_purpose(room)}")
    return "\n".join(lines) + "\n"


def drawn() -> str:
    """The page with the picture as it is now."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}{picture()}{END}{rest.partition(END)[2]}"


def _purpose(room: str) -> str:
    """The first line of a room's docstring, up to its colon or full stop."""
    face = ROOT.joinpath(*room.split("."), "__init__.py")
    line = (ast.get_docstring(ast.parse(face.read_text(encoding="utf-8"))) or "").split("\n")[0]
    return line.split(". ")[0].partition(":")[0].rstrip(".")


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(drawn(), encoding="utf-8")
    print(picture(), end="")
