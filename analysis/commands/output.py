"""Where the words of a verb go: results to standard output, all else where it is in nobody's way."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console, RenderableType


def say(text: str) -> None:
    """A line about what is going on, on standard error."""
    print(text, file=sys.stderr, flush=True)


def command(*words: object, task: str = "copy") -> str:
    """A call of `nram` as one types it, every word quoted where the shell needs it.

    Args:
        words: The verb and what follows it.
        task: The task that the call needs to know; what registers it is imported if it is not nram's own.

    Example:
        >>> command("eval", "my runs/copy")
        "nram eval 'my runs/copy'"
    """
    from nram_env.tasks import task_imports

    imports = [word for source in task_imports(task) for word in ("--import", source)]
    return shlex.join(["nram", *map(str, words), *imports])


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
        plain_console(stderr=as_json).print(shown)
    if as_json:
        print(json.dumps(result, allow_nan=False))


def plain_console(stderr: bool) -> Console:
    """A console that prints text as it stands."""
    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)
