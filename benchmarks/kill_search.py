"""Kill workers, nodes and drivers of a study at random moments, and look whether anything is lost.

    python benchmarks/kill_search.py [--kills 20] [--seed 0]            # Ray: a cluster of two nodes
    python benchmarks/kill_search.py --local [--kills 20] [--seed 0]    # two processes, without Ray

A study of small trials runs by `nram search`. A worker or the driver is killed with signal 9, or a node of
the cluster is taken away and replaced; a driver that was killed is started again; a study that is finished
gets more trials. In the end every trial must have one result in the table, none may be given up, and results
and populations must equal, bit for bit, those of the same runs made one by one. Exit code 1 otherwise.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from agents.run_files import POPULATION_FILE
from analysis.studies.progress import standings
from analysis.studies.table import Table, trial_folder
from analysis.studies.trial import Goal, Trial
from analysis.studies.work import do_trial

SETTINGS = {
    "population": 2,
    "batch_size": 2,
    "num_registers": 2,
    "first_level": 1,
    "max_level": 2,
    "evaluate_every": 10,
}
GOAL = Goal("solved", updates=300)
LONGEST = 6.0
"""Seconds from the first worker that is seen to the kill, at most."""

MORE = 3
"""Trials that join the study whenever all are done."""


def serve_cluster() -> None:
    """A head without processors and two nodes with one each; a line of input replaces the older node."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
    print(cluster.address, flush=True)
    for _ in sys.stdin:
        cluster.remove_node(nodes.pop(0), allow_graceful=False)
        nodes.append(cluster.add_node(num_cpus=1))
        print("replaced", flush=True)
    cluster.shutdown()


@contextmanager
def cluster() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process of a cluster, and its address."""
    call = [sys.executable, __file__, "--serve"]
    environment = {**os.environ, "RAY_worker_niceness": "0"}  # else whatever runs beside starves the workers
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(call, **pipes, env=environment, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.stdin.close()


def descendants(root: int) -> list[int]:
    """Processes that a process has started, directly or not."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
        except OSError:  # it has just ended
            continue
        parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    found = [root]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found[1:]


def workers(root: int) -> list[int]:
    """Those of them that do trials."""
    found = []
    for process in descendants(root):
        try:
            line = Path(f"/proc/{process}/cmdline").read_text()
        except OSError:
            continue
        if line.startswith("ray::nram") or "spawn_main" in line:
            found.append(process)
    return found


class Study:
    """A study that is driven, and hurt.

    Args:
        folder: Its folder.
        place: Words that say where it runs.
        servant: Process of the cluster; None where there is none.
    """

    def __init__(self, folder: Path, place: list[str], servant: subprocess.Popen[str] | None) -> None:
        self.folder, self._place, self._servant = folder, place, servant
        self.seeds = 0
        self._driver = self._start(MORE)

    def _start(self, more: int) -> subprocess.Popen[bytes]:
        self.seeds += more
        words = ["search", "--tasks", "access", "--seeds", *map(str, range(self.seeds))]
        words += ["--success", GOAL.success, "--updates", str(GOAL.updates), "--run", str(self.folder)]
        words += ["--settings", *(f"{name}={value}" for name, value in SETTINGS.items())]
        call = [sys.executable, "-m", "analysis.commands.cli", *words, *self._place]
        return subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def go_on(self) -> None:
        """Start a driver if there is none: after a kill with the same trials, else with more."""
        if (code := self._driver.poll()) is not None:
            if code not in (0, -9):
                raise SystemExit(f"the driver ended with exit code {code}")
            self._driver = self._start(0 if code else MORE)

    def hurt(self, chance: random.Random) -> str:
        """Kill something while trials are done; says what."""
        victim = chance.choice(["driver", "worker", *(["node"] if self._servant else [])])
        while not (found := workers((self._servant or self._driver).pid)):
            time.sleep(0.1)
            self.go_on()
        time.sleep(chance.uniform(0, LONGEST))
        if victim == "node":
            self._replace_node()
        elif victim == "worker":
            subprocess.run(["kill", "-9", str(chance.choice(found))], stderr=subprocess.DEVNULL)
        else:
            self._driver.kill()
            self._driver.wait()
        return victim

    def _replace_node(self) -> None:
        assert self._servant is not None
        assert self._servant.stdin is not None
        assert self._servant.stdout is not None
        self._servant.stdin.write("\n")
        self._servant.stdin.flush()
        self._servant.stdout.readline()

    def finish(self) -> None:
        """Let it come to its end."""
        while self._driver.wait() != 0:
            if self._driver.returncode != -9:
                raise SystemExit(f"the driver ended with exit code {self._driver.returncode}")
            self._driver = self._start(0)


def faults(study: Study, singly: Path) -> list[str]:
    """What differs from the runs made one by one."""
    with Table(study.folder) as table:
        events = table.events()
    ends = Counter(event.trial for event in events if event.kind == "finished")
    found, wrong = standings(events), []
    with Table(singly, new=True):
        pass
    for seed in range(study.seeds):
        trial = Trial.make("access", seed, GOAL, SETTINGS)
        wanted = do_trial(singly, trial, lambda *_: None)
        came_out = found[trial.key].result
        if came_out is None or wanted is None or replace(came_out, seconds=wanted.seconds) != wanted:
            wrong.append(f"{trial.key}: {came_out} instead of {wanted}")
        elif ends[trial.key] != 1:
            wrong.append(f"{trial.key}: {ends[trial.key]} results")
        elif population(study.folder, trial) != population(singly, trial):
            wrong.append(f"{trial.key}: another population")
    return wrong


def population(folder: Path, trial: Trial) -> bytes:
    """The population of a trial as it was saved."""
    return (trial_folder(folder, trial.key) / POPULATION_FILE).read_bytes()


def check(kills: int, seed: int, local: bool) -> list[str]:
    """Kill and compare; returns what was lost or changed."""
    with tempfile.TemporaryDirectory() as name:
        if local:
            return _check(Path(name), kills, random.Random(seed), ["--local", "2"], None)
        with cluster() as (servant, address):
            return _check(Path(name), kills, random.Random(seed), ["--address", address], servant)


def _check(
    folder: Path, kills: int, chance: random.Random, place: list[str], servant: subprocess.Popen[str] | None
) -> list[str]:
    study = Study(folder / "study", place, servant)
    for number in range(1, kills + 1):
        print(f"kill {number:2d}: {study.hurt(chance)}", flush=True)
        study.go_on()
    study.finish()
    wrong = faults(study, folder / "singly")
    print(f"{kills} kills, {study.seeds} trials, {len(wrong)} lost or changed")
    return wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--local", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve_cluster()
    else:
        found = check(given.kills, given.seed, given.local)
        print("\n".join(found))
        sys.exit(1 if found else 0)
