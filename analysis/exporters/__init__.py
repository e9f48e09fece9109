"""Exports: a program as a file of another kind."""

from __future__ import annotations

from analysis.exporters.c import to_c
from analysis.exporters.python import to_python
from analysis.pictures.diagram import to_svg

EXPORTS = {"python": to_python, "c": to_c, "svg": to_svg}
"""Every kind of export: a function from the program to the text of the file."""

__all__ = ["EXPORTS", "to_c", "to_python", "to_svg"]
