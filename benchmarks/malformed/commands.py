"""Malformed calls of the command line: exit code 2, one short error, nothing printed, nothing written."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from agents.config import TrainConfig
from analysis.commands.cli import VERBS, main
from malformed.calls import Call, family
from malformed.junk import pick
from malformed.words import BELOW, GOOD, MEMORIES, NO_NUMBER, NO_WHOLE, PLACES, RANGES, TASKS

MOST_LINES = 40
"""Of tyro's box, which shows the help of the option in question."""

TITLE = re.compile(
    " (Unrecognized options|Value error|Missing argument|Required options|Invalid choice|Parsing error) *\n"
)
"""How tyro's box begins where it is drawn without lines."""

OPTIONS: dict[str, dict[str, str]] = {}
"""By verb, its options and their types in words, as the dataclass of the verb has them."""


def options(verb: str) -> dict[str, str]:
    """Options of a verb and the words of their types; positional arguments are left out."""
    if verb not in OPTIONS:
        from analysis.commands.cli import _load

        own = [f for f in fields(_load(verb)) if f.name not in ("config", "imports")]
        more = list(fields(TrainConfig)) if verb == "train" else []
        found = [f for f in own + more if "Positional" not in str(f.type)]
        OPTIONS[verb] = {"--" + f.name.replace("_", "-"): str(f.type) for f in found}
    return OPTIONS[verb]


def refused(words: Sequence[str]) -> Call:
    """A call of `nram` in a folder of its own that must be refused."""
    text = " ".join(word if len(word) < 60 else f"{word[:20]}...({len(word)})" for word in words)

    def fault() -> str:
        with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
            furnish(Path())
            before = snapshot(Path())
            out, err = io.StringIO(), io.StringIO()
            try:
                with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                    code = main(list(words))
            except BaseException as error:
                return f"raised {type(error).__name__}: {error}"
            if snapshot(Path()) != before:
                return f"changed the folder: {sorted(set(snapshot(Path())) ^ set(before))}"
        return judged(code, out.getvalue(), err.getvalue())

    return Call(f"nram {text!r}", fault)


def judged(code: int, out: str, err: str) -> str:
    """What is wrong with an answer; empty if nothing is."""
    lines = err.splitlines()
    if "took longer than" in err:  # the command line answers a TimeoutError, which is an OSError
        return err[-100:]
    if code != 2:
        return f"exit code {code}: {(out or err)[:200]}"
    if out:
        return f"printed {out[:100]!r}"
    errors = [line for line in lines if line.startswith("nram: error: ")]
    box = bool(TITLE.match(err)) and "----" in err and len(lines) <= MOST_LINES and not errors
    if not box and (len(errors) != 1 or lines[-1] != errors[0]):
        return f"said {err[:300]!r}"
    if len(errors) == 1 and len(errors[0]) > 1000:
        return f"said {len(errors[0])} characters: {err[:100]}"
    return "a traceback" if "Traceback" in err else ""


def furnish(place: Path) -> None:
    """Files that are no programs and no agents."""
    (place / "folder").mkdir()
    (place / "folder" / "thesis.txt").write_text("mine")
    (place / "text.txt").write_text("mine")
    (place / "empty.json").write_text("")
    (place / "list.json").write_text("[1, 2]")
    (place / "program.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}      ")
    os.mkfifo(place / "fifo")


def snapshot(place: Path) -> dict[str, Any]:
    """Every file below a folder with its size."""
    return {str(path): (path.is_dir(), path.lstat().st_size) for path in sorted(place.rglob("*"))}


@family("command: verb")
def _verb(rng: np.random.Generator) -> Call:
    verb = pick(rng, list(VERBS))
    odd = [
        verb + "s",
        verb.upper(),
        verb[1:],
        "-x",
        "--",
        "--verbose",
        "--helpp",
        "é",
        "\x00",
        "a\nb",
        "--version=1",
    ]
    first = pick(rng, odd)
    if first in VERBS:
        first += "x"
    return refused([first, *GOOD[verb]])


