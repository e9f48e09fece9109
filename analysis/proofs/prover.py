"""Proofs of whole programs, found without any setting by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.program.certificate import Counterexample, Verdict
from analysis.program.program import Program
from analysis.proofs.attempt import Attempt, attempt
from analysis.proofs.checking import SOLVERS, disagreements, solver_version
from analysis.proofs.claims import Goal
from analysis.proofs.counterexamples import search_counterexample
from analysis.proofs.houdini import OutOfReachError, OutOfTimeError
from analysis.proofs.knobs import phase_of, settings
from analysis.proofs.minimise import minimal
from analysis.proofs.obligations import obligations
from analysis.proofs.proof import Proof
from analysis.proofs.runs import Runs, instances, record
from analysis.proofs.setting import Location, Setting, spec_of
from analysis.proofs.statement import location_text
from analysis.proofs.timing import Conjecture, Timing, conjectures, larger_instances, observe
from analysis.proofs.vacuity import contradictions
from analysis.verification.correctness import counterexample
from analysis.verification.stopping import claim_of
from nram_env.tasks import Task
from nram_env.tasks.terms import text

MINUTES = 10.0
"""How long a proof is looked for unless told otherwise."""

_LATER = 4
"""A weaker claim is tried when so many settings of a stronger one have failed."""

_SHARE = 4
"""No attempt takes more than this part of the time, or _LEAST seconds."""

_LEAST = 60.0

_KEPT, _LOOK = 0.2, 10.0
"""The part of the time that is kept for what is told where nothing is proved; seconds of a first look."""

Watch = Callable[[str], None]


@dataclass(frozen=True)
class Finding:
    """What came of looking for a proof.

    Attributes:
        verdict: PROVED, REFUTED or UNKNOWN.
        claim: What was claimed, in words; of what is REFUTED, what was expected.
        proof: The proof, where there is one.
        counterexample: The instance that refutes the program.
        best: The attempt that made the proof; of what is UNKNOWN one that did not, with what failed.
        tried: The attempts, in words.
        seconds: How long it took.
    """

    verdict: Verdict
    claim: str
    proof: Proof | None = None
    counterexample: Counterexample | None = None
    best: Attempt | None = None
    tried: tuple[str, ...] = ()
    seconds: float = 0.0


def prove(
    program: Program, task: Task, *, minutes: float = MINUTES, seed: int = 0, watch: Watch = lambda line: None
) -> Finding:
    """Look for a proof that a program does what its task wants, for every legal memory of every size.

    Args:
        program: The program.
        task: The task; it has to have a `spec`.
        minutes: How long to look.
        seed: Seed of the runs that facts are guessed from.
        watch: Told what is going on.

    Returns:
        PROVED with a proof to whose every obligation two solvers agreed, REFUTED with an instance on which
        the program is wrong, or UNKNOWN.

    Raises:
        ValueError: The task has no specification, the program has a constant that proofs do not know, or the
            solvers are not installed.
    """
    for solver in SOLVERS:
        solver_version(solver)
    return _Search(program, task, minutes, seed, watch).found()


class _Search:
    """Settings for claims, one after the other, until a proof is found or the time is over."""

    def __init__(self, program: Program, task: Task, minutes: float, seed: int, watch: Watch) -> None:
        self.program, self.task, self.spec, self.watch = program, task, spec_of(task), watch
        self.begun = time.monotonic()
        self.end = self.begun + 60 * minutes
        self.tried: list[str] = []
        self.memories = instances(task, seed)
        self.larger = larger_instances(task, seed)

    def found(self) -> Finding:
        self.watch(f"running the program on {len(self.memories) + len(self.larger)} instances")
        timing = observe(self.program, self.task, self.spec, [*self.memories, *self.larger])
        if (wrong := self._wrong(timing)) is not None:
            return self._finding("REFUTED", claim_of(timing.must_stop), counterexample=wrong)
        made = conjectures(timing, self.spec)
        try:
            return self._decided(made, self._runs(timing), timing.must_stop)
        except KeyboardInterrupt:
            self.tried.append("interrupted")
            return self._finding("UNKNOWN", str(made[0].claim))

    def _decided(self, made: list[Conjecture], runs: Runs, must_stop: bool) -> Finding:
        plan = list(_plan(self.program, self.task, made, phase_of(runs)))
        end = self.begun + (1 - _KEPT) * (self.end - self.begun)
        for number, (conjecture, setting) in enumerate(plan):
            found = self._attempt(conjecture, setting, runs, end)
            if found is not None and (proof := self._confirmed(found)) is not None:
                return self._finding("PROVED", str(proof.claim), proof=proof, best=found)
            if number == 0 and (wrong := self._unrolled(must_stop, _LOOK)) is not None:
                return self._finding("REFUTED", claim_of(must_stop), counterexample=wrong)
            if time.monotonic() > end:
                break
        if (wrong := self._unrolled(must_stop, (self.end - time.monotonic()) / 2)) is not None:
            return self._finding("REFUTED", claim_of(must_stop), counterexample=wrong)
        return self._finding("UNKNOWN", str(made[0].claim), best=self._strongest(*plan[0], runs))

    def _finding(self, verdict: Verdict, claim: str, **found: Any) -> Finding:
        seconds = time.monotonic() - self.begun
        return Finding(verdict, claim, tried=tuple(self.tried), seconds=seconds, **found)

    def _wrong(self, timing: Timing) -> Counterexample | None:
        """The smallest instance on which the program is wrong, replayed."""
        wrong = [index for index, right in enumerate(timing.right) if not right]
        if not wrong:
            return None
        memories = [*self.memories, *self.larger]
        first = min(wrong, key=lambda index: (len(memories[index]), memories[index]))
        end = int((timing.tested if timing.must_stop else timing.horizon)[first])
        return counterexample(self.program, self.task, np.array(memories[first]), end, timing.must_stop)

    def _runs(self, timing: Timing) -> Runs:
        """The small instances, run to the stop, or far beyond T(n)."""
        small = len(self.memories)
        sizes = np.array([len(memory) for memory in self.memories])
        beyond = timing.horizon[:small] + 3 * sizes
        limits = timing.tested[:small] if timing.must_stop else beyond
        return record(self.program, self.spec, self.memories, limits)

    def _attempt(self, conjecture: Conjecture, setting: Setting, runs: Runs, end: float) -> Attempt | None:
        begun = time.monotonic()
        deadline = min(end, begun + max(_LEAST, (end - begun) / _SHARE))
        self.watch(f"{conjecture.claim}: {setting}")
        found = None
        try:
            found = attempt(setting, conjecture.claim, runs, deadline, self.watch)
            outcome = "the claim follows" if found.proved else _lost(setting, *found.failed[0])
        except OutOfReachError as error:
            outcome = _lost(setting, error.place, error.goal)
        except OutOfTimeError:
            outcome = "out of time"
        self.tried.append(f"{conjecture.claim}; {setting}: {outcome} ({time.monotonic() - begun:.0f} s)")
        return found if found is not None and found.proved else None

    def _unrolled(self, must_stop: bool, seconds: float) -> Counterexample | None:
        """A counterexample among all memories of small sizes; None if there is none, or no time."""
        self.watch("looking for a counterexample")
        seconds = min(seconds, self.end - time.monotonic())
        found = search_counterexample(self.program, self.task, must_stop, seconds, self.watch)
        self.tried.append(f"no counterexample at {len(found.cleared)} small sizes, whatever the memory holds")
        return found.counterexample

    def _strongest(self, conjecture: Conjecture, setting: Setting, runs: Runs) -> Attempt | None:
        """The invariant of the most promising setting, with all goals that do not follow from it."""
        self.watch("looking for the strongest invariant")
        try:
            return attempt(setting, conjecture.claim, runs, self.end, self.watch, hasty=False)
        except OutOfTimeError:
            return None

    def _confirmed(self, found: Attempt) -> Proof | None:
        """The proof with as few facts as are needed, or with all, once both solvers agree to all of it."""
        whole = Proof(found.setting, found.claim, found.invariants, found.unchanged)
        for contradiction in contradictions(whole):
            self.tried.append(contradiction)
            return None
        for proof in (minimal(whole), whole):
            doubts = disagreements(obligations(proof), watch=self.watch)
            if not doubts:
                return proof
            self.tried.append(f"solvers do not agree: {doubts[0]}")
        return None


def _lost(setting: Setting, place: Location, goal: Goal) -> str:
    return f"{location_text(place, setting)} no longer certain: {text(goal.fact)}"


def _plan(
    program: Program, task: Task, made: list[Conjecture], phase: int
) -> Iterator[tuple[Conjecture, Setting]]:
    """What to try, in order: the weaker a claim and the costlier a setting, the later."""
    plan = [
        (number + _LATER * weaker, weaker, conjecture, setting)
        for weaker, conjecture in enumerate(made)
        for number, setting in enumerate(settings(program, task, conjecture.claim, conjecture.right, phase))
    ]
    for _, _, conjecture, setting in sorted(plan, key=lambda entry: entry[:2]):
        yield conjecture, setting
