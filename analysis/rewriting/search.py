"""The search for a shorter program: edits that the judge accepts, one after the other, downhill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

from analysis.program.program import Program
from analysis.rewriting.cases import Judge
from analysis.rewriting.edits import EDITS
from analysis.rewriting.locations import retested, shortcut, split
from analysis.rewriting.size import num_tests, size
from analysis.simplification.canonical import canonical_hash
from analysis.simplification.program import simplify_program
from nram_env.tasks import Task

Watch = Callable[[str], None]

SHORTENED = "shortened_from"
"""Entry of a program's origin: the hash of the program that it was made from."""

_HISTORIES, _LATER = (1, 2), 8


def shorten(program: Program, task: Task, *, seed: int = 0, watch: Watch = lambda line: None) -> Program:
    """A program with the same output that is shorter and easier to read.

    What a program does is looked at on some hundred runs. Where it is becomes control: registers that only
    tell phases apart are not needed any more. Then single edits are tried, as a store, an assignment or a
    register left out, or two states joined; one is made if the program gets smaller and is still right on
    all those runs. That is no proof: put the result to `verify` or `nram prove`, which know nothing of how it
    was found. Cells that are not output may hold something else in the end than after the old program, and
    a pass may do what was several timesteps.

    Args:
        program: A right program that stops by itself.
        task: Its task.
        seed: Seed of the runs.
        watch: Told of every edit.

    Returns:
        The program without certificates; its origin names the old one and counts the edits.

    Raises:
        ValueError: The program is wrong on one of the runs, or does not stop by itself.

    Example:
        >>> from analysis import find_program
        >>> from nram_env import get_task
        >>> short = shorten(find_program("zoo:access"), get_task("access"))
        >>> short.num_registers, len(short.edges)
        (0, 1)
    """
    judge = Judge(task, program, seed)
    if not judge.accepts(program):
        raise ValueError(
            f"program {program.name} does not stop by itself with the right output on all runs of task "
            f"{task.name} that were tried; only a right program can be shortened"
        )
    seen = judge.seen(program)
    histories = (len(seen.edges),) if _is_straight(task) else _HISTORIES
    searches = [_Search(judge, watch, split(program, seen, history)) for history in histories]
    best = min(searches, key=lambda search: size(search.found))
    edits = ", ".join(f"{name} {count}" for name, count in sorted(best.made.items()))
    origin = {**program.origin, SHORTENED: canonical_hash(program), "edits": edits or "none"}
    return replace(best.found, origin=origin, certificates=())


def _is_straight(task: Task) -> bool:
    """Whether the task takes the same number of steps at every n: such runs are written out step by step."""
    return task.horizon(task.smallest_difficulty) == task.horizon(task.smallest_difficulty + _LATER)


class _Search:
    """Downhill from one program, and again from where the states of what was found are split anew.

    Attributes:
        found: The smallest program.
        made: How many edits of each kind led there.
    """

    def __init__(self, judge: Judge, watch: Watch, program: Program) -> None:
        self.judge, self.watch = judge, watch
        self.found, self.made = self._downhill(self._tidy(program))
        while size((again := self._again())[0]) < size(self.found):
            self.found, self.made = again[0], self.made + again[1]

    def _again(self) -> tuple[Program, Counter[str]]:
        return self._downhill(self._tidy(split(self.found, self.judge.seen(self.found), 1)))

    def _downhill(self, program: Program) -> tuple[Program, Counter[str]]:
        """A program that no single edit makes smaller any more, and how many edits of each kind led there."""
        made: Counter[str] = Counter()
        while (smaller := next(self._smaller(program), None)) is not None:
            self.watch(f"{smaller[0]}: {size(program)} -> {size(smaller[1])}")
            made[smaller[0]] += 1
            program = smaller[1]
        return program, made

    def _smaller(self, program: Program) -> Iterator[tuple[str, Program]]:
        """What single edits make of a program, as far as it is right and smaller."""
        seen, now = self.judge.seen(program), size(program)
        for edit in EDITS:
            for candidate in filter(self.judge.accepts, edit(program, seen)):
                simple = simplify_program(candidate)
                if size(simple) - num_tests(simple) >= now:
                    continue
                tidy = self._tidy(simple)
                if size(tidy) < now and self.judge.accepts(tidy):
                    yield edit.__name__, tidy

    def _tidy(self, program: Program) -> Program:
        simple = simplify_program(shortcut(simplify_program(program)))
        return simplify_program(retested(simple, self.judge.seen(simple)))
