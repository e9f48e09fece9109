"""The page of results, from the figures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from agents.zoo import recipe_of, where
from analysis.measurement.results import PAPER, PROOF_COUNTS
from analysis.program.certificate import FAR
from analysis.verification.steps import NEVER, STOPS
from analysis.verification.sweep import DENSE_SLACK, EXAMPLES, sweep_table
from analysis.verification.sweep import SIZES as SWEPT

Columns = Mapping[str, Callable[[Mapping[str, Any]], str]]
"""Headings, and what a row has below each."""


def page(rows: Iterable[Mapping[str, Any]], shares: Mapping[str, str]) -> str:
    """The page of results.

    Args:
        rows: What `measure` returns, with the recipe's records added as "records" and its "easy_share".
        shares: For every task from how many seeds its usual recipe succeeds, in words; where it was counted.
    """
    rows = [{**row, "seeds": _seeds(row, shares)} for row in rows]
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
        + _steps(rows)
        + _proofs(rows)
        + "\n## Programs and training\n\n"
        + _table(_TRAINING_COLUMNS, rows)
        + _MEMBERS
        + _table(_PAPER_COLUMNS, [{"task": task, "paper": row} for task, row in PAPER.items()])
    )


_OPENING = """# Results

    nram reproduce --table

Made by this command from the controllers that the package ships (`nram zoo`). Each was trained from
input-output examples alone, from nothing, by the recipe that `nram reproduce NAME` follows. Errors are
shares of examples with any wrong output cell, of as many as the row says: for hard runs and the sizes
trained on, for the soft runs at n = 50, for those at n = 200, and for the program. Every four examples have
an M of their own, drawn apart from n: the smallest legal one and 0 to 16 cells more, each as often, or up to
three times as much. So many sizes (n, M) the row says for the hard runs: trained on, paper's n, 50 and 200.
Of N examples without an error, an error rate above 3/N is excluded with 95 % confidence. Soft: every
selector a distribution, the argmax of the memory taken at the end. Hard: every selector replaced by its
largest choice. Program: what `nram extract` reads from the controller, on plain integers. The paper's
figures stand at the right and below; there, perfect means error 0 up to complexity 50.

What stops by itself is run without a horizon, and judged where it stops: a hard run, or a program's, that has
not stopped after 10 T(n) + 3 M + 50 steps is wrong; a soft run has 16 steps more than the hard run takes.
Anything else needs T(n) from outside, and is judged there.

From which share of seeds a plain `nram train TASK` ends with a checked program is counted by a study, in
[seeds](seeds.md).

## Errors

"""

_SWEEP = f"""## Every slack of M

    nram sweep

The shipped programs on {EXAMPLES} random instances of every n of {", ".join(map(str, SWEPT))} and
every M: the smallest legal one and 0 to {DENSE_SLACK} cells more, and twice and three times the smallest.

"""

_PROOFS = """
## Proofs

    python benchmarks/prove_zoo.py --ship

What is shown of the shipped programs for every size, and lies beside each as evidence that two solvers check
(`make recheck`); how, and what has to be trusted, is in [proofs.md](proofs.md). No setting by hand; seconds
of one core, solvers' processes included. Guesses: facts read off runs. Left: those that hold at their place.
Needed: those that the proof keeps. Obligations: the questions that the evidence asks.

"""

_MEMBERS = """
TESTED, < x%: none of the random samples failed, so that a share of failures above x among such samples is
excluded with 95 % confidence. *So at n = 2,048*: what a controller with a state of its own does at a step
may depend on how many it has made; where its choices on runs so long first are others than the program's,
it says so: from that step on the controller is wrong, the program not. Gates: 14 are the paper's list; 15
have a second READ behind ADD, so that a timestep can follow a pointer that it computed. Easy examples: the
share of training examples that the task calls easy, until a member masters the top level (Permutation: the
permutation moves nothing; ListSearch: 0 is searched for; WalkBST: the tree is balanced or a chain; Merge:
one array lies below the other, and both and the answer anywhere); errors are measured without them.
Members: those that make no hard error at any n trained on and at 6 and 25 times the largest when training
stopped, of all; runs up to 2026-11-24 were tested where M exceeds the smallest legal size by 0 to 2, and so
counted members that are wrong elsewhere. *With selection* the worst members are replaced by clones of the
best and by fresh starts; *without*, every member is one fresh start. Minutes are those of one thread of a
busy processor, where no GPU is named. Seeds: of a plain `nram train TASK --minutes 10` on one core, until
a program passes every check, with Wilson's interval; [seeds](seeds.md) has the runs.

## The paper's Table 1

