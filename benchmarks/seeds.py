"""Share of seeds for which a plain `nram train TASK` ends with a checked program that stops by itself.

    python benchmarks/seeds.py                        # go on where the last call stopped
    python benchmarks/seeds.py --tasks copy --count 20 --minutes 10
    python benchmarks/seeds.py --keep runs/seeds      # and the programs, for `nram prove`

Every run is a process of its own and is written down at once, a line of JSON in docs/seeds.jsonl; runs that
are there are not done again. The table goes to docs/seeds.md. Seeds are ten apart, since later attempts of a
run use the seeds behind its own.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nram_env.support import write_atomically

EASY = ("access", "increment", "copy", "reverse", "swap")
HARD = ("permutation", "listk", "listsearch", "merge", "walkbst")
FIRST_SEED, SEED_STEP = 1_000, 10
RUNS, TABLE = Path("docs/seeds.jsonl"), Path("docs/seeds.md")

HEAD = """# Seeds

    python benchmarks/seeds.py

How often a plain `nram train TASK --minutes {minutes:g}` ends with a program that stops by itself and that
every check lets pass, from seeds on which no setting was chosen. Made by this command, which goes on where
it stopped: a row is of the runs that have been done, not of those that are wanted. The interval is
Wilson's, 95 %. Time is wall time of successful runs, reading and checking the program included, on a
computer that did other work beside; attempts are populations that were begun.

| task | learned | share of seeds | median s | longest s | attempts | failed seeds |
| --- | --- | --- | --- | --- | --- | --- |
"""


def wilson(good: int, runs: int) -> tuple[float, float]:
    """Wilson's interval of a share, 95 %."""
    z = 1.959964
    middle, spread = good + z * z / 2, z * math.sqrt(good * (runs - good) / runs + z * z / 4)
    return (middle - spread) / (runs + z * z), (middle + spread) / (runs + z * z)


def wanted(tasks: Sequence[str], count: int | None) -> Iterator[tuple[str, int]]:
    """Tasks and seeds, the first seed of all before the second of any: 20 of the easy ones, else 10."""
    for index in range(count or 20):
        for task in tasks:
            if index < (count or (20 if task in EASY else 10)):
                yield task, FIRST_SEED + SEED_STEP * index


def train(task: str, seed: int, minutes: float, keep: Path | None) -> dict[str, Any]:
    """One run, as it is written down; its program goes to `keep`."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        words = ["train", task, "--seed", seed, "--minutes", minutes, "--run", f"{folder}/run", "--json"]
        call = [sys.executable, "-m", "analysis.commands.cli", *map(str, words)]
        done = subprocess.run(call, capture_output=True, text=True)
        if keep and (program := Path(folder, "run", "program.json")).exists():
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(program, keep / f"{task}-{seed}.json")
    if done.returncode not in (0, 1):
        raise SystemExit(f"{task}, seed {seed}: {done.stderr}")
    report = json.loads(done.stdout.splitlines()[-1])
    seconds = round(time.monotonic() - begin, 1)
    kept = {name: report[name] for name in ("reason", "updates", "attempts", "solved")}
    return {"task": task, "seed": seed, "minutes": minutes, "seconds": seconds, **kept}


def row(task: str, runs: Sequence[dict[str, Any]]) -> str:
    """A line of the table."""
    good = sorted(run["seconds"] for run in runs if run["solved"])
    failed = ", ".join(str(run["seed"]) for run in runs if not run["solved"]) or "none"
    low, high = wilson(len(good), len(runs))
    times = (f"{good[len(good) // 2]:.0f}", f"{good[-1]:.0f}") if good else ("-", "-")
    attempts = ", ".join(str(run["attempts"]) for run in runs)
    share = f"{len(good) / len(runs):.0%} ({low:.0%} to {high:.0%})"
    return f"| {' | '.join((task, f'{len(good)} of {len(runs)}', share, *times, attempts, failed))} |"


def known_runs(minutes: float) -> list[dict[str, Any]]:
    """The runs of this length that are written down."""
    lines = RUNS.read_text().splitlines() if RUNS.exists() else []
    return [run for run in map(json.loads, lines) if run["minutes"] == minutes]


def write_table(minutes: float) -> None:
    """Make the table anew."""
    runs = known_runs(minutes)
    rows = [row(task, found) for task in (*EASY, *HARD) if (found := [r for r in runs if r["task"] == task])]
    write_atomically(TABLE, HEAD.format(minutes=minutes) + "\n".join(rows) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=(*EASY, *HARD))
    parser.add_argument(
        "--count", type=int, help="seeds a task; default: 20 of the easy five, 10 of the others"
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--keep", type=Path, help="folder for the programs, TASK-SEED.json")
    given = parser.parse_args()
    for task, seed in wanted(given.tasks, given.count):
        if not any((run["task"], run["seed"]) == (task, seed) for run in known_runs(given.minutes)):
            run = train(task, seed, given.minutes, given.keep)
            with RUNS.open("a") as lines:
                lines.write(json.dumps(run) + "\n")
            print(json.dumps(run), flush=True)
        write_table(given.minutes)


if __name__ == "__main__":
    main()
