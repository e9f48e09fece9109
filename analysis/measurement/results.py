"""What the zoo's controllers achieve, beside the paper's Table 1, as numbers and as a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.checkpoint import Agent
from agents.evaluation import evaluate_plan
from agents.zoo import ZooEntry
from analysis.extraction.resolve import find_program
from analysis.program.block import Block, gate_of
from analysis.program.certificate import Certificate
from analysis.program.program import Program
from analysis.verification import check_sizes
from analysis.verification.sweep import DENSE_SLACK, EXAMPLES, sweep, sweep_table
from analysis.verification.sweep import SIZES as SWEPT
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
        examples: Of a controller's hard runs of each size, and of its soft runs of the sizes trained on.
        soft_examples: Of its soft runs at n = 50.
        far_examples: Of its soft runs at n = 200, which take far longer than all others.
        program_examples: Of a program.
        seed: Of the examples.

    Raises:
        ValueError: There is not one example of a kind.
    """

    examples: int = 2_000
    soft_examples: int = 200
    far_examples: int = 20
    program_examples: int = 500
    seed: int = 2026

    def __post_init__(self) -> None:
        for name in ("examples", "soft_examples", "far_examples", "program_examples"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    def of(self, mode: str, n: int) -> int:
        """Examples of a controller's runs in one mode, n at most."""
        fewer = {SIZES[0]: self.soft_examples, SIZES[1]: self.far_examples}
        return fewer.get(n, self.examples) if mode == "soft" else self.examples


def measure(entry: ZooEntry, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure a controller soft and hard, and its shipped program.

    Args:
        entry: The controller.
        effort: How many examples.
        say: Told what is being done.

    Returns:
        JSON values: name, task, controller, errors (see `_controller_errors`), program.
    """
    agent, task = entry.agent, get_task(entry.agent.task)
    errors = _controller_errors(entry.name, agent, task, effort, say)
    return {
        "name": entry.name,
        "task": task.name,
        "controller": agent.controller.spec.kind,
        "registers": agent.machine.num_registers,
        "gates": len(agent.machine.gates),
        "trained_to": int(agent.info["config"]["max_level"]),
        "examples": effort.examples,
        "soft_examples": effort.soft_examples,
        "far_examples": effort.far_examples,
        "errors": errors,
        **measure_program(entry, effort, say),
    }


def measure_program(entry: ZooEntry, effort: Effort, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure a shipped program.

    Returns:
        JSON values: "program" (its size, its errors at n = 1,000, the certificates that it ships with) and
        "sweep", see `analysis.verification.sweep`.
    """
    say(f"{entry.name}: the program")
    program = find_program(f"zoo:{entry.name}")
    task = get_task(program.task or entry.name)
    return {"program": _program_numbers(program, task, effort), "sweep": sweep(program, task)}


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
            if not (count := effort.of(mode, high)):
                continue
            say(f"{name}: {mode}, {place if low < high else f'n = {high}'}, {count:,} examples")
            plan = draw_range_plan(task, rng, low, high, count)
            found[place][mode] = evaluate_plan(agent, mode, plan, rng).exact_error
    return found


def _program_numbers(program: Program, task: Task, effort: Effort) -> dict[str, Any]:
    (check,) = check_sizes(program, task, [PROGRAM_SIZE], effort.program_examples, effort.seed)
    found = {certificate.check: certificate for certificate in program.certificates}
    return {
        "kind": program.kind,
        "states": len(program.states),
        "gates": sum(_gates(edge.block) for edge in program.edges),
        "examples": effort.program_examples,
        "exact_error": check["exact_error"],
        **{check: _finding(found[check]) for check in ("fidelity", "random", "exhaustive", "time")},
    }


def _finding(certificate: Certificate) -> dict[str, Any]:
    return {
        "verdict": certificate.verdict,
        "count": certificate.count,
        "error_below": certificate.error_below,
        "counterexample": certificate.counterexample,
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
        + "".join(_wrong_program(row) for row in rows)
        + _SWEEP
        + sweep_table({f"zoo:{row['name']}": row["sweep"] for row in rows})
        + "\n## Programs and training\n\n"
        + _table(_TRAINING_COLUMNS, rows)
        + _MEMBERS
        + _table(_PAPER_COLUMNS, [{"task": task, "paper": row} for task, row in PAPER.items()])
    )


_OPENING = """# Results

    nram reproduce --table

Made by this command from the controllers that the package ships (`nram zoo`). Each was trained from
input-output examples alone by the recipe that `nram reproduce NAME` follows from nothing. Errors are
shares of examples with any wrong output cell, of as many as the row says: for hard runs and the sizes
trained on, for the soft runs at n = 50, for those at n = 200, and for the program. Every four examples have
an M of their own, drawn apart from n: the smallest legal one and 0 to 16 cells more, each as often, or up to
three times as much. Of N examples without an error, an error rate above 3/N is excluded with 95 % confidence.
Soft: every selector a distribution, the argmax of the memory taken at the end. Hard: every selector replaced
by its largest choice. Program: what `nram extract` reads from the controller, on plain integers. The paper's
figures stand at the right and below; there, perfect means error 0 up to complexity 50.

## Errors

"""

_SWEEP = f"""## Every slack of M

    nram sweep

The shipped programs on {EXAMPLES} random instances of every n of {", ".join(map(str, SWEPT))} and
every M: the smallest legal one and 0 to {DENSE_SLACK} cells more, and twice and three times the smallest.

"""

_MEMBERS = """
TESTED, < x%: none of the random samples failed, so that a share of failures above x among such samples is
excluded with 95 % confidence. Gates: 14 are the paper's list; 15 have a second READ behind ADD, so that a
timestep can follow a pointer that it computed. Easy examples: the share of training examples that the task
calls easy, until a member masters the top level (Permutation: the permutation moves nothing; ListSearch: 0
is searched for; WalkBST: the tree is balanced or a chain; Merge: one array lies below the other, and both
and the answer anywhere); errors are measured without them. Members: those that make no hard error at any n
trained on and at 6 and 25 times the largest when training stopped, of all; runs up to 2026-11-24 were tested
where M exceeds the smallest legal size by 0 to 2, and so counted members that are wrong elsewhere. *With
selection* the worst members are replaced by clones of the best and by fresh starts; *without*, every member
is one fresh start. Minutes are those of one thread of a busy processor.

## The paper's Table 1

"""


def _table(columns: Mapping[str, Callable[[Mapping[str, Any]], str]], rows: list[Mapping[str, Any]]) -> str:
    lines = [[column(row) for column in columns.values()] for row in rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in [list(columns), ["---"] * len(columns), *lines])


def _error(place: str, mode: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: _share(row["errors"][place].get(mode))


def _share(error: float | None) -> str:
    if error is None:
        return "not run"
    return f"{error:.2%}" if error else "0"


def _verdict(check: str) -> Callable[[Mapping[str, Any]], str]:
    def text(row: Mapping[str, Any]) -> str:
        found = row["program"][check]
        below = found["error_below"]
        return found["verdict"] if below is None else f"{found['verdict']}, < {100 * below:.2g}%"

    return text


def _wrong_program(row: Mapping[str, Any]) -> str:
    """A paragraph on a program that a check has refuted."""
    found = row["program"]["random"]
    return f"**{row['name']} is wrong**: {found['counterexample']}.\n\n" if found["counterexample"] else ""


def _members(kind: str) -> Callable[[Mapping[str, Any]], str]:
    def text(row: Mapping[str, Any]) -> str:
        record = row["records"].get(kind)
        return f"{record['solved']} of {record['members']}" if record else "not run"

    return text


_ERROR_COLUMNS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "entry": lambda row: row["name"],
    "examples": lambda row: ", ".join(
        f"{count:,}"
        for count in (
            row["examples"],
            row["soft_examples"],
            row["far_examples"],
            row["program"]["examples"],
        )
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
    "= hardened controller": _verdict("fidelity"),
    "random inputs": _verdict("random"),
    "right up to T(n)": _verdict("time"),
    "all small inputs": _verdict("exhaustive"),
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
