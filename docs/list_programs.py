"""Prints the shortened programs of the zoo with their explanations, as docs/readable.md.

python docs/list_programs.py                   # print the page
python docs/list_programs.py --write           # write docs/readable.md
python docs/list_programs.py --from FOLDER     # NAME.json and NAME.proof.zip of a folder instead
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from analysis.explanation.page import explanation
from analysis.printing.code import Code, as_code, short_code
from analysis.program.file import load_program
from analysis.program.program import Program
from analysis.proofs.evidence import load_evidence
from analysis.proofs.proof import Proof
from analysis.proofs.statement import smallest_size
from analysis.verification.steps import stops_after
from nram_env import Task, get_task

ROOT = Path(__file__).parent.parent
ZOO = ROOT / "agents" / "zoo"
PAGE = ROOT / "docs" / "readable.md"
WIDTH = 110

_HEAD = """# Programs that a person understands

The programs of the zoo's agents, shortened, with a sentence a line. This page is made by
`docs/list_programs.py`. Names and the lines behind `#` in a loop are said by the program's proof, words for
cells by the [specification](specifications.md) of its task. "Before" is the code of the program as it was
learned, simplified, less what did not happen on sampled runs. Timesteps are those of the network's machine
until it stops, passes those of the short form, as tested; `output` says how far it is known that the short
form has the wanted output.
"""


@dataclass(frozen=True)
class Entry:
    """A program of the zoo and its short form, with a proof where there is one."""

    name: str
    before: Program
    after: Program
    proof: Proof | None

    @cached_property
    def task(self) -> Task:
        """What both are for."""
        return get_task(self.name.removesuffix("-feedforward"))

    @cached_property
    def code(self) -> Code | None:
        """The program before as it is printed; None where it is no nested code."""
        return as_code(self.before, self.task)

    @property
    def output(self) -> str:
        """How far it is known that both have the same output, the wanted one."""
        return f"PROVED, M >= {smallest_size(self.proof.setting)}" if self.proof else "TESTED"


def entries(folder: Path = ZOO) -> list[Entry]:
    """All of the zoo that have a short form in a folder: in the zoo itself, or as NAME.json."""
    names = sorted(path.name for path in ZOO.iterdir() if (path / "program.json").is_file())
    files = {
        name: folder / name / "short.json" if folder == ZOO else folder / f"{name}.json" for name in names
    }
    return [_entry(name, file) for name, file in files.items() if file.is_file()]


def _entry(name: str, file: Path) -> Entry:
    evidence = file.with_suffix(".proof.zip")
    proof = load_evidence(evidence).proof if evidence.is_file() else None
    return Entry(name, load_program(ZOO / name / "program.json"), load_program(file), proof)


def page(folder: Path = ZOO) -> str:
    """The whole page."""
    found = entries(folder)
    return "\n".join([_HEAD, *_table(found), *(line for entry in found for line in _section(entry))])


def _table(found: list[Entry]) -> Iterator[str]:
    yield "| program | lines before | after | registers before | after | timesteps | passes | output |"
    yield "|---|---|---|---|---|---|---|---|"
    for entry in found:
        sizes = (
            len(entry.code.lines) if entry.code else f"{len(entry.before.edges)} blocks",
            len(short_code(entry.after)),
        )
        registers = (entry.before.num_registers, entry.after.num_registers)
        steps = (stops_after(entry.before), stops_after(entry.after), entry.output)
        yield f"| {entry.name} | {' | '.join(map(str, (*sizes, *registers, *steps)))} |"
    yield ""


def _section(entry: Entry) -> Iterator[str]:
    yield f"## {entry.name}\n"
    yield f"{entry.task.summary}\n"
    text = explanation(entry.after, entry.task, entry.proof, WIDTH) or ""
    head, _, lines = text.partition("\n\n")
    yield f"{head}\n"
    yield f"{textwrap.indent(lines, '    ')}\n"
    if entry.code:
        yield "Before:\n"
        yield "".join(f"    {line}\n" for line in entry.code.lines)


if __name__ == "__main__":
    chosen = Path(sys.argv[sys.argv.index("--from") + 1]) if "--from" in sys.argv else ZOO
    if "--write" in sys.argv:
        PAGE.write_text(page(chosen), encoding="utf-8")
    print(page(chosen), end="")
