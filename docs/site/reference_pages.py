"""Pages of reference: every verb's help, every public name, every recipe, every example."""

from __future__ import annotations

import contextlib
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from agents import zoo
from analysis.commands.cli import VERBS, main
from docs.list_api import public

ROOT = Path(__file__).parents[2]
COLUMNS = 100

_RECIPES = """# Recipes

What `nram reproduce NAME` and `nram train TASK` follow: the settings that differ from the defaults of
`TrainConfig`, when training stops, and what came out when the recipe was followed.
"""


def command_line() -> str:
    """What `nram VERB --help` prints, of every verb."""
    parts = ["# Command line\n", "What `nram VERB --help` prints.\n"]
    for verb, (_, summary) in VERBS.items():
        parts.append(f"## nram {verb} {{ #{verb} }}\n\n{summary[0].upper()}{summary[1:]}.\n")
        parts.append(f"```text\n{_help(verb)}\n```\n")
    return "\n".join(parts)


def _help(verb: str) -> str:
    text = io.StringIO()
    with mock.patch.dict(os.environ, {"COLUMNS": str(COLUMNS)}), contextlib.redirect_stdout(text):
        if main([verb, "--help"]):
            raise ValueError(f"nram {verb} --help failed")
    return "\n".join(line.rstrip() for line in text.getvalue().strip("\n").splitlines())


def reference(face: str) -> str:
    """A public package's names with their docstrings, which mkdocstrings puts in."""
    names = "\n".join(f"::: {face}.{name}\n" for name, _ in public(face))
    return f"# {face}\n\n[All names at a glance](../api.md#{face})\n\n{names}"


def linked(names: str) -> str:
    """The page of all names, docs/api.md, with each name a link to its docstring."""
    parts = re.split(r"^## (\w+)$", names, flags=re.MULTILINE)
    for face, place in zip(parts[1::2], range(2, len(parts), 2), strict=True):
        parts[place - 1] = f"## {face}"
        parts[place] = re.sub(
            r"^\| (`(\w+).*?`)", rf"| [\1](reference/{face}.md#{face}.\2)", parts[place], flags=re.MULTILINE
        )
    return "".join(parts)


def recipes() -> str:
    """How every controller of the zoo was trained."""
    return "\n".join([_RECIPES, *(line for name in zoo.recipes() for line in _recipe(name))])


def _recipe(name: str) -> Iterator[str]:
    recipe = zoo.find_recipe(name)
    yield f"## {name}\n\n```bash\nnram reproduce {name}\n```\n\n| setting | value |\n| --- | --- |"
    for setting, value in recipe.settings.items():
        yield f"| {setting} | `{value}` |"
    limits = {limit: value for limit, value in vars(recipe.budget).items() if value is not None}
    yield f"| stops after | {', '.join(f'{value:g} {limit}' for limit, value in limits.items())} |"
    for kind, record in recipe.records.items():
        yield (
            f"| {kind} | {record['date']}: {record['solved']} of {record['members']} members solved after "
            f"{record['updates']:,} updates, {record['minutes']:g} minutes{zoo.where(record)} |"
        )
    yield ""


def examples() -> str:
    """The files of the folder examples."""
    parts = ["# Examples\n\nWhat lies in the folder `examples` of the repository.\n"]
    for path in sorted((ROOT / "examples").iterdir()):
        if path.is_file():
            language = {".py": "python", ".json": "json"}[path.suffix]
            code = path.read_text(encoding="utf-8").rstrip()
            parts.append(f"## {path.name} {{ #{path.name} }}\n\n```{language}\n{code}\n```\n")
    return "\n".join(parts)
