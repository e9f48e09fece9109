"""Exported JavaScript does what the program does, timestep by timestep."""

import json
import subprocess
from dataclasses import replace

import numpy as np
import pytest

from analysis import find_program
from analysis.exporters import to_javascript
from analysis.machine.vm import run, steps
from analysis.program.program import Program, Register
from analysis.simplification.program import simplify_program
from nram_env.machine import MachineConfig
from nram_env.tasks import draw_plan, get_task
from tests.analysis.exported import wide_program
from tests.analysis.programs import (
    CASES,
    endless_where_the_first_value_is_1,
    program_of,
    random_program,
)
from tests.browser import program_or_skip

_HARNESS = """
import { readFileSync } from "node:fs";
const calls = JSON.parse(readFileSync(0, "utf8"));
const answers = [];
for (const { file, memory, most } of calls) {
  const program = await import(file);
  const cells = Array.from(memory);
  const answer = { halts: program.HALTS, rows: [] };
  try {
    const timesteps = program.steps(cells, most ?? (program.HALTS ? program.mostSteps(cells.length) : 0));
    let moment = timesteps.next();
    for (; !moment.done; moment = timesteps.next()) {
      answer.rows.push([moment.value.block, moment.value.registers, Array.from(cells)]);
    }
    answer.outcome = moment.value;
    answer.memory = program.run(memory, most);
  } catch (error) {
    answer.error = `${error.name}: ${error.message}`;
  }
  answers.push(answer);
}
console.log(JSON.stringify(answers));
"""


class Exported:
    """Programs as modules in a folder, all run by one process."""

    def __init__(self, folder):
        self.folder, self.calls = folder, []
        (folder / "harness.mjs").write_text(_HARNESS)

    def ask(self, program, memory, most=None):
        file = self.folder / f"program{len(self.calls)}.mjs"
        file.write_text(to_javascript(program))
        self.calls.append({"file": str(file), "memory": list(memory), "most": most})

    def answers(self):
        command = [program_or_skip("node"), str(self.folder / "harness.mjs")]
        done = subprocess.run(command, input=json.dumps(self.calls), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def exported(tmp_path):
    return Exported(tmp_path)


def expected_rows(program, memory, most):
    cells = list(memory)
    edges = {id(edge): number for number, edge in enumerate(program.edges)}
    return [
        [edges[id(moment.edge)], list(moment.after), list(cells)] for moment in steps(program, cells, most)
    ]


def test_every_timestep_is_the_integer_machine_s(exported):
    rng, wanted = np.random.default_rng(3), []
    programs = [program_of(case) for case in CASES.values()] + [wide_program()]
    for number in range(20):
        made = random_program(MachineConfig(int(rng.integers(1, 5))), int(rng.integers(1, 6)), rng)
        programs.append(simplify_program(made) if number % 2 else made)
    for program in programs:
        for most in (0, 1, 30):
            size = int(rng.integers(max(2, program.min_size), 14))
            memory = rng.integers(size, size=size).tolist()
            exported.ask(program, memory, most)
            wanted.append((program, memory, most))
    outcomes = set()
    for (program, memory, most), answer in zip(wanted, exported.answers(), strict=True):
        assert answer["rows"] == expected_rows(program, memory, most)
        found = run(program, memory, most)
        outcomes.add(found.outcome)
        assert answer["outcome"] == found.outcome
        if found.outcome == "unseen":
            assert answer["error"].startswith(f"Error: timestep {found.steps + 1}: a situation that")
        else:
            assert answer["memory"] == list(found.memory)
    assert outcomes == {"halted", "horizon", "unseen"}


def test_programs_that_stop_run_to_their_stop(exported):
    rng, wanted = np.random.default_rng(8), []
    for name in ("copy", "swap", "merge", "walkbst"):
        program, task = find_program(f"zoo:{name}"), get_task(name)
        for batch in draw_plan(task, rng, [3, 6], examples=1).batches(task, rng):
            exported.ask(program, batch.memory[0].tolist())
            wanted.append(list(run(program, batch.memory[0].tolist()).memory))
    assert [answer["memory"] for answer in exported.answers()] == wanted


def test_inputs_that_are_no_memory_are_refused_and_endless_runs_are_cut(exported):
    copy, endless = find_program("zoo:copy"), endless_where_the_first_value_is_1()
    exported.ask(copy, [1])
    exported.ask(copy, [2, 9, 0])
    exported.ask(copy, [2, 1.5, 0])
    exported.ask(program_of(CASES["copy"]), [2, 1, 0])
    exported.ask(copy, [2, 1, 0], -1)
    exported.ask(endless, [2, 1, 3, 0])
    refused = [answer["error"] for answer in exported.answers()]
    assert refused[0] == "RangeError: memory has 1 cells; 3 are needed"
    assert refused[1] == "RangeError: cell 1 holds 9, not in 0..2"
    assert refused[2] == "RangeError: cell 1 holds 1.5, not in 0..2"
    assert refused[3] == "RangeError: this program does not stop by itself; pass maxSteps"
    assert refused[4] == "RangeError: maxSteps must be an integer of at least 0, got -1"
    assert "did not stop by itself in" in refused[5]


def test_registers_whose_names_are_words_of_the_language_are_renamed(exported):
    made: Program = random_program(MachineConfig(3), 2, np.random.default_rng(0))
    names = ("let", "steps", "eval")
    program = replace(made, registers=tuple(Register(name, at) for at, name in enumerate(names)))
    exported.ask(program, [1, 2, 0, 0], 5)
    assert exported.answers()[0]["rows"] == expected_rows(program, [1, 2, 0, 0], 5)
