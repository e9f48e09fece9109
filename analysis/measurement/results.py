"""What the zoo's controllers achieve, beside the paper's Table 1, as numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents.checkpoint import Agent
from agents.zoo import ZooEntry
from analysis.extraction.resolve import find_program
from analysis.measurement.errors import measure_errors
from analysis.program.block import Block, gate_of
from analysis.program.certificate import FAR, Certificate
from analysis.program.program import Program
from analysis.verification import check_sizes
from analysis.verification.sweep import sweep
from nram_env.tasks import Task, draw_range_plan, get_task

SIZES = (50, 200)
"""Sizes n behind the paper's training size at which controllers are measured."""
PROGRAM_SIZE = 1_000
"""Size n at which programs are measured."""
SHOWN = ("stops", "fidelity", "random", "exhaustive", "time")
"""Certificates of a program that the table shows."""
PROOF_COUNTS = ("guesses", "left", "needed", "obligations")
"""What is counted of a proof."""


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
        far_examples: Of its soft runs at n = 200, which take far longer than all others; 0 for none.
        program_examples: Of a program.
        seed: Of the examples.

    Raises:
        ValueError: There is not one example of another kind.
    """

    examples: int = 2_000
    soft_examples: int = 200
    far_examples: int = 20
    program_examples: int = 500
    seed: int = 2026

    def __post_init__(self) -> None:
        for name, least in (
            ("examples", 1),
            ("soft_examples", 1),
            ("far_examples", 0),
            ("program_examples", 1),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")

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
        JSON values: name, task, controller, errors and sizes (see `_controller_errors`), program.
    """
    agent, task = entry.agent, get_task(entry.agent.task)
    errors, sizes = _controller_errors(entry.name, agent, task, effort, say)
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
        "sizes": sizes,
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
) -> tuple[dict[str, dict[str, float]], dict[str, int]]:
    """Exact errors by place and mode, and how many (n, M) the hard runs of each place have.

    The places are "train" and "paper" (n uniform up to the largest size trained on, here and there) and the
    sizes 50 and 200.
    """
    lowest, top = task.smallest_difficulty, int(agent.info["config"]["max_level"])
    rng = np.random.default_rng(effort.seed)
    ranges = {"train": (lowest, top), "paper": (lowest, PAPER[task.name].size)}
    ranges |= {str(n): (n, n) for n in SIZES}
    found: dict[str, dict[str, float]] = {}
    sizes: dict[str, int] = {}
    for place, (low, high) in ranges.items():
        found[place] = {}
        for mode in ("soft", "hard"):
            if not (count := effort.of(mode, high)):
                continue
            say(f"{name}: {mode}, {place if low < high else f'n = {high}'}, {count:,} examples")
            plan = draw_range_plan(task, rng, low, high, count)
            found[place][mode] = measure_errors(agent, mode, plan, rng).exact_error
            sizes[place] = plan.pairs
    return found, sizes


def _program_numbers(program: Program, task: Task, effort: Effort) -> dict[str, Any]:
    (check,) = check_sizes(program, task, [PROGRAM_SIZE], effort.program_examples, effort.seed)
    found = {certificate.check: certificate for certificate in program.certificates}
    return {
        "kind": program.kind,
        "states": len(program.states),
        "gates": sum(_gates(edge.block) for edge in program.edges),
        "examples": effort.program_examples,
        "exact_error": check["exact_error"],
        **{check: _finding(found[check]) for check in (*SHOWN, FAR) if check in found},
    }


def _finding(certificate: Certificate) -> dict[str, Any]:
    return {
        "claim": certificate.claim,
        "domain": certificate.domain,
        "verdict": certificate.verdict,
        "count": certificate.count,
        "error_below": certificate.error_below,
        "counterexample": certificate.counterexample,
    }


def _gates(block: Block) -> int:
    return sum(gate_of(instruction) is not None for instruction in block.instructions)
