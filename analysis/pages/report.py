"""A report: everything that is known of a program as one HTML file, which needs nothing but a browser."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path

from analysis.pages.claims import claims_section, headline
from analysis.pages.code import code_section, diagrams_section
from analysis.pages.examples import stepper_code, stepper_data
from analysis.pages.learning import hardening_section, learning_section
from analysis.pages.markup import data_block
from analysis.pages.stepper import stepper_section
from analysis.pages.subject import Progress, Subject, find_subject
from analysis.pictures.svg import arrow_head
from analysis.simplification.canonical import canonical_hash
from nram_env import __version__
from nram_env.markup import Markup, tag
from nram_env.support import write_atomically

_SCRIPTS = ("recorder.js", "legality.js", "cells.js", "panels.js", "stepper.js")
"""In the order in which they stand in the page."""

_SECTIONS: tuple[tuple[str, str, Callable[[Subject], Markup]], ...] = (
    ("claims", "What is claimed", claims_section),
    ("code", "The program", code_section),
    ("steps", "Step by step", stepper_section),
    ("diagrams", "States and circuits", diagrams_section),
    ("hardening", "Soft to hard", hardening_section),
    ("learning", "How it was learned", learning_section),
)
"""What a page has, by identifier, with what its contents call it."""


def write_report(name: str, out: str | Path, seed: int = 0, progress: Progress = lambda said: None) -> Path:
    """Write all that is known of a program as one HTML file: it needs no network, and reads without scripts.

    Args:
        name: Program file, run folder, agent's file, or zoo:TASK.
        out: Where it goes.
        seed: Seed of the extraction, where there is an agent but no program yet.
        progress: Told what is being done; evidence of proofs is put to a solver, which may take a minute.

    Returns:
        The file.

    Raises:
        ValueError: There is no such program, or a file of it is damaged.
        OSError: The file cannot be written.

    Example:
        >>> import tempfile
        >>> from analysis import write_report
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     page = write_report("zoo:access", f"{folder}/access.html").read_text(encoding="utf-8")
        >>> page.count("PROVED") > 0, "://" in page
        (True, False)
    """
    write_atomically(out, report_page(find_subject(name, seed, progress), progress))
    return Path(out)


def report_page(subject: Subject, progress: Progress = lambda said: None) -> str:
    """The whole page.

    Args:
        subject: What it is about.
        progress: Told what is being done.
    """
    parts = []
    for _, heading, make in _SECTIONS:
        progress(f"writing: {heading.lower()}")
        parts.append(make(subject))
    script, style = _script(subject), _asset("page.css")
    main = tag("main", _header(subject), _contents(), *parts, _footer())
    head = tag("head", *_head(subject, script, style))
    body = tag("body", Markup(arrow_head()), main, *_scripts(subject, script))
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _head(subject: Subject, script: str, style: str) -> Iterator[Markup]:
    yield tag("meta", charset="utf-8")
    allowed = f"script-src {_hashed(script)}; style-src {_hashed(style)}"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    yield tag("meta", http_equiv="Content-Security-Policy", content=policy)
    yield tag("meta", name_="viewport", content="width=device-width, initial-scale=1")
    yield tag("meta", name_="color-scheme", content="light dark")
    yield tag("title", f"{subject.long.program.name}: a program that a network learned")
    yield tag("style", Markup(style))


def _scripts(subject: Subject, script: str) -> Iterator[Markup]:
    yield data_block("report-data", stepper_data(subject))
    yield Markup(f"<script>{script}</script>")


def _script(subject: Subject) -> str:
    """The page's own script around the code of the program.

    What comes from the program is code that was made from it; no text of it, so nothing can end the element.
    """
    code = stepper_code(subject.long.program)
    names = "{ HALTS, SMALLEST_SIZE, mostSteps, steps, checked }"
    program = (
        "const program = null;"
        if code is None
        else f"const program = (() => {{\n{code}\nreturn {names};\n}})();"
    )
    return '"use strict";\n(() => {\n' + "\n".join([program, *map(_asset, _SCRIPTS)]) + "})();\n"


def _hashed(text: str) -> str:
    """What a content security policy calls an inline text by."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _asset(name: str) -> str:
    return files("analysis.pages").joinpath("assets", name).read_text(encoding="utf-8")


def _header(subject: Subject) -> Markup:
    program, task = subject.long.program, subject.task
    about = task.summary if task is not None else "It names no task that is known here."
    kind = (
        "a neural network learned this program from input-output examples" if program.origin else "a program"
    )
    what = f"Neural Random-Access Machine: {kind}; hash {canonical_hash(program)}."
    return tag(
        "header",
        tag("h1", f"Program {program.name}"),
        tag("p", headline(subject)),
        tag("p", about),
        tag("p", what),
    )


def _contents() -> Markup:
    links = (tag("a", heading, href=f"#{identifier}") for identifier, heading, _ in _SECTIONS)
    return tag("nav", *links, aria_label="contents")


def _footer() -> Markup:
    arithmetic = "Arithmetic is modulo M, the memory size; min, max and comparisons are on 0..M-1."
    return tag("footer", tag("p", f"Made by nram {__version__}. {arithmetic}"))