"""


def _table(
    columns: Mapping[str, Callable[[Mapping[str, Any]], str]], rows: Iterable[Mapping[str, Any]]
) -> str:
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


def _seeds(row: Mapping[str, Any], shares: Mapping[str, str]) -> str:
    """From how many seeds the recipe succeeds, if it is its task's usual one."""
    usual = recipe_of(row["task"]) == row["name"]
    return shares.get(row["task"], "not counted") if usual else "not counted"


def _far(row: Mapping[str, Any]) -> str:
    """Whether a controller with a state of its own is its program far beyond the sizes of all other runs."""
    found = row["program"].get(FAR)
    if found is None:
        return "yes: no state"
    if found["verdict"] != "REFUTED":
        return f"{found['verdict']}, {found['domain']}"
    step = re.search(r"first: step ([\d,]+)", found["counterexample"])
    return f"REFUTED at step {step[1]}" if step else "REFUTED"


def _wrong_program(row: Mapping[str, Any]) -> str:
    """A paragraph on a program that a check has refuted."""
    found = row["program"]["random"]
    return f"**{row['name']} is wrong**: {found['counterexample']}.\n\n" if found["counterexample"] else ""


def _stops(row: Mapping[str, Any]) -> str:
    """After which step a program stops by itself."""
    found = row["program"]["stops"]
    if found["claim"] == NEVER:
        return "does not stop by itself"
    return "not always" if found["verdict"] == "REFUTED" else found["claim"].removeprefix(f"{STOPS} after ")


def _steps(rows: Iterable[Mapping[str, Any]]) -> str:
    """Which programs need steps in proportion to M, and which do not stop."""
    bound = [f"{row['name']} ({_stops(row)})" for row in rows if re.search(r"\bM\b|\dM\b", _stops(row))]
    never = [row["name"] for row in rows if row["program"]["stops"]["claim"] == NEVER]
    lines = ["", "The steps of every program grow with n, or with where the answer lies, but for:", ""]
    lines += [f"- steps that grow with M, however little of it n needs: {', '.join(bound) or 'none'};"]
    lines += [f"- no stop of its own, T(n) has to come from outside: {', '.join(never) or 'none'}."]
    return "\n".join(lines) + "\n"


def _proofs(rows: Iterable[Mapping[str, Any]]) -> str:
    """What was put to the prover."""
    proved = [{"name": row["name"], **row["proof"]} for row in rows if "proof" in row]
    return _PROOFS + _table(PROOF_COLUMNS, proved) if proved else ""


def _number_of(count: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: "" if row[count] is None else f"{row[count]:,}"


def _all_small(row: Mapping[str, Any]) -> str:
    found = row["program"]["exhaustive"]
    return f"{found['verdict']}, {found['domain']}"


def _members(kind: str) -> Callable[[Mapping[str, Any]], str]:
    def text(row: Mapping[str, Any]) -> str:
        record = row["records"].get(kind)
        return f"{record['solved']} of {record['members']}" if record else "not run"

    return text


def _minutes(row: Mapping[str, Any]) -> str:
    record = row["records"]["population"]
    return f"{record['minutes']:.1f}{where(record)}"


_ERROR_COLUMNS: Columns = {
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
    "sizes (n, M)": lambda row: ", ".join(f"{row['sizes'][place]:,}" for place in row["errors"]),
    "stops after": _stops,
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

PROOF_COLUMNS: Columns = {
    "program": lambda row: row["name"],
    "verdict": lambda row: row["verdict"],
    "statement": lambda row: row["statement"],
    "seconds": lambda row: f"{row['seconds']:.0f}",
    **{count: _number_of(count) for count in PROOF_COUNTS},
}
"""Columns of a table of proofs."""

_TRAINING_COLUMNS: Columns = {
    "entry": lambda row: row["name"],
    "controller": lambda row: row["controller"],
    "registers": lambda row: str(row["registers"]),
    "gates": lambda row: str(row["gates"]),
    "easy examples": lambda row: f"{row['easy_share']:.0%}" if row["easy_share"] else "none",
    "program": lambda row: row["program"]["kind"],
    "states": lambda row: str(row["program"]["states"]),
    "live gates": lambda row: str(row["program"]["gates"]),
    "= hardened controller": _verdict("fidelity"),
    "so at n = 2,048": _far,
    "random inputs": _verdict("random"),
    "right to its end": _verdict("time"),
    "all small inputs": _all_small,
    "members, with selection": _members("population"),
    "members, without": _members("independent"),
    "minutes": _minutes,
    "seeds from which a plain `nram train` succeeds": lambda row: row["seeds"],
}

_PAPER_COLUMNS: Columns = {
    "task": lambda row: row["task"],
    "trained to": lambda row: str(row["paper"].size),
    "train error": lambda row: row["paper"].train_error,
    "generalisation": lambda row: row["paper"].generalisation,
    "discretised": lambda row: row["paper"].discretised,
}
