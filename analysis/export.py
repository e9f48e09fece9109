"""Exports: a program as a file of another kind."""

from __future__ import annotations

from analysis.diagram import to_svg
from analysis.export_c import to_c
from analysis.export_python import to_python

EXPORTS = {"python": to_python, "c": to_c, "svg": to_svg}
"""Every kind of export: a function from the program to the text of the file."""

__all__ = ["EXPORTS", "to_c", "to_python", "to_svg"]
