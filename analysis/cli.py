"""`nram`: one command, a thin shell over the three packages.

Only the module of the verb that was asked for is loaded, so that reading a program needs no torch.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import tyro
from rich.console import Console
from rich.table import Table

from nram_env.support import unknown_name

VERBS = {
    "demo": (
        "demo:Demo",
        "train the default agent on Copy, print its program, check it on larger memories",
    ),
    "tasks": ("tasks:Tasks", "list the tasks; show an instance, its memory and the wanted output"),
    "train": ("training:Train", "train a population on a task, or resume a run"),
    "eval": ("training:Eval", "soft and hard errors of a trained agent by size"),
    "extract": ("programs:Extract", "turn a trained agent into a program file"),
    "show": ("programs:Show", "print a program"),
    "run": ("programs:Run", "run a program on one input"),
    "trace": ("pictures:Trace", "print a run step by step, in the layout of the paper's tables"),
    "verify": ("programs:Verify", "check a program against its task on memories of any size"),
    "export": ("pictures:Export", "write a program as Python, as C or as a diagram"),
    "diff": ("programs:Diff", "compare two programs"),
    "plot": ("pictures:Plot", "draw a run: learning curves, errors, selectors, memory, hidden states"),
    "zoo": ("zoo:Zoo", "list the trained controllers that come with the package"),
    "reproduce": ("zoo:Reproduce", "train a controller of the zoo from nothing; make the table of results"),
    "bench": ("bench:Bench", "speed of the machine's backends and of training, as ratios"),
}
"""Every verb: where its dataclass is, below analysis.commands, and what it does."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Exit code 0 means that the verb did what it says, 1 that it ran and failed at that, 2 that it could
    not be run as asked, 130 that it was interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help"):
        _overview()
        return 0
    # Controllers and batches are small: one thread computes them fastest, many times so on a busy computer.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        verb = _load(words[0])
        return tyro.cli(
            verb,
            prog=f"nram {words[0]}",
            args=words[1:],
            description=inspect.cleandoc(verb.__doc__),
            config=(tyro.conf.FlagCreatePairsOff,),
        )()
    except BrokenPipeError:  # the reader of a pipe had enough, as in nram show demo | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError) as error:
        print(f"nram: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("nram: interrupted", file=sys.stderr)
        return 130


def _load(name: str) -> Any:
    if name not in VERBS:
        raise unknown_name("verb", name, VERBS)
    module, _, attribute = VERBS[name][0].partition(":")
    return getattr(import_module(f"analysis.commands.{module}"), attribute)


def _overview() -> None:
    table = Table(box=None, show_header=False, padding=(0, 2))
    for name, (_, summary) in VERBS.items():
        table.add_row(f"[bold]{name}[/bold]", summary)
    console = Console()
    console.print("nram: train Neural Random-Access Machines and read the programs that they learn\n")
    console.print(table)
    console.print("\nnram VERB --help explains a verb. A good start: nram demo")


if __name__ == "__main__":
    sys.exit(main())
