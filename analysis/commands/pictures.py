"""`nram export | plot | report`: programs as files of other kinds, runs as pictures, both as a web page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from analysis.commands.inputs import instance
from analysis.commands.output import emit, say
from analysis.exporters import export
from analysis.extraction.resolve import find_agent, find_program, find_source, output_folder
from nram_env.support import write_atomically
from nram_env.tasks import get_task


@dataclass(frozen=True)
class Export:
    """Write a program as Python or JavaScript without imports, as C99, or as an SVG diagram.

    The Python file has run(memory), loops and branches, which returns the memory at the end, where the
    program stops by itself and its states nest; otherwise run(memory, max_steps=None), a machine of states.
    A program that does not stop by itself needs max_steps, which its horizon(n) gives. The C file is
    a whole program; its first comment says how to use it. The JavaScript module has run(memory) and
    steps(memory, maxSteps), its timesteps one by one.

    Examples:
        nram export runs/demo --to python
        nram export program.json --to svg --out copy.svg
    """

    program: tyro.conf.Positional[str]
    """Program file, run folder, or zoo:TASK."""
    to: Literal["python", "c", "javascript", "svg"]
    """Kind of file."""
    out: Path | None = None
    """Where it goes; default: standard output."""
    seed: int = 0
    """Seed of the extraction, where the folder holds an agent but no program yet."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Write or print it; exit code 0 once that is done."""
        program = find_program(self.program, seed=self.seed, progress=say)
        text = export(program, self.to)
        result = {"to": self.to, "characters": len(text), "program": program.name}
        if self.out is None:
            emit({**result, "text": text}, text, self.json)
        else:
            write_atomically(self.out, text)
            emit({**result, "file": str(self.out)}, f"wrote {self.out} ({len(text):,} characters)", self.json)
        return 0


@dataclass(frozen=True)
class Plot:
    """Draw a run: learning curves, errors against n and T, selectors and memory over time, hidden states.

    Writes PNG files into the folder plots of the run. Takes well under a minute, plus the extraction of the
    program where the folder holds none yet.

    Example:
        nram plot runs/demo
    """

    run: tyro.conf.Positional[str]
    """Run folder."""
    n: int = 5
    """Difficulty of the example that is shown over time."""
    seed: int = 0
    """Seed of all examples."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Draw; exit code 0 once all pictures that the run allows are written."""
        folder, agent, source = output_folder(self.run), find_agent(self.run), find_source(self.run)
        instance(get_task(agent.task), self.n, self.seed)  # or else it is rejected before the work
        from analysis.pictures.gallery import draw_run  # takes seconds

        program = source.program(self.seed, say)
        written, left_out = draw_run(folder, agent, program, n=self.n, seed=self.seed, progress=say)
        lines = [str(path) for path in written] + [f"no {name}: {why}" for name, why in left_out.items()]
        emit(
            {"task": program.task, "pictures": [str(path) for path in written], "left_out": left_out},
            "\n".join(lines),
            self.json,
        )
        return 0


@dataclass(frozen=True)
class Report:
    """Write all that is known of a program as one HTML file, which opens in any browser and needs no network.

    What is claimed, each claim with its badge and the statement behind it; the code explained line by line;
    a stepper for its runs, soft and hard side by side where the network is at hand, and for inputs of your
    own; circuits; what hardening did; how it was learned. It reads without scripts as well. The evidence of
    proofs is put to a solver, which may take a minute.

    Examples:
        nram report zoo:copy --out copy.html
        nram report runs/demo
    """

    program: tyro.conf.Positional[str]
    """Program file, run folder, or zoo:TASK."""
    out: Path | None = None
    """Where it goes; default: report.html beside the program, for zoo:TASK in ./zoo-TASK."""
    seed: int = 0
    """Seed of the extraction, where the folder holds an agent but no program yet."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Write it; exit code 0 once that is done."""
        from analysis.pages.report import write_report

        out = self.out or output_folder(self.program) / "report.html"
        size = write_report(self.program, out, self.seed, say).stat().st_size
        emit(
            {"file": str(out), "bytes": size},
            f"wrote {out} ({size:,} bytes); open it in a browser",
            self.json,
        )
        return 0
