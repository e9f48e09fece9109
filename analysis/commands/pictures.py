"""`nram trace | export | plot`: programs and runs as tables, files of other kinds, and pictures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import tyro

from analysis.commands.inputs import checked_steps, given_memory, instance, last_step
from analysis.commands.output import emit, say
from analysis.exporters import export
from analysis.extraction.resolve import Source, find_agent, find_program, find_source, output_folder
from analysis.printing.trace import trace, trace_latex, trace_text
from analysis.verification import stops_by_itself
from nram_env.support import write_atomically
from nram_env.tasks import Task, get_task


@dataclass(frozen=True)
class Trace:
    """Print a run of a program step by step, in the layout of the paper's tables.

    A row shows the machine before a timestep, and the timestep's READ and WRITE pointers. A marked cell was
    written by the timestep before.

    Examples:
        nram trace runs/demo --n 5 --seed 3
        nram trace program.json --memory 4 7 1 2 0 0 0 --latex
    """

    program: tyro.conf.Positional[str]
    """Program file, run folder, or zoo:TASK."""
    n: int = 5
    """Difficulty of the random instance that is run where no memory is given."""
    memory: tuple[int, ...] | None = None
    """The input: M integers in 0..M-1."""
    steps: int | None = None
    """T; default: until the program stops by itself, of one that does not the task's horizon."""
    latex: bool = False
    """Print a LaTeX tabular."""
    seed: int = 0
    """Seed of the instance."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Run and print; exit code 0 unless the program met an unseen situation."""
        source = find_source(self.program)
        memory = given_memory(self.memory) or instance(
            self._task(source, " to draw an input from; give --memory"), self.n, self.seed
        )
        steps = checked_steps(self.steps)
        if steps is None:
            self._task(source, ", so no horizon is known; give --steps").check_memory(memory)
        program = source.program(self.seed, say)
        if steps is None:
            task = self._task(source, "")
            steps = last_step(task, memory, stops_by_itself(program, task))
        table = trace(program, memory, steps)
        text = trace_latex(table) if self.latex else trace_text(table)
        emit({"task": program.task, "table": text, **_rows(asdict(table))}, text, self.json)
        say(f"ended by {table.outcome}")
        return 1 if table.outcome == "unseen" else 0

    def _task(self, source: Source, what_for: str) -> Task:
        task = source.known_task()
        if task is None:
            raise ValueError(f"program {self.program} names no task{what_for}")
        return task


def _rows(record: dict[str, Any]) -> dict[str, Any]:
    """A trace as JSON values."""
    for row in record["rows"]:
        row["written"] = sorted(row["written"])
        row["accesses"] = [{**access, "gate": access["gate"].label} for access in row["accesses"]]
    return record


@dataclass(frozen=True)
class Export:
    """Write a program as Python without imports, as C99, or as an SVG diagram.

    The Python file has run(memory, max_steps=None), which returns the memory at the end. A program that
    does not stop by itself needs max_steps, which its horizon(n) gives. The C file is a whole program; its
    first comment says how to use it.

    Examples:
        nram export runs/demo --to python
        nram export program.json --to svg --out copy.svg
    """

    program: tyro.conf.Positional[str]
    """Program file, run folder, or zoo:TASK."""
    to: Literal["python", "c", "svg"]
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
