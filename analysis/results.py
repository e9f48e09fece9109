"""What the zoo's controllers achieve, beside the paper's Table 1, as numbers and as a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.checkpoint import Agent
from agents.evaluate import evaluate_plan
from agents.zoo import ZooEntry
from analysis.block import Block, gate_of
from analysis.pipeline import extract
from analysis.program import Program
from analysis.verify import check_sizes
from nram_env.tasks import Task, draw_range_plan, get_task

SIZES = (50, 200)
"""Sizes n behind the paper's training size at which controllers are measured."""
PROGRAM_SIZE = 1_000
"""Size n at which programs are measured."""


@dataclass(frozen=True)
class PaperRow:
    """A row of the paper's Table 1.

    Attributes:
        size: Largest n trained on.
        train_error: As printed.
        generalisation: As printed; "perfect" is error 0 up to complexity 50.
        discretised: As printed.
    """

    size: int
    train_error: str
    generalisation: str
    discretised: str


PAPER = {
    "access": PaperRow(20, "0", "perfect", "perfect"),
    "increment": PaperRow(15, "0", "perfect", "perfect"),
    "copy": PaperRow(15, "0", "perfect", "perfect"),
    "reverse": PaperRow(15, "0", "perfect", "perfect"),
    "swap": PaperRow(20, "0", "perfect", "perfect"),
    "permutation": PaperRow(6, "0", "almost perfect", "perfect"),
    "listk": PaperRow(10, "0", "strong", "fails"),
    "listsearch": PaperRow(6, "0", "weak", "fails"),
    "merge": PaperRow(10, "1 %", "weak", "fails"),
    "walkbst": PaperRow(10, "0.3 %", "strong", "fails"),
}
"""Table 1 of the paper."""


@dataclass(frozen=True)
class Effort:
    """How many examples a measurement takes.

    Attributes:
        examples: Of each size and mode of a controller.
        far_examples: Of its soft runs at the largest size, which take far longer than all others.
        program_examples: Of a program.
        seed: Of the examples.
    """

    examples: int = 2_000
    far_examples: int = 2_000
    program_examples: int = 500
    seed: int = 2026


