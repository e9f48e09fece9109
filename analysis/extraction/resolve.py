"""What a program is called by: a file, a run folder, or zoo:TASK."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents import zoo
from analysis.extraction.pipeline import Report, extract
from analysis.program.file import load_program
from analysis.program.program import Program
from analysis.rewriting.search import SHORTENED
from analysis.simplification.canonical import canonical_hash
from nram_env.tasks import Task, get_task

PROGRAM_FILE = "program.json"
"""Name of the program in a run folder."""

SHORT_FILE = "short.json"
"""Name of the shortened program beside it."""

ZOO_PREFIX = "zoo:"
_AGENT_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Source:
    """A program, or an agent whose program is still to be extracted.

    Attributes:
        content: An `analysis.program.program.Program` or an `agents.checkpoint.Agent`.
    """

    content: Any

    @property
    def task(self) -> str | None:
        """Name of the program's task, if it has one; known before any extraction."""
        return self.content.task

    def known_task(self) -> Task | None:
        """The task that it names, or None if it names none.

        Raises:
            UnknownTaskError: It is not known here; the message says what has to be imported.
        """
        imports = self.content.imports if isinstance(self.content, Program) else ()
        return None if self.task is None else get_task(self.task, imports)

    def program(self, seed: int = 0, progress: Report | None = None) -> Program:
        """The program; its extraction, where it needs one, takes long.

        Args:
            seed: Seed of the extraction.
            progress: As in `pipeline.extract`.
        """
        if isinstance(self.content, Program):
            return self.content
        return extract(self.content, seed=seed, progress=progress)


def find_source(name: str) -> Source:
    """What the program of a name is made from.

    Args:
        name: A program file, an agent's file, zoo:TASK, or a run folder: its program.json, or else its agent.

    Raises:
        ValueError: There is no such place, it holds no program and no agent, or the file is no program.
        OSError: A file cannot be read.
    """
    place = find_place(name)
    file = place / PROGRAM_FILE if place.is_dir() else place
    if file.suffix != _AGENT_SUFFIX and file.is_file():
        return Source(load_program(file))
    return Source(find_agent(name))


def find_program(name: str, *, seed: int = 0, progress: Report | None = None) -> Program:
    """The program that a name stands for, extracted now where there is only an agent; as in `find_source`.

    Example:
        >>> from analysis import find_program
        >>> find_program("zoo:copy").task
        'copy'
    """
    return find_source(name).program(seed, progress)


def find_short(name: str, program: Program) -> tuple[Program, Path] | None:
    """The shortened form of a program that lies beside it, and its file; None if there is none of this one.

    Args:
        name: What the program is called by.
        program: The program.

    Raises:
        ValueError: The file is no program.
    """
    place = find_place(name)
    file = (place if place.is_dir() else place.parent) / SHORT_FILE
    if place == file or not file.is_file():
        return None
    short = load_program(file)
    return (short, file) if short.origin.get(SHORTENED) == canonical_hash(program) else None


def program_file(name: str) -> Path:
    """Where the program of a name is, or would be written.

    Raises:
        ValueError: It does not exist.
    """
    place = find_place(name)
    is_file = not name.startswith(ZOO_PREFIX) and place.is_file()
    return place if is_file else output_folder(name) / PROGRAM_FILE


def find_agent(name: str) -> Any:
    """The trained agent that a name stands for.

    Raises:
        ValueError: There is no agent, or its file is damaged.
    """
    from agents.checkpoint import load_agent

    return load_agent(find_place(name))


def find_place(name: str) -> Path:
    """The file or folder that a name stands for.

    Raises:
        ValueError: It does not exist.
    """
    if name.startswith(ZOO_PREFIX):
        entry, _, file = name.removeprefix(ZOO_PREFIX).partition("/")
        found = zoo.find_entry(entry).place
        return found / SHORT_FILE if file == SHORT_FILE and (found / SHORT_FILE).is_file() else found
    place = Path(name)
    if not place.exists():
        raise ValueError(f"there is no {place}; a program is a file, a run folder, or {ZOO_PREFIX}TASK")
    return place


def output_folder(name: str) -> Path:
    """Where files made from what a name stands for belong: beside it, or for zoo:TASK in ./zoo-TASK.

    Raises:
        ValueError: It does not exist.
    """
    place = find_place(name)
    if name.startswith(ZOO_PREFIX):
        return Path(f"zoo-{place.parent.name if place.is_file() else place.name}")
    return place if place.is_dir() else place.parent
