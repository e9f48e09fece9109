"""`--import FILE_OR_MODULE`, the flag of every verb: tasks of one's own become known for this process."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import field, make_dataclass
from typing import Annotated, Any

import tyro

_FLAG = "--import"

_Imports = Annotated[
    tuple[str, ...],
    tyro.conf.arg(
        name=_FLAG.removeprefix("--"),
        metavar="FILE_OR_MODULE",
        help="Import this Python file or module first: it registers tasks of your own.",
    ),
    tyro.conf.UseAppendAction,
]


def with_imports(verb: Any) -> Any:
    """The dataclass of a verb with the flag behind its own fields, for its help and for tyro to accept."""
    flag = ("imports", _Imports, field(default=(), kw_only=True))
    named = {"__doc__": verb.__doc__}
    return make_dataclass(verb.__name__, [flag], bases=(verb,), namespace=named, frozen=True)


def do_imports(words: Sequence[str]) -> None:
    """Import what the flag names, before tyro reads the other words: some are names of tasks.

    Raises:
        ValueError: There is no such file or module, or its import fails.
    """
    for source in _sources(words):
        from nram_env.tasks import import_tasks  # not needed by a call without the flag

        with redirect_stdout(sys.stderr):  # which belongs to the result of the verb
            import_tasks(source)


def _sources(words: Sequence[str]) -> Iterator[str]:
    for number, word in enumerate(words):
        if word == _FLAG:
            yield from words[number + 1 : number + 2]
        elif word.startswith(f"{_FLAG}="):
            yield word.removeprefix(f"{_FLAG}=")