@family("command: option")
def _option(rng: np.random.Generator) -> Call:
    verb = pick(rng, list(GOOD))
    name = pick(rng, list(options(verb)))
    odd = [
        name + "s",
        name.upper(),
        "-" + name,
        name[1:],
        "--no" + name[1:],
        "--tyro-print-completion",
        "-q",
        "--é",
    ]
    flag = pick(rng, [word for word in odd if word not in options(verb)])
    return refused([verb, *GOOD[verb], flag, pick(rng, ["3", "x", "", "copy"])])


@family("command: type of a value")
def _type(rng: np.random.Generator) -> Call:
    verb = pick(rng, list(GOOD))
    typed = {
        name: NO_WHOLE
        if "int" in kind
        else NO_NUMBER
        if "float" in kind or "Range" in kind
        else ["", "x", "\x00"]
        for name, kind in options(verb).items()
        if "int" in kind or "float" in kind or "Range" in kind or "Literal" in kind
    }
    if not typed:
        return refused([verb, *GOOD[verb], "--json", "x", "y"])
    name = pick(rng, list(typed))
    value = pick(rng, [v for v in typed[name] if not (v == "None" and "None" in options(verb)[name])])
    joined = rng.random() < 0.3
    return refused([verb, *GOOD[verb], *([f"{name}={value}"] if joined else [name, value])])


@family("command: missing or surplus words")
def _count(rng: np.random.Generator) -> Call:
    verb = pick(rng, list(GOOD))
    kind = rng.random()
    takes = [name for name, words in options(verb).items() if words != "bool" and "tuple" not in words]
    if kind < 0.4 and takes:
        return refused([verb, *GOOD[verb], pick(rng, takes)])
    needed = {"eval", "extract", "show", "run", "trace", "verify", "export", "diff", "plot"}
    if kind < 0.6 and verb in needed:
        return refused([verb, *GOOD[verb][1:]])
    return refused([verb, *GOOD[verb], *(pick(rng, [*TASKS, "x"]) or "x" for _ in range(rng.integers(1, 4)))])


@family("command: range of a value")
def _range(rng: np.random.Generator) -> Call:
    verb = pick(rng, [verb for verb, table in RANGES.items() if table])
    name = pick(rng, list(RANGES[verb]))
    return refused([verb, *GOOD[verb], name, pick(rng, RANGES[verb][name])])


@family("command: name of a program, a run or a task")
def _place(rng: np.random.Generator) -> Call:
    verb = pick(
        rng, ["eval", "extract", "show", "run", "trace", "verify", "export", "diff", "plot", "tasks", "train"]
    )
    if verb in ("tasks", "train"):
        return refused([verb, pick(rng, TASKS[1:])])
    words = list(GOOD[verb])
    words[int(rng.integers(2)) if verb == "diff" else 0] = pick(rng, PLACES)
    return refused([verb, *words])


@family("command: memory")
def _memory(rng: np.random.Generator) -> Call:
    return refused([pick(rng, ["run", "trace"]), "zoo:copy", "--memory", *pick(rng, MEMORIES)])


@family("command: import")
def _import(rng: np.random.Generator) -> Call:
    verb = pick(rng, list(GOOD))
    source = pick(
        rng,
        ["", "nowhere.py", "no_such_module", "text.txt", "folder", "fifo", "\x00", "a b", "..", "os.nothing"],
    )
    return refused([verb, *GOOD[verb], "--import", source])


@family("command: reproduce")
def _reproduce(rng: np.random.Generator) -> Call:
    odd = [
        [],
        ["copi"],
        ["--table", "--entries", "copi"],
        ["--programs", "--entries", "copi"],
        ["--table", "--entries", "copy", "--examples", pick(rng, BELOW)],
        ["--table", "--entries", "copy", "--far-examples", pick(rng, BELOW)],
        ["--table", "--entries", "copy", "--out", pick(rng, ["/dev/null/x", "folder", ""])],
        ["copy", "--table"],
        ["--table", "--programs", "--entries", "copi"],
    ]
    return refused(["reproduce", *odd[int(rng.integers(len(odd)))]])


@family("command: completion and version")
def _global(rng: np.random.Generator) -> Call:
    odd = [["--completion"], ["--completion", "tcsh"], ["--completion", "bash", "x"], ["--completion", ""]]
    odd += [["--version", "x"], ["--help", "x"], ["--json"], [""], ["--import", "x"]]
    return refused(odd[int(rng.integers(len(odd)))])
