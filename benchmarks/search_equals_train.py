"""Run a study on two workers of Ray, then each of its trials by `nram train`, and compare the files.

    python benchmarks/search_equals_train.py [--tasks copy increment access] [--seeds 10] [--updates 400]
    python benchmarks/search_equals_train.py --local      # two processes, without Ray

Prints a line a trial: whether configuration, population, agent and program are equal byte for byte, and the
outcome but for its seconds. Exit code 1 if one is not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from agents.checkpoint import AGENT_FILE
from agents.run_files import CONFIG_FILE, OUTCOME_FILE, POPULATION_FILE
from analysis.extraction.resolve import PROGRAM_FILE
from analysis.studies.progress import standings
from analysis.studies.table import Table, trial_folder

FIRST_SEED, STEP = 1000, 10


def main() -> int:
    """Do it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", nargs="+", default=["copy", "increment", "access"])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--updates", type=int, default=400)
    parser.add_argument("--local", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        unequal = compare(options, Path(place))
    print(f"{unequal} of {len(options.tasks) * options.seeds} trials differ")
    return 1 if unequal else 0


def compare(options: argparse.Namespace, place: Path) -> int:
    """How many trials of the study are not the runs made singly."""
    seeds = [str(FIRST_SEED + STEP * count) for count in range(options.seeds)]
    limit = ["--updates", str(options.updates)]
    workers = ["--local", "2"] if options.local else ["--processors", "1", "--at-once", "2"]
    study = place / "study"
    nram("search", "--tasks", *options.tasks, "--seeds", *seeds, *limit, *workers, "--run", str(study))
    with Table(study) as table:
        trials = [found.trial for found in standings(table.events()).values()]
    unequal = 0
    for trial in trials:
        task, seed = trial.config.task, str(trial.config.seed)
        single = place / f"{task}-{seed}"
        nram("train", task, "--seed", seed, *limit, "--run", str(single))
        found = differences(trial_folder(study, trial.key), single)
        unequal += bool(found)
        print(f"{task} {seed}: {'equal' if not found else 'differ: ' + ', '.join(found)}", flush=True)
    return unequal


def nram(*arguments: str) -> None:
    """Call a verb; 0 and 1 are answers, anything else ends this script."""
    call = [sys.executable, "-m", "analysis.commands.cli", *arguments]
    done = subprocess.run(call, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr)


def differences(first: Path, second: Path) -> list[str]:
    """The files of a run that are not equal in two folders, or stand in one alone."""
    names = (CONFIG_FILE, POPULATION_FILE, AGENT_FILE, PROGRAM_FILE)
    found = [name for name in names if content(first / name) != content(second / name)]
    return found if ending(first) == ending(second) else [*found, OUTCOME_FILE]


def content(file: Path) -> bytes | None:
    """What a file holds, None if there is none."""
    return file.read_bytes() if file.exists() else None


def ending(run: Path) -> dict[str, object]:
    """How a run ended, but for the time that it took."""
    said = json.loads((run / OUTCOME_FILE).read_text(encoding="utf-8"))
    return {name: value for name, value in said.items() if name != "seconds"}


if __name__ == "__main__":
    sys.exit(main())
