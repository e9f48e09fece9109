"""What limits a large study: message sizes and rates of this computer, and a simulation of the scheduler.

    python benchmarks/scale.py measure [--no-ray]          # sizes and rates, as JSON
    python benchmarks/scale.py simulate [docs/seeds.jsonl]  # a table, 1 to 10,000 nodes

The simulation is of the driver of `analysis.studies.driver`: one loop that waits for what has ended, writes
it down, and hands out as many trials as are free, each step with the time that `measure` found for it. How
long a trial takes is drawn from the rows of a study. Nodes are lost at random, and a lost trial is done again
from where it was saved.
"""

from __future__ import annotations

import argparse
import heapq
import json
import pickle
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from analysis.studies.driver import plan
from analysis.studies.progress import standings
from analysis.studies.scheduler import Job
from analysis.studies.table import TABLE_FILE, Event, Table, trial_folder
from analysis.studies.trial import Goal, Trial
from analysis.studies.work import do_trial

EXAMPLE = Trial.make("copy", 1000, Goal(minutes=10.0), {})
RESULT = {"reason": "solved", "updates": 750, "attempts": 1, "seconds": 59.31, "solved": 1, "success": True}
IN_FLIGHT, TASKS = 10_000, 500


@dataclass(frozen=True)
class Costs:
    """Seconds of the driver; the defaults are those in docs/scale.md.

    Attributes:
        begin: To hand out a trial.
        end: To learn of one that has ended.
        flight: For each trial under way, whenever the driver looks.
        commit: To make events durable, however many.
        event: For each of them.
    """

    begin: float = 1.2e-3
    end: float = 1e-3
    flight: float = 2.4e-6
    commit: float = 6.5e-3
    event: float = 4.3e-5


def timed(action: Callable[[], object], repeats: int) -> float:
    """Seconds of an action."""
    begin = time.perf_counter()
    for _ in range(repeats):
        action()
    return (time.perf_counter() - begin) / repeats


def message_sizes() -> dict[str, int]:
    """Bytes of what goes to a worker and comes back, and of a trial's rows in the table."""
    job = Job(EXAMPLE.key, "/storage/studies/seeds", EXAMPLE.to_json())
    answer = {"kind": "finished", "result": RESULT}
    return {
        "job": len(pickle.dumps((job.study, job.content, job.imports))),
        "answer": len(pickle.dumps(answer)),
        "planned event": len(json.dumps({"trial": EXAMPLE.to_json()})),
        "finished event": len(json.dumps({"result": RESULT})),
    }


def folder_sizes(place: Path) -> dict[str, int]:
    """Files and bytes of a trial on Copy by its recipe, after one save."""
    with Table(place, new=True):
        pass
    trial = replace(EXAMPLE, goal=Goal(updates=2))
    do_trial(place, trial, lambda *_: None)
    files = [path for path in trial_folder(place, trial.key).rglob("*") if path.is_file()]
    return {
        "files": len(files),
        "bytes": sum(path.stat().st_size for path in files),
        "bytes of a save": max(path.stat().st_size for path in files),
    }


def table_rates(place: Path) -> dict[str, float]:
    """Seconds for events, one and many at once; for planning, opening and summing up a large study."""
    finished = Event(EXAMPLE.key, "finished", {"result": RESULT})
    with Table(place, new=True) as table:
        one = timed(lambda: table.add([finished]), 200)
        many = timed(lambda: table.add([finished] * 1000), 5)
    trials = [replace(EXAMPLE, settings={"number": number}) for number in range(IN_FLIGHT)]
    for number, trial in enumerate(trials):
        trial.__dict__["key"] = f"copy-{number}"
    with Table(place / "large", new=True) as table:
        planned = timed(lambda: plan(table, trials), 1)
        summed = timed(lambda: standings(table.events()), 1)
    return {
        "commit of 1 event": one,
        "commit of 1,000 events": many,
        "plan of 10,000 trials": planned,
        "start with 10,000 trials": summed,
        "bytes of a table of 10,000 trials": (place / "large" / TABLE_FILE).stat().st_size,
    }


def ray_rates() -> dict[str, float]:
    """Seconds for tasks that do nothing, through Ray on this computer."""
    import ray

    ray.init(address="local", include_dashboard=False, log_to_driver=False, num_cpus=1)
    content = EXAMPLE.to_json()
    task = ray.remote(lambda study, content, imports: {"kind": "finished", "result": RESULT})
    quick = task.options(num_cpus=0.5, max_retries=0)
    never = task.options(num_cpus=1e6, max_retries=0)
    ray.get(quick.remote("", content, ()))
    begin = time.perf_counter()
    references = [quick.remote("", content, ()) for _ in range(TASKS)]
    handed = time.perf_counter()
    ray.get(references)
    ended = time.perf_counter()
    waiting = [never.remote("", content, ()) for _ in range(IN_FLIGHT)]
    look = timed(lambda: ray.wait(waiting, num_returns=1, timeout=0), 5)
    ray.shutdown()
    return {
        "hand out a trial": (handed - begin) / TASKS,
        "a trial that does nothing, from begin to end": (ended - begin) / TASKS,
        "look at 10,000 trials": look,
    }


