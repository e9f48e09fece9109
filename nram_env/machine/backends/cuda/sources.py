"""Texts of kernels: a source and what it includes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

PLATFORM = Path(__file__).parent
"""Where headers lie that all kernels may include."""


def files(source: Path, folders: Sequence[Path] = (PLATFORM,)) -> dict[str, Path]:
    """A source and all that it includes, directly or not, by the names under which they are included.

    Args:
        source: A .cu file.
        folders: Where headers lie, besides the source's own folder; the first that has one counts. A name
            that is in none is left to the compiler.
    """
    found = {source.name: source}
    left = [source]
    while left:
        for name in set(_INCLUDE.findall(left.pop().read_text(encoding="utf-8"))) - found.keys():
            places = [path for folder in (source.parent, *folders) if (path := folder / name).is_file()]
            found.update((name, place) for place in places[:1])
            left += places[:1]
    return found


def texts(source: Path) -> dict[str, str]:
    """What is in `files`."""
    return {name: file.read_text(encoding="utf-8") for name, file in files(source).items()}


_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', re.MULTILINE)
