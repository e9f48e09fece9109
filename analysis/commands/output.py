"""Where the words of a verb go: results to standard output, all else where it is in nobody's way."""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType

from analysis.program.text import WIDTH

LEAST_WIDTH = 40
"""Columns that are used even where there are fewer."""


def say(text: str) -> None:
    """A line about what is going on, on standard error."""
    print(text, file=sys.stderr, flush=True)


def command(*words: object, task: str = "copy") -> str:
    """A call of `nram` that works as it stands, every word quoted where the shell needs it.

    Args:
        words: The verb and what follows it.
        task: The task that the call needs to know; what registers it is imported if it is not nram's own.

    Example:
        >>> command("eval", "my runs/copy")
        "nram eval 'my runs/copy'"
    """
    from nram_env.tasks import task_imports

    imports = [word for source in task_imports(task) for word in ("--import", source)]
    return shlex.join([*_called(sys.argv[0]), *map(str, words), *imports])


def _called(program: str) -> list[str]:
    """How this program is called: `nram` if a shell would find it by that, or else as it was called now."""
    if Path(program).parts[-3:] == ("analysis", "commands", "cli.py"):
        return [sys.orig_argv[0], "-m", "analysis.commands.cli"]
    found = shutil.which("nram")
    is_nram = Path(program).stem == "nram" and Path(program).exists()
    return [program] if is_nram and not (found and Path(found).samefile(program)) else ["nram"]


def sizes_text(memory_sizes: tuple[int, int]) -> str:
    """The smallest and the largest of some memory sizes, as in "17 to 51"."""
    low, high = memory_sizes
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def emit(result: Mapping[str, Any], shown: RenderableType, as_json: bool) -> None:
    """Print a result.

    Args:
        result: The result for machines.
        shown: The same for people: text, a table, or a group of them.
        as_json: Print exactly one JSON object, and what is for people on standard error.
    """
    if isinstance(shown, str):
        print(shown.rstrip("\n"), file=sys.stderr if as_json else sys.stdout)
    else:
        plain_console(stderr=as_json, width=page_width()).print(shown)
    if as_json:
        print(json.dumps(result, allow_nan=False))


def page_width() -> int:
    """Columns of the terminal; COLUMNS of the environment overrides them, and a page has them elsewhere."""
    return max(LEAST_WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns)


def plain_console(stderr: bool, width: int | None = None) -> Console:
    """A console that prints text as it stands, as wide as its terminal if it is not said how wide."""
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False, soft_wrap=True)
