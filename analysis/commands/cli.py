"""`nram`: one command, a thin shell over the three packages.

Only the standard library is imported before `main` is at work, so that Ctrl-C is answered alike at any
moment; then only the module of the verb that was asked for, so that reading a program needs no torch.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

VERBS = {
    "demo": (
        "demo:Demo",
        "train the default agent on Copy, print its program, check it on larger memories",
    ),
    "tasks": ("tasks:Tasks", "list the tasks; show an instance, its memory and the wanted output"),
    "play": ("play:Play", "drive the machine by hand, in the terminal: learn what it can do"),
    "train": ("training:Train", "train a population on a task, or resume a run"),
    "search": ("search:Search", "train many runs, here or on a cluster, and count what comes out"),
    "eval": ("training:Eval", "soft and hard errors of a trained agent by size"),
    "extract": ("programs:Extract", "turn a trained agent into a program file"),
    "show": ("programs:Show", "print a program"),
    "shorten": ("shorten:Shorten", "rewrite a program in a few lines, and prove it anew"),
    "run": ("running:Run", "run a program on one input"),
    "trace": ("running:Trace", "print a run step by step, in the layout of the paper's tables"),
    "verify": ("programs:Verify", "check a program against its task on memories of any size"),
    "prove": ("proofs:Prove", "prove a program right on every legal memory of every size"),
    "recheck": ("proofs:Recheck", "check the evidence of a proof again, by two solvers"),
    "sweep": ("sweep:Sweep", "run programs at every slack of M and count what is wrong"),
    "export": ("pictures:Export", "write a program as Python, as C or as a diagram"),
    "diff": ("programs:Diff", "compare two programs"),
    "plot": ("pictures:Plot", "draw a run: learning curves, errors, selectors, memory, hidden states"),
    "report": ("pictures:Report", "write all that is known of a program as one web page, with a stepper"),
    "zoo": ("zoo:Zoo", "list the trained controllers that come with the package"),
    "reproduce": ("zoo:Reproduce", "train a controller of the zoo from nothing; make the table of results"),
    "bench": ("bench:Bench", "speed of the machine's backends and of training, as ratios"),
}
"""Every verb: where its dataclass is, below analysis.commands, and what it does."""


SHELLS = ("bash", "zsh", "fish")
"""Shells that `nram --completion` knows."""

_LONGEST = 800
"""Characters of an error."""

_OUT_OF_MEMORY = re.compile(
    "can't allocate memory|(out of|not enough) memory|bad_alloc|can't start new thread", re.IGNORECASE
)
"""How torch says it; it raises RuntimeError."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Exit code 0 means that the verb did what it says, 1 that it ran and failed at that, 2 that it could
    not be run as asked, 130 that it was interrupted.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            return _run(list(sys.argv[1:] if arguments is None else arguments))
    except SystemExit as stop:  # the parser has said all that there is to say
        return int(stop.code or 0)
    except BrokenPipeError:  # the reader of a pipe had enough, as in nram show demo | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("nram: interrupted", file=sys.stderr)
        return 130
    except Exception as error:
        if (message := _explanation(error)) is None:
            raise
        print(f"nram: error: {message}", file=sys.stderr)
        return 2


def _warn(message: Warning | str, *where: Any, **more: Any) -> None:
    print(f"nram: warning: {message}", file=sys.stderr)


def _explanation(error: Exception) -> str | None:
    """An error of the call or of the computer on one line; None for one of this program."""
    if isinstance(error, RecursionError):
        return "what was given is nested too deeply"
    if isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError) and _OUT_OF_MEMORY.search(str(error))
    ):
        return "there is not enough memory for this"
    if isinstance(error, OverflowError):
        return f"a number is too large: {_one_line(str(error))}"
    return _one_line(str(error)) if isinstance(error, ValueError | OSError) else None


def _one_line(text: str) -> str:
    """A text without control characters, and without its middle if it is very long."""
    plain = re.sub(r"[\0-\x1f\x7f-\x9f]", lambda control: ascii(control[0])[1:-1], text)
    return plain if len(plain) <= _LONGEST else f"{plain[: _LONGEST // 2]} ... {plain[-_LONGEST // 4 :]}"


def _run(words: list[str]) -> int:
    # Controllers and batches are small: one thread computes them fastest, many times so on a busy computer.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if words and words[0] in ("-h", "--help"):
        words = [*words[1:], words[0]] if words[1:] else []
    if not words:
        return _overview()
    if words[0] == "--version":
        return _version(words[1:])
    if words[0] == "--completion":
        return _completion(words[1:])
    return _call(words[0], words[1:])


def _call(name: str, words: list[str]) -> int:
    import tyro

    from analysis.commands.imports import do_imports

    verb = _load(name)
    do_imports(words)
    if own := [word for word in words if word.startswith("--tyro-")]:
        raise ValueError(f"unknown option {own[0]}; nram {name} --help lists those that there are")
    defaults = {"default": verb.defaults(words)} if hasattr(verb, "defaults") else {}
    one_word = () if defaults else (tyro.conf.FlagCreatePairsOff,)  # --x and --no-x where the default varies
    call = tyro.cli(
        verb,
        prog=f"nram {name}",
        args=words,
        description=inspect.cleandoc(verb.__doc__),
        config=one_word,
        **defaults,
    )
    return call()


def _load(name: str) -> Any:
    """The dataclass of a verb, with the flag that all have."""
    from analysis.commands.imports import with_imports
    from nram_env.support import unknown_name

    if name not in VERBS:
        raise unknown_name("verb", name, VERBS)
    module, _, attribute = VERBS[name][0].partition(":")
    return with_imports(getattr(import_module(f"analysis.commands.{module}"), attribute))


def _overview() -> int:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, padding=(0, 2))
    for name, (_, summary) in VERBS.items():
        table.add_row(f"[bold]{name}[/bold]", summary)
    console = Console()
    console.print("nram: train Neural Random-Access Machines and read the programs that they learn\n")
    console.print(table)
    console.print("\nnram VERB --help explains a verb. A good start: nram demo")
    console.print(f"nram --completion {'|'.join(SHELLS)} prints what completes its words; nram --version")
    return 0


def _version(words: list[str]) -> int:
    from nram_env import __version__

    if words:
        raise ValueError(f"--version takes nothing; got {' '.join(words)}")
    print(f"nram {__version__}")
    return 0


def _completion(words: list[str]) -> int:
    """Print a script that makes a shell complete verbs, options and choices."""
    if len(words) != 1 or words[0] not in SHELLS:
        raise ValueError(f"--completion takes one of {', '.join(SHELLS)}; got {' '.join(words) or 'nothing'}")
    import tyro

    return tyro.extras.subcommand_cli_from_dict(  # prints and exits
        {name: _load(name) for name in VERBS},
        prog="nram",
        args=["--tyro-write-completion", words[0], "-"],
        config=(tyro.conf.FlagCreatePairsOff,),
    )


if __name__ == "__main__":
    sys.exit(main())
