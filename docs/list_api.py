"""Lists what the packages offer, from their faces and docstrings, as docs/api.md.

python docs/list_api.py            # print the page
python docs/list_api.py --write    # write docs/api.md
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

PAGE = Path(__file__).parent / "api.md"
FACES = ("nram_env", "agents", "analysis")
"""The packages whose `__all__` is public: what is not named there may change without a word."""

_HEAD = """# Public names

What a user may build on, made by `docs/list_api.py` from the packages' `__all__` and docstrings. Everything
else may change from one version to the next. `help(NAME)` in Python says more, and shows each at work.
"""


def public(face: str) -> Iterator[tuple[str, Any]]:
    """Every public name of a package and what it stands for; the version is left out."""
    package = importlib.import_module(face)
    names = (name for name in package.__all__ if name != "__version__")
    yield from ((name, getattr(package, name)) for name in sorted(names, key=str.lower))


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for face in FACES for line in _section(face))])


def _section(face: str) -> Iterator[str]:
    yield f"## {face}\n\n{_summary(importlib.import_module(face))}\n"
    yield "| name | is a | |\n| --- | --- | --- |"
    for name, value in public(face):
        yield f"| `{_call(name, value)}` | {_kind(value)} | {_summary(value)} |"
    yield ""


def _summary(value: Any) -> str:
    """The first paragraph of a docstring."""
    return " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())


def _kind(value: Any) -> str:
    if isinstance(value, ModuleType):
        return "module"
    return "class" if inspect.isclass(value) else "function"


def _call(name: str, value: Any) -> str:
    """A function with the names of its arguments, anything else by its name."""
    return f"{name}({', '.join(inspect.signature(value).parameters)})" if inspect.isfunction(value) else name


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    print(page(), end="")
