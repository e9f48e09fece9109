"""`nram play`: the machine driven by hand, in the terminal."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import tyro
from rich.console import Console

from agents import zoo
from analysis.commands.output import emit, plain_console, say
from analysis.commands.tasks import words_of
from analysis.extraction.resolve import ZOO_PREFIX, find_source
from analysis.game.guide import Guide
from analysis.game.session import Session, Setting, answer, farewell, opening
from nram_env.machine import MachineConfig
from nram_env.tasks import Task, get_task

DIFFICULTY = 3
"""n unless another is asked for: small enough for a game of some minutes."""


@dataclass(frozen=True)
class Play:
    """Drive the machine by hand: you are its controller.

    At every timestep you say what gates read and what registers take, as in `r1 = INC r1; WRITE r0 READ(r1)`;
    the machine answers with the paper's table and the output cells that are still wrong. `help` in the game
    explains the notation, `hint` shows what the zoo's program would do, `undo` takes back. Lines may come
    from a pipe as well.

    Examples:
        nram play access
        nram play copy --n 4 --seed 2
    """

    task: tyro.conf.Positional[str] = "access"
    """Task to play."""
    n: int | None = None
    """Difficulty of the instance; default 3."""
    memory_size: int | None = None
    """M of the instance; default: the smallest legal one."""
    seed: int = 0
    """Seed of the instance."""
    program: str | None = None
    """Program whose machine you drive, with which you are compared, and which gives hints: program file, run
    folder, or zoo:TASK; default: the task's in the zoo, if there is one."""
    json: bool = False
    """Print one JSON object at the end; everything else goes to standard error."""

    def __call__(self) -> int:
        """Play; exit code 0 once the player leaves."""
        session = self._session(get_task(self.task))
        console = plain_console(stderr=self.json)
        console.print(opening(session))
        try:
            while not session.over and (line := _line(console, session.prompt)) is not None:
                session, reply = answer(session, line)
                console.print(reply)
        except KeyboardInterrupt:
            console.print("\n", farewell(session), sep="")
            raise
        console.print(farewell(session))
        if self.json:
            emit(_record(session), "", as_json=True)
        return 0

    def _session(self, task: Task) -> Session:
        guide = self._guide(task)
        machine = MachineConfig(task.num_registers) if guide is None else guide.program.machine
        n = max(DIFFICULTY, task.smallest_difficulty) if self.n is None else self.n
        setting = Setting(task, n, self.memory_size, self.seed)
        return Session(setting, setting.game(machine), "\n".join(words_of(task)), guide)

    def _guide(self, task: Task) -> Guide | None:
        name = self.program
        if name is None:
            if task.name not in zoo.entries():
                return None
            name = ZOO_PREFIX + task.name
        source = find_source(name)
        if source.task not in (None, task.name):
            raise ValueError(f"program {name} is for task {source.task}, not for {task.name}")
        return Guide(name, source.program(progress=say))


def _line(console: Console, prompt: str) -> str | None:
    """The next line, with the terminal's own editing; None at the end."""
    if sys.stdin.isatty() and console.is_terminal:
        with suppress(ImportError):
            import readline  # noqa: F401  (input then edits lines and remembers them)
        try:
            return input(prompt)
        except EOFError:
            console.print()
            return None
    console.print(prompt, end="")
    line = sys.stdin.readline()
    console.print(line.rstrip("\n"))  # so that what comes out of a pipe reads like a game
    return line or None


def _record(session: Session) -> dict[str, Any]:
    game = session.game
    return {
        "task": game.task.name,
        "n": session.setting.n,
        "memory": game.memory,
        "lines": [turn.line for turn in game.turns],
        "after": game.now.memory,
        "stopped": game.stopped,
        "right": game.is_right,
        "timesteps": len(game.turns),
        "program": session.guide and session.guide.name,
        "program_timesteps": session.needed,
    }