def measure(entry: ZooEntry, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure a controller soft and hard, extract its program and measure that.

    Args:
        entry: The controller.
        effort: How many examples.
        say: Told what is being done.

    Returns:
        JSON values: name, task, controller, errors (see `_controller_errors`), program.
    """
    agent, task = entry.agent, get_task(entry.agent.task)
    errors = _controller_errors(entry.name, agent, task, effort, say)
    say(f"{entry.name}: extracting the program")
    program = extract(agent)
    return {
        "name": entry.name,
        "task": task.name,
        "controller": agent.controller.spec.kind,
        "registers": agent.machine.num_registers,
        "gates": len(agent.machine.gates),
        "trained_to": int(agent.info["config"]["max_level"]),
        "examples": effort.examples,
        "far_examples": effort.far_examples,
        "errors": errors,
        "program": _program_numbers(program, task, effort),
    }


def _controller_errors(
    name: str, agent: Agent, task: Task, effort: Effort, say: Callable[[str], None]
) -> dict[str, dict[str, float]]:
    """Exact errors by place and mode; the places are "train" and "paper" (n uniform up to the largest size
    trained on, here and there) and the sizes 50 and 200."""
    lowest, top = task.smallest_difficulty, int(agent.info["config"]["max_level"])
    rng = np.random.default_rng(effort.seed)
    ranges = {"train": (lowest, top), "paper": (lowest, PAPER[task.name].size)}
    ranges |= {str(n): (n, n) for n in SIZES}
    found: dict[str, dict[str, float]] = {}
    for place, (low, high) in ranges.items():
        found[place] = {}
        for mode in ("soft", "hard"):
            far = mode == "soft" and high == SIZES[-1]
            count = effort.far_examples if far else effort.examples
            say(f"{name}: {mode}, {place if low < high else f'n = {high}'}, {count:,} examples")
            plan = draw_range_plan(task, rng, low, high, count)
            found[place][mode] = evaluate_plan(agent, mode, plan, rng).exact_error
    return found


def _program_numbers(program: Program, task: Task, effort: Effort) -> dict[str, Any]:
    (check,) = check_sizes(program, task, [PROGRAM_SIZE], effort.program_examples, effort.seed)
    verdicts = {certificate.check: certificate.verdict for certificate in program.certificates}
    return {
        "kind": program.kind,
        "states": len(program.states),
        "gates": sum(_gates(edge.block) for edge in program.edges),
        "examples": effort.program_examples,
        "exact_error": check["exact_error"],
        "fidelity": verdicts["fidelity"],
        "random": verdicts["random"],
        "exhaustive": verdicts["exhaustive"],
    }


def _gates(block: Block) -> int:
    return sum(gate_of(instruction) is not None for instruction in block.instructions)


def page(rows: list[Mapping[str, Any]]) -> str:
    """The page of results.

    Args:
        rows: What `measure` returns, with the recipe's records added as "records" and its "easy_share".
    """
    missing = ", ".join(task for task in PAPER if task not in {row["task"] for row in rows})
    holes = f"No controller yet: {missing}. See [the log](learning-log.md).\n\n" if missing else ""
    return (
        _OPENING
        + _table(_ERROR_COLUMNS, rows)
        + "\n"
        + holes
        + "## Programs and training\n\n"
        + _table(_TRAINING_COLUMNS, rows)
        + _MEMBERS
        + _table(_PAPER_COLUMNS, [{"task": task, "paper": row} for task, row in PAPER.items()])
    )


_OPENING = """# Results

    nram reproduce --table

Made by this command from the controllers that the package ships (`nram zoo`). Each was trained from
input-output examples alone by the recipe that `nram reproduce NAME` follows from nothing. Errors are
shares of examples with any wrong output cell, of as many as the row says: for each size and mode, for the
soft runs at n = 200, and for the program. Soft: every selector a distribution, the argmax of the memory
taken at the end. Hard: every selector replaced by its largest choice. Program: what `nram extract` reads
from the controller, on plain integers. The paper's figures stand at the right and below; there, perfect
means error 0 up to complexity 50.

## Errors

"""

_MEMBERS = """
Gates: 14 are the paper's list; 15 have a second READ behind ADD, so that a timestep can follow a pointer
that it computed. Easy examples: the share of training examples that the task calls easy, until a member
masters the top level (Permutation: the permutation moves nothing; ListSearch: 0 is searched for; WalkBST:
the tree is balanced or a chain; Merge: one array lies below the other, and both and the answer anywhere);
errors are measured without them. Members: those that make no hard error at any n trained on and at 6 and 25
times the largest when training stopped, of all. *With selection* the worst members are replaced by clones
of the best and by fresh starts; *without*, every member is one fresh start. Minutes are those of one thread
of a busy processor.

## The paper's Table 1

"""


def _table(columns: Mapping[str, Callable[[Mapping[str, Any]], str]], rows: list[Mapping[str, Any]]) -> str:
    lines = [[column(row) for column in columns.values()] for row in rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [list(columns), ["---"] * len(columns), *lines])


def _error(place: str, mode: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: _share(row["errors"][place][mode])


def _share(error: float) -> str:
    return f"{error:.2%}" if error else "0"


def _members(kind: str) -> Callable[[Mapping[str, Any]], str]:
    def text(row: Mapping[str, Any]) -> str:
        record = row["records"].get(kind)
        return f"{record['solved']} of {record['members']}" if record else "not run"

    return text


_ERROR_COLUMNS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "entry": lambda row: row["name"],
    "examples": lambda row: ", ".join(
        f"{count:,}" for count in (row["examples"], row["far_examples"], row["program"]["examples"])
    ),
    "train, n to": lambda row: str(row["trained_to"]),
    "train": _error("train", "soft"),
    "paper's n": lambda row: str(PAPER[row["task"]].size),
    "soft": _error("paper", "soft"),
    "hard": _error("paper", "hard"),
    "soft, 50": _error("50", "soft"),
    "hard, 50": _error("50", "hard"),
    "soft, 200": _error("200", "soft"),
    "hard, 200": _error("200", "hard"),
    "program, 1,000": lambda row: _share(row["program"]["exact_error"]),
    "paper: generalisation": lambda row: PAPER[row["task"]].generalisation,
    "paper: discretised": lambda row: PAPER[row["task"]].discretised,
}

_TRAINING_COLUMNS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "entry": lambda row: row["name"],
    "controller": lambda row: row["controller"],
    "registers": lambda row: str(row["registers"]),
    "gates": lambda row: str(row["gates"]),
    "easy examples": lambda row: f"{row['easy_share']:.0%}" if row["easy_share"] else "none",
    "program": lambda row: row["program"]["kind"],
    "states": lambda row: str(row["program"]["states"]),
    "live gates": lambda row: str(row["program"]["gates"]),
    "= hardened controller": lambda row: row["program"]["fidelity"],
    "random inputs": lambda row: row["program"]["random"],
    "all small inputs": lambda row: row["program"]["exhaustive"],
    "members, with selection": _members("population"),
    "members, without": _members("independent"),
    "minutes": lambda row: f"{row['records']['population']['minutes']:.1f}",
}

_PAPER_COLUMNS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "task": lambda row: row["task"],
    "trained to": lambda row: str(row["paper"].size),
    "train error": lambda row: row["paper"].train_error,
    "generalisation": lambda row: row["paper"].generalisation,
    "discretised": lambda row: row["paper"].discretised,
}
