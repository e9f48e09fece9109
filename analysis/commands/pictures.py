"""`nram trace | export | plot`: programs and runs as tables, files of other kinds, and pictures."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro

from analysis.commands.output import emit, say
from analysis.export import EXPORTS
from analysis.program import Program
from analysis.resolve import find_agent, find_program, output_folder
from analysis.trace import trace, trace_latex, trace_text
from nram_env.support import write_atomically
from nram_env.tasks import get_task


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
    memory: tuple[int, ...] = ()
    """The input: M integers in 0..M-1."""
    steps: int | None = None
    """T; default: the task's horizon."""
    latex: bool = False
    """Print a LaTeX tabular."""
    seed: int = 0
    """Seed of the instance."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Run and print; exit code 0 unless the program met an unseen situation."""
        program = find_program(self.program, seed=self.seed, progress=say)
        memory = self.memory or self._instance(program)
        table = trace(program, memory, self._horizon(program, memory))
        text = trace_latex(table) if self.latex else trace_text(table)
        emit({"task": program.task, "table": text, **_rows(asdict(table))}, text, self.json)
        say(f"ended by {table.outcome}")
        return 1 if table.outcome == "unseen" else 0

    def _instance(self, program: Program) -> tuple[int, ...]:
        if program.task is None:
            raise ValueError(f"program {program.name} names no task to draw an input from; give --memory")
        task = get_task(program.task)
        batch = task.sample(np.random.default_rng(self.seed), self.n, task.smallest_memory_size(self.n))
        return tuple(batch.memory[0].tolist())

    def _horizon(self, program: Program, memory: tuple[int, ...]) -> int:
        if self.steps is not None:
            return self.steps
        if program.task is None:
            raise ValueError(f"program {program.name} names no task, so no horizon is known; give --steps")
        task = get_task(program.task)
        task.check_memory(memory)
        return task.horizon(task.difficulty_of(memory))


def _rows(record: dict[str, Any]) -> dict[str, Any]:
    """A trace as JSON values."""
    for row in record["rows"]:
        row["written"] = sorted(row["written"])
        row["accesses"] = [{**access, "gate": access["gate"].label} for access in row["accesses"]]
    return record


@dataclass(frozen=True)
class Export:
    """Write a program as Python without imports, as C99, or as an SVG diagram.

    The Python file has run(memory, max_steps=None), which returns the memory at the end, HALTS and
    horizon(n). The C file is a whole program; its first comment says how to use it.

    Examples:
        nram export runs/demo --to python --out copy.py
        nram export program.json --to svg --out copy.svg
    """

    program: tyro.conf.Positional[str]
    """Program file, run folder, or zoo:TASK."""
    to: Literal["python", "c", "svg"]
    """Kind of file."""
    out: Path
    """Where it goes."""
    seed: int = 0
    """Seed of the extraction, where the folder holds an agent but no program yet."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Write the file; exit code 0 once it is there."""
        program = find_program(self.program, seed=self.seed, progress=say)
        text = EXPORTS[self.to](program)
        write_atomically(self.out, text)
        result = {"file": str(self.out), "to": self.to, "characters": len(text), "program": program.name}
        emit(result, f"wrote {self.out} ({len(text):,} characters)", self.json)
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
        from analysis.gallery import draw_run  # needs torch

        folder = output_folder(self.run)
        program = find_program(self.run, seed=self.seed, progress=say)
        agent = find_agent(self.run)
        written, left_out = draw_run(folder, agent, program, n=self.n, seed=self.seed, progress=say)
        lines = [str(path) for path in written] + [f"no {name}: {why}" for name, why in left_out.items()]
        emit(
            {"task": program.task, "pictures": [str(path) for path in written], "left_out": left_out},
            "\n".join(lines),
            self.json,
        )
        return 0
