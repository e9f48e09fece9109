"""Where two programs differ, line by line."""

from __future__ import annotations

import difflib

from analysis.printing.page import blocks_text
from analysis.program.program import Program
from analysis.simplification.canonical import canonical_hash


def diff(first: Program, second: Program, names: tuple[str, str] = ("first", "second")) -> list[str]:
    """Lines that say how two programs differ, as `diff -u` would; none if they are one but for names.

    Args:
        first: A program.
        second: Another.
        names: What they are called in the first two lines.

    Example:
        >>> from analysis import diff, find_program
        >>> copy = find_program("zoo:copy")
        >>> diff(copy, copy)
        []
        >>> diff(copy, find_program("zoo:increment"), ("copy", "increment"))[:2]
        ['--- copy', '+++ increment']
    """
    if canonical_hash(first) == canonical_hash(second):
        return []
    texts = [blocks_text(program).splitlines() for program in (first, second)]
    return list(difflib.unified_diff(texts[0], texts[1], *names, lineterm="", n=99))
