"""Proofs of whole programs, found without any setting by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from analysis.program.certificate import Counterexample, Verdict
from analysis.program.program import Program
from analysis.proofs.attempt import Attempt, attempt
from analysis.proofs.checking import SOLVERS, disagreements, solver_version
from analysis.proofs.claims import Claim, Goal
from analysis.proofs.counterexamples import drawn_counterexample, search_unrolled
from analysis.proofs.evidence import save_evidence
from analysis.proofs.houdini import OutOfReachError, OutOfTimeError
from analysis.proofs.html import finding_page
from analysis.proofs.knobs import phase_of, settings
from analysis.proofs.minimise import minimal
from analysis.proofs.obligations import obligations
from analysis.proofs.proof import Proof
from analysis.proofs.runs import Runs, instances, record
from analysis.proofs.setting import Location, Setting, spec_of
from analysis.proofs.statement import location_text
from analysis.proofs.sweeps import passes, sweeping
from analysis.proofs.timing import Timing, conjectures, larger_instances, observe
from analysis.proofs.vacuity import contradictions
from analysis.verification.correctness import counterexample
from analysis.verification.ladder import task_of
from analysis.verification.stopping import claim_of
from nram_env.tasks import Task
from nram_env.tasks.terms import text

MINUTES = 10.0
"""How long a proof is looked for unless told otherwise."""

_LATER = 4
"""A weaker claim is tried when so many settings of a stronger one have failed."""

_SHARE = 2
"""No attempt takes more than this part of the time, or _LEAST seconds."""

_LEAST = 60.0

_KEPT, _LOOK, _AFTERWARDS = 0.2, 10.0, 30.0
"""The part of the time that is kept for what is told where nothing is proved; seconds of a first look for a
counterexample, and of what is done after an interrupt."""

Claims = tuple[Claim, ...]
Plan = tuple[Claims, Setting]
"""The first of some claims is to be shown that a setting is enough for."""

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

    def save(self, path: str | Path) -> None:
        """Write the evidence, which `recheck` checks again.

        Raises:
            ValueError: There is no proof, or its evidence is larger than evidence may be.
            OSError: The place cannot be written.
        """
        if self.proof is None:
            raise ValueError(f"there is no proof to save: the verdict is {self.verdict}")
        save_evidence(self.proof, path)

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        return finding_page(self)


def prove(
    program: Program,
    task: Task | str | None = None,
    *,
    minutes: float = MINUTES,
    seed: int = 0,
    watch: Watch = lambda line: None,
) -> Finding:
    """Look for a proof that a program does what its task wants, for every legal memory of every size.

    Args:
        program: The program.
        task: The task, which has to have a `spec`; default: the task that the program names.
        minutes: How long to look.
        seed: Seed of the runs that facts are guessed from.
        watch: Told what is going on.

    Returns:
        PROVED with a proof to whose every obligation two solvers agreed, REFUTED with an instance on which
        the program is wrong, or UNKNOWN.

    Raises:
        ValueError: There is no task, it has no specification, the program has a constant that proofs do not
            know, or the solvers are not installed.

    Example:
        >>> from analysis import find_program, prove
        >>> found = prove(find_program("zoo:access"))
        >>> found.verdict, found.claim
        ('PROVED', 'it stops by itself after at most 2 steps, and the output is then right')
    """
    for solver in SOLVERS:
        solver_version(solver)
    return _Search(program, task_of(program, task), minutes, seed, watch).found()


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
        if (wrong := drawn_counterexample(self.program, self.task, timing.must_stop)) is not None:
            return self._finding("REFUTED", claim_of(timing.must_stop), counterexample=wrong)
        runs = self._runs(timing)
        plan = list(_plan(self.program, self.task, timing, runs))
        self.furthest = (0.0, *plan[0])
        try:
            return self._decided(plan, runs, timing.must_stop)
        except KeyboardInterrupt:
            self.tried.append("interrupted")
            self.end = min(self.end, time.monotonic() + _AFTERWARDS)
            return self._finding("UNKNOWN", str(plan[0][0][0]), best=self._strongest(runs))

    def _decided(self, plan: list[Plan], runs: Runs, must_stop: bool) -> Finding:
        end = self.begun + (1 - _KEPT) * (self.end - self.begun)
        for number, (claims, setting) in enumerate(plan):
            found = self._attempt(claims, setting, runs, end)
            if found is not None and (proof := self._confirmed(found)) is not None:
                return self._finding("PROVED", str(proof.claim), proof=proof, best=found)
            if number == 0 and (wrong := self._unrolled(must_stop, _LOOK)) is not None:
                return self._finding("REFUTED", claim_of(must_stop), counterexample=wrong)
            if time.monotonic() > end:
                break
        if (wrong := self._unrolled(must_stop, (self.end - time.monotonic()) / 2)) is not None:
            return self._finding("REFUTED", claim_of(must_stop), counterexample=wrong)
        return self._finding("UNKNOWN", str(plan[0][0][0]), best=self._strongest(runs))

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

    def _attempt(self, claims: Claims, setting: Setting, runs: Runs, end: float) -> Attempt | None:
        begun = time.monotonic()
        deadline = min(end, begun + max(_LEAST, (end - begun) / _SHARE))
        self.watch(f"{claims[0]}: {setting}")
        found = None
        try:
            found = attempt(setting, claims, runs, deadline, self.watch)
            outcome = "the claim follows" if found.proved else _lost(setting, *found.failed[0])
        except OutOfReachError as error:
            outcome = _lost(setting, error.place, error.goal)
        except OutOfTimeError:
            outcome = "out of time"
        finally:
            seconds = time.monotonic() - begun
            self.furthest = max(self.furthest, (seconds, claims, setting), key=lambda entry: entry[0])
        claim = claims[0] if found is None else found.claim
        self.tried.append(f"{claim}; {setting}: {outcome} ({seconds:.0f} s)")
        return found if found is not None and found.proved else None

    def _unrolled(self, must_stop: bool, seconds: float) -> Counterexample | None:
        """A counterexample among all memories of small sizes; None if there is none, or no time."""
        self.watch("looking for a counterexample")
        seconds = min(seconds, self.end - time.monotonic())
        found = search_unrolled(self.program, self.task, must_stop, seconds, self.watch)
        self.tried.append(f"no counterexample at {len(found.cleared)} small sizes, whatever the memory holds")
        return found.counterexample

    def _strongest(self, runs: Runs) -> Attempt:
        """The invariant of the setting that was kept up longest, and all goals that do not follow from it."""
        self.watch("looking for the strongest invariant")
        _, claims, setting = self.furthest
        return attempt(setting, claims, runs, self.end, self.watch, hasty=False)

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


def _plan(program: Program, task: Task, timing: Timing, runs: Runs) -> Iterator[Plan]:
    """What to try, in order: the weaker a claim and the costlier a setting, the later.

    Where no formula says from which t on the output is right, most of the time, registers that sweep over it
    come first.
    """
    made, phase = conjectures(timing, spec_of(task)), phase_of(runs)
    plan: list[tuple[int, int, Claims, Setting]] = [
        (number + _LATER * weaker, weaker, (conjecture.claim,), setting)
        for weaker, conjecture in enumerate(made)
        for number, setting in enumerate(settings(program, task, conjecture.claim, conjecture.right, phase))
    ]
    first, weaker_claims = made[0].claim, passes(timing, spec_of(task)) if timing.must_stop else []
    said_by_time = np.median(timing.start.value(made[0].right) - timing.first) == 0
    for setting in sweeping(program, task, runs):
        number = _LATER if said_by_time else -1
        plan.append((number, 0, (first, *weaker_claims), replace(setting, last=first.last)))
    for _, _, claims, setting in sorted(plan, key=lambda entry: entry[:2]):
        yield claims, setting
