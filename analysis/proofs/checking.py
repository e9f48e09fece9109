"""Two solvers, several seeds, each in a process of its own that can be killed: do they agree?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from select import select
from typing import IO, Any, Literal, cast

from analysis.proofs.obligations import Obligation
from analysis.proofs.solver import INSTALL, OPTIONS, z3_module

Solver = Literal["z3", "cvc5"]
SOLVERS: tuple[Solver, ...] = ("z3", "cvc5")
SEEDS = (0, 1)

SECONDS = 20.0
"""Seconds that a solver has for one obligation."""

_GRACE = 5.0
"""Seconds beyond, as solvers look at the clock now and then only, before their process is ended."""


@dataclass(frozen=True)
class Disagreement:
    """An obligation that a solver did not agree to.

    Attributes:
        name: The obligation's.
        solver: Which solver.
        seed: With which seed.
        answer: What it said: `sat`, `unknown`, or what went wrong.
    """

    name: str
    solver: Solver
    seed: int
    answer: str

    def __str__(self) -> str:
        return f"{self.solver} (seed {self.seed}) says {self.answer} to: {self.name}"


def disagreements(
    obligations: Iterable[Obligation],
    solvers: Sequence[Solver] = SOLVERS,
    seeds: Sequence[int] = SEEDS,
    seconds: float = SECONDS,
    watch: Callable[[str], None] = lambda line: None,
) -> list[Disagreement]:
    """Ask every solver about every obligation.

    Args:
        obligations: What has to be contradictory.
        solvers: Which solvers.
        seeds: With which seeds each.
        seconds: How long an answer may take.
        watch: Told now and then how far it has come.

    Returns:
        What was not answered with `unsat`, in order; empty if all agree.

    Raises:
        ValueError: A solver is not installed.
    """
    found = []
    asked = list(obligations)
    for solver in solvers:
        with _Worker(solver, seconds) as worker:
            for seed in seeds:
                for number, obligation in enumerate(asked):
                    if number % 50 == 0:
                        watch(f"{solver}, seed {seed}: {number} of {len(asked)} obligations")
                    answer = worker.answer(obligation.script, seed)
                    if answer != "unsat":
                        found.append(Disagreement(obligation.name, solver, seed, answer))
    return found


def solver_version(solver: Solver) -> str:
    """The version of a solver.

    Raises:
        ValueError: It is not installed.
    """
    if solver == "z3":
        return str(z3_module().get_version_string())
    return str(_cvc5_module().__version__)


def missing_solver() -> str | None:
    """What keeps proofs from being made here, in words; None if both solvers are installed."""
    try:
        for solver in SOLVERS:
            solver_version(solver)
    except ValueError as error:
        return str(error)
    return None


class _Worker:
    """A solver in a process of its own, which is ended and begun anew where it takes too long.

    The process runs nothing of the caller's script, and what is typed at the terminal does not reach it.
    """

    def __init__(self, solver: Solver, seconds: float) -> None:
        solver_version(solver)
        self._solver, self._seconds = solver, seconds
        self._begin()

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *error: object) -> None:
        self._end()

    def answer(self, script: str, seed: int) -> str:
        """What the solver says."""
        asked, answers = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stdout)
        problem = "nothing: its process ended"
        with suppress(OSError):
            print(json.dumps([self._solver, script, seed, self._seconds]), file=asked, flush=True)
            if not select([answers], [], [], self._seconds + _GRACE)[0]:
                problem = "nothing in time"
            elif line := answers.readline():
                return cast(str, json.loads(line))
        self._end()
        self._begin()
        return problem

    def _begin(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", f"from {__name__} import answer_all; answer_all()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            start_new_session=True,
        )

    def _end(self) -> None:
        self._process.kill()
        with suppress(OSError):
            self._process.communicate()


def answer_all() -> None:
    """Answer every question that comes in, a line each: what a process of `disagreements` runs."""
    for line in sys.stdin:
        solver, script, seed, seconds = json.loads(line)
        try:
            answer = (ask_z3 if solver == "z3" else _ask_cvc5)(script, seed, seconds)
        except Exception as error:
            answer = f"an error: {type(error).__name__}: {error}"
        print(json.dumps(answer), flush=True)


def ask_z3(script: str, seed: int, seconds: float) -> str:
    """What z3 says to a script, whatever it was asked before."""
    z3 = z3_module()
    solver = z3.SimpleSolver(ctx=z3.Context())
    solver.set(timeout=int(1000 * seconds), random_seed=seed, **OPTIONS)
    solver.from_string(script)
    return str(solver.check())


def _ask_cvc5(script: str, seed: int, seconds: float) -> str:
    cvc5 = _cvc5_module()
    solver = cvc5.Solver(cvc5.TermManager())
    solver.setOption("tlimit-per", str(int(1000 * seconds)))
    solver.setOption("seed", str(seed))
    solver.setOption("sat-random-seed", str(seed))
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script, "obligation")
    said = []
    while not (command := parser.nextCommand()).isNull():
        said.append(command.invoke(solver, parser.getSymbolManager()))
    return "".join(said).strip()


def _cvc5_module() -> Any:
    try:
        import cvc5
    except ImportError:
        raise ValueError(INSTALL) from None
    return cvc5


def require_solvers() -> None:
    """Say what to install where a solver is missing.

    Raises:
        ValueError: One is.
    """
    z3_module()
    _cvc5_module()
