"""MkDocs calls this: it adds pages that are made from the code, and mends links to the repository's files.

A page may have `<!-- README.md: HEADING -->` on a line, where that section of the README is then put.
"""

from __future__ import annotations

import re
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from analysis.pages.report import report_page
from analysis.pages.subject import find_subject
from docs import list_specs
from docs.list_api import FACES
from docs.list_programs import entries
from docs.run_tutorials import TUTORIALS, executed
from docs.site.film import film
from docs.site.links import in_site
from docs.site.machine_pictures import machine_pictures
from docs.site.memory_picture import memory_picture
from docs.site.notebook_page import notebook_page
from docs.site.reference_pages import command_line, examples, linked, recipes, reference
from docs.site.task_page import task_page
from nram_env import get_task

ROOT = Path(__file__).parents[2]

REPORTS = ("copy", "listsearch")
"""Entries of the zoo whose report is in the site; docs/report.md leads there."""

_INCLUDED = re.compile(r"^<!-- README\.md: (.+) -->$", re.MULTILINE)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Take the addresses from pyproject.toml, where there are any."""
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"].get("urls", {})
    config.site_url, config.repo_url = urls.get("Documentation", ""), urls.get("Source", "")
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is made from the code."""
    made = {**_texts(), **_tasks(), **_reports(), **_tutorials(), **machine_pictures()}
    for path, content in made.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Put in sections of the README, and turn links into those of the site."""
    if page.file.generated_by is not None:
        return markdown
    if page.file.src_uri == "api.md":
        return linked(markdown)
    return _INCLUDED.sub(lambda found: in_site(_section(found[1]), ""), in_site(markdown, "docs"))


def _texts() -> dict[str, str | bytes]:
    top = {name: _read(f"{name.upper()}.md") for name in ("contributing", "changelog")}
    return {
        **{f"{name}.md": in_site(text, "") for name, text in top.items()},
        **{f"reference/{face}.md": reference(face) for face in FACES},
        "command-line.md": command_line(),
        "recipes.md": recipes(),
        "examples.md": examples(),
    }


def _tasks() -> dict[str, str | bytes]:
    """The page of every task, and its pictures."""
    programs, pages = {entry.name: entry for entry in entries()}, {}
    for name in list_specs.names():
        pages[f"environments/{name}.md"] = task_page(get_task(name), programs.get(name))
        pages[f"environments/{name}.svg"] = memory_picture(get_task(name))
        if name in programs:
            pages[f"environments/{name}.gif"] = film(name)
    return pages


def _reports() -> dict[str, str | bytes]:
    """What `nram report` writes of some controllers of the zoo, for a reader to try."""
    return {f"reports/{name}.html": report_page(find_subject(f"zoo:{name}")) for name in REPORTS}


def _tutorials() -> dict[str, str | bytes]:
    """The tutorials, with the outputs of a run that is made now."""
    pages: dict[str, str | bytes] = {}
    for name in TUTORIALS:
        with tempfile.TemporaryDirectory() as empty:
            made = notebook_page(name, executed(name, Path(empty)))
        pages |= {f"tutorials/{file}": content for file, content in made.items()}
    return pages


def _section(heading: str) -> str:
    """A section of the README, without its heading."""
    _, found, rest = _read("README.md").partition(f"\n## {heading}\n")
    if not found:
        raise ValueError(f"README.md has no section {heading!r}")
    return rest.partition("\n## ")[0]


def _read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")