def measure(with_ray: bool) -> None:
    """Print what this computer does."""
    with tempfile.TemporaryDirectory() as name:
        found: dict[str, Any] = {"messages": message_sizes(), "folder": folder_sizes(Path(name, "a"))}
        found["table"] = table_rates(Path(name, "b"))
    if with_ray:
        found["ray"] = ray_rates()
    print(json.dumps(found, indent=2))


START_UP, LOST_AFTER, SAVED = 5.0, 30 * 86_400.0, 30.0
"""Seconds until a trial trains; mean seconds until a node is lost; seconds between two saves."""


@dataclass
class Simulation:
    """A study under way.

    Args:
        waiting: Seconds of the trials that nobody has yet.
        slots: Trials at once.
        costs: Seconds of the driver.
        chance: Source of chance.
    """

    waiting: list[float]
    slots: int
    costs: Costs
    chance: np.random.Generator
    running: list[tuple[float, float, float]] = field(default_factory=list)
    """Moment at which each ends; seconds that it will have trained by then; seconds that it needs."""
    now: float = 0.0
    worked: float = 0.0
    losses: int = 0

    def begin(self) -> None:
        """Hand out as many trials as are free."""
        count = min(self.slots - len(self.running), len(self.waiting))
        for number in range(count):
            left = self.waiting.pop()
            trained = min(left, self.chance.exponential(LOST_AFTER))
            moment = self.now + (number + 1) * self.costs.begin + START_UP + trained
            heapq.heappush(self.running, (moment, trained, left))
        self._work(count * (self.costs.begin + self.costs.event) + (self.costs.commit if count else 0.0))

    def look(self) -> None:
        """Wait until something ends, and write it down."""
        self._work(self.costs.flight * len(self.running))
        self.now = max(self.now, self.running[0][0])
        count = 0
        while self.running and self.running[0][0] <= self.now:
            _, trained, left = heapq.heappop(self.running)
            count += 1
            if trained < left:
                self.losses += 1
                self.waiting.append(left - max(0.0, trained - SAVED))
        self._work(count * (self.costs.end + self.costs.event) + self.costs.commit)

    def _work(self, seconds: float) -> None:
        self.now, self.worked = self.now + seconds, self.worked + seconds


def simulated(times: np.ndarray, nodes: int, per_node: int, rounds: int) -> list[str]:
    """A row of the table: a study of so many rounds of trials on all slots, until none waits any more.

    What comes after that, while the last trials run out, is the same on any number of nodes.
    """
    slots = nodes * per_node
    study = Simulation(
        list(np.random.default_rng(0).choice(times, slots * rounds)), slots, Costs(), np.random.default_rng(1)
    )
    total = sum(study.waiting)
    study.begin()
    while study.waiting:
        study.look()
        study.begin()
    kept = total - sum(
        left - max(0.0, trained + study.now - moment) for moment, trained, left in study.running
    )
    done = slots * rounds - len(study.running)
    shares = [f"{kept / (slots * study.now):.0%}", f"{study.worked / study.now:.1%}"]
    rate = 3600 * done / study.now
    counts = [f"{nodes:,}", f"{slots:,}", f"{done:,}", f"{rate:,.0f}"]
    return [*counts, *shares, f"{study.losses:,}"]


def simulate(rows: Path) -> None:
    """Print a table of studies on more and more nodes."""
    times = np.array([json.loads(line)["seconds"] for line in rows.read_text().splitlines()])
    print(f"{len(times)} trials in {rows}: mean {times.mean():.0f} s, median {np.median(times):.0f} s")
    print(f"{Costs()}\n")
    print("| nodes | at once | trials | trials/h | slots at work | driver at work | lost |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for nodes in (1, 10, 100, 1_000, 10_000):
        print(f"| {' | '.join(simulated(times, nodes, 16, 10))} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    measuring = verbs.add_parser("measure")
    measuring.add_argument("--no-ray", action="store_true")
    verbs.add_parser("simulate").add_argument("rows", type=Path, nargs="?", default=Path("docs/seeds.jsonl"))
    given = parser.parse_args()
    if given.verb == "measure":
        measure(not given.no_ray)
    else:
        simulate(given.rows)
