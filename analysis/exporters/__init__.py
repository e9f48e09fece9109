"""Exports: a program as a file of another kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from analysis.exporters.c import to_c
from analysis.exporters.javascript import to_javascript
from analysis.exporters.python import to_python
from analysis.pictures.diagram import to_svg
from analysis.program.program import Program
from nram_env.support import unknown_name

EXPORTS: Mapping[str, Callable[[Program], str]] = {
    "python": to_python,
    "c": to_c,
    "javascript": to_javascript,
    "svg": to_svg,
}
"""Every kind of export: a function from the program to the text of the file."""


def export(program: Program, to: str = "python") -> str:
    """A program as the text of a file of another kind.

    Args:
        program: The program.
        to: "python" (a function that needs nothing), "c", "javascript" or "svg".

    Raises:
        ValueError: Unknown kind, or the program cannot be written so.

    Example:
        >>> from analysis import export, find_program
        >>> names = {}
        >>> exec(export(find_program("zoo:increment")), names)
        >>> names["run"]([4, 6, 1, 0, 0, 0, 0, 0])[:3]
        [5, 7, 2]
    """
    if to not in EXPORTS:
        raise unknown_name("export", to, EXPORTS)
    return EXPORTS[to](program)


__all__ = ["EXPORTS", "export", "to_c", "to_javascript", "to_python", "to_svg"]
