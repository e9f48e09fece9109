"""Prints what the tasks want, from their docstrings and specifications, as docs/specifications.md.

python docs/list_specs.py            # print the page
python docs/list_specs.py --write    # write docs/specifications.md
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from nram_env import Task, get_task, task_names

PAGE = Path(__file__).parent / "specifications.md"

_HEAD = """# What the tasks want

The ten of the paper come first, then [the further ones](further.md), whose names begin with `x-`. Each task
says once, in terms, which memories are legal and what its output cells hold at the end, in `Task.spec`. This
page is made from them by `docs/list_specs.py`; `nram tasks TASK` prints the same. A
proof speaks of these lines, for every M, every n and every memory. The oracles, which tests and figures
use, are written apart from them, and the test suite compares the two on small instances, all of them, and
on random ones.

`before[i]` is what cell i held at the start, `mem[i]` what it holds at the end; a range `a..b` contains
both ends and is empty where b < a. M is the memory size, and every cell holds one of 0..M - 1. Names
under `let` are parameters and sequences that belong to a memory; `given` is what makes a memory legal;
T(n) is the horizon of training; what parts of the memory are `called` are words for
readers. [A task of your own](tasks.md) says how to write one.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *(line for name in names() for line in _section(get_task(name)))])


def names() -> tuple[str, ...]:
    """The tasks that come with nram: the paper's ten, then the further ones."""
    return (*task_names()[:10], *task_names("NRAM-X"))


def _section(task: Task) -> Iterator[str]:
    assert task.spec is not None
    yield f"## {task.title}\n"
    yield f"{inspect.cleandoc(task.__doc__ or '')}\n"
    words = f"{task.spec.text()}\n{task.spec.parts_text()}"
    yield f"{textwrap.indent(words, '    ')}\n"


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    print(page(), end="")
