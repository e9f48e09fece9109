"""`nram run | trace`: one input through a program, the end alone or every step."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import tyro

from analysis.commands.inputs import checked_steps, given_memory, instance, last_step, task_of
from analysis.commands.output import emit, say
from analysis.extraction.resolve import Source, find_source
from analysis.machine.vm import run
from analysis.printing.trace import trace, trace_latex, trace_text
from analysis.verification import stops_by_itself
from nram_env.tasks import Task


@dataclass(frozen=True)
class Run:
    """Run a program on one input and print the memory before and after.

    Examples:
        nram run runs/demo --n 12
        nram run program.json --memory 4 7 1 2 0 0 0 0
    """

    program: tyro.conf.Positional[str]
    """Program file, run folder, or zoo:TASK."""
    n: int = 5
    """Difficulty of the random instance that is run where no memory is given."""
    memory: tuple[int, ...] | None = None
    """The input: M integers in 0..M-1. It must be a legal memory of the task."""
    steps: int | None = None
    """T; default: until the program stops by itself, of one that does not the task's horizon."""
    task: str | None = None
    """Task of the input; default: the program's own."""
    seed: int = 0
    """Seed of the instance."""
    json: bool = False
    """Print one JSON object; everything else goes to standard error."""

    def __call__(self) -> int:
        """Run; exit code 0 only if the output is right."""
        source = find_source(self.program)
        task, steps = task_of(source, self.task), checked_steps(self.steps)
        memory = given_memory(self.memory) or instance(task, self.n, self.seed)
        task.check_memory(memory)
        program = source.program(self.seed, say)
        must_stop = steps is None and stops_by_itself(program, task)
        result = run(program, memory, last_step(task, memory, must_stop) if steps is None else steps)
        wanted = task.oracle(memory)
        endless = must_stop and result.outcome == "horizon"
        lost = endless or result.outcome == "unseen"
        right = not lost and all(result.memory[c] == v for c, v in wanted.items())
        end = "did not stop by itself" if endless else f"ended by {result.outcome}"
        record = {**asdict(result), "before": memory, "wanted": wanted, "right": right}
        lines = [
            f"before  {' '.join(map(str, memory))}",
            f"after   {' '.join(map(str, result.memory))}",
            f"{result.steps} steps, {end}; output {'right' if right else 'WRONG'}",
        ]
        emit(record, "\n".join(lines), self.json)
        return 0 if right else 1


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
