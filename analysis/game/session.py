"""A player's session: a line in, the reply and the session after it out. Nothing here reads or prints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from rich.text import Text

from analysis.game.game import Game
from analysis.game.guide import Guide
from analysis.game.notation import MoveError, gate_names
from analysis.game.view import standing_view, table_view
from nram_env.checks import shown
from nram_env.machine import MachineConfig
from nram_env.tasks import Task

RECENT = 4
"""Rows of the table in a reply."""

LARGEST = 64
"""Largest M of a game: a row of the table should be seen at once."""

RULES = """\
The machine has registers r0, r1, ... (all 0 at first) and memory cells, each a number in 0..M-1; arithmetic
is modulo M. In a timestep every gate runs once, in this order, and may read registers and gates before it:
    {gates}
Then all registers change at once. The controller, which you are now, chooses what each gate reads and what
each register takes. (A network that does this sees only which registers are 0. You see everything.)

A line is one timestep. Only what you name changes; the rest keeps its value:
    r1 = INC r1                    r1 takes the output of INC, which reads r1
    READ r0; r2 = READ             a gate's output by its name, once it is said what it reads
    WRITE r0 READ(r1)              cell r0 becomes what is in cell r1: a gate within a gate, in parentheses
    r0 = r1; r1 = r0; stop         both at once, from the old values; then the run ends
    idle                           nothing changes
Pointers (READ p, WRITE p a) are cell numbers. 0, 1 and 2 are the gates ZERO, ONE and TWO. Names may be
shortened: inc, w, eq, lt, le. (The machine cannot leave out a WRITE: one that you do not name writes what its
cell holds already.)
"""

COMMANDS = {
    "hint": ("h", "what the program beside you would do now"),
    "undo": ("u", "take back a timestep, or `undo 3`"),
    "table": ("t", "all timesteps so far"),
    "goal": ("g", "what the task wants"),
    "restart": ("", "begin again; `restart n=4 seed=2 m=12` elsewhere, each word if wanted"),
    "help": ("?", "these rules"),
    "quit": ("q", "leave"),
}
"""Every command with its short form and what it does."""


@dataclass(frozen=True)
class Setting:
    """Which instance is played.

    Attributes:
        task: The task.
        n: Its difficulty.
        memory_size: M; None for the smallest.
        seed: Seed of the instance.
    """

    task: Task
    n: int
    memory_size: int | None = None
    seed: int = 0

    def game(self, machine: MachineConfig) -> Game:
        """The game at its start.

        Raises:
            ValueError: n or M is too small, or M too large.
        """
        size = self.task.smallest_memory_size(self.n) if self.memory_size is None else self.memory_size
        if size > LARGEST:
            raise ValueError(f"a game has at most M = {LARGEST}, got M = {size} (n = {self.n})")
        batch = self.task.sample(np.random.default_rng(self.seed), self.n, size)
        return Game(machine, self.task, tuple(batch.memory[0].tolist()))


@dataclass(frozen=True)
class Session:
    """What is being played, and what is beside it.

    Attributes:
        setting: The instance.
        game: The game on it.
        goal: What the task wants, in words.
        guide: A program to compare with and to ask, if there is one.
        over: Whether the player has left.
    """

    setting: Setting
    game: Game
    goal: str
    guide: Guide | None = None
    over: bool = False

    @cached_property
    def needed(self) -> int | None:
        """How many timesteps the guide takes on this instance, if there is one and it is right."""
        return None if self.guide is None else self.guide.timesteps(self.game)

    @property
    def prompt(self) -> str:
        """What stands before the next line."""
        return "end> " if self.game.stopped else f"t{len(self.game.turns) + 1}> "


def opening(session: Session) -> Text:
    """What is said first."""
    machine = session.game.machine
    about = (
        f"You drive a machine of {machine.num_registers} registers and {machine.num_gates} gates. A line is "
        f"a timestep, as in\n    r1 = INC r1; WRITE r0 READ(r1)\n"
        f"help explains it, hint shows what the program does, quit leaves."
    )
    return Text("\n").join([Text(session.goal.rstrip() + "\n"), Text(about + "\n"), _reply(session)])


def farewell(session: Session) -> Text:
    """What is said last."""
    taken, game = len(session.game.turns), session.game
    how = "solved" if game.is_right else "stopped with a wrong output" if game.stopped else "not stopped"
    return Text(f"{game.task.name}: {how} after {_timesteps(taken)}{_compared(session)}")


def answer(session: Session, line: str) -> tuple[Session, Text]:
    """Take a line.

    Args:
        session: The session.
        line: A timestep, or a command.

    Returns:
        The session after it, and the reply. What cannot be done is said, and nothing changes.
    """
    words = line.split()
    if not words:
        return session, _reply(session)
    command = _command(words[0])
    try:
        return _DO[command](session, words[1:]) if command else _played(session, line.strip())
    except ValueError as error:
        return session, Text(str(error), "red")


def _command(word: str) -> str | None:
    return next((name for name, (short, _) in COMMANDS.items() if word.lower() in (name, short)), None)


def _played(session: Session, line: str) -> tuple[Session, Text]:
    try:
        after = replace(session, game=session.game.play(line))
    except MoveError as error:
        raise MoveError(f"{error}\nhelp explains the notation; commands are {', '.join(COMMANDS)}") from None
    return after, _reply(after)


def _reply(session: Session) -> Text:
    game, setting = session.game, session.setting
    head = f"{game.task.title}  n = {setting.n}  M = {len(game.memory)}  seed {setting.seed}"
    parts = [Text(head, "bold"), table_view(game, RECENT), standing_view(game)]
    if game.stopped:
        parts.append(Text.assemble(farewell(session), "; undo, restart or quit"))
    else:
        parts.append(Text(f"{_timesteps(len(game.turns))} so far{_compared(session)}"))
    return Text("\n").join(parts)


def _timesteps(count: int) -> str:
    return f"{count} timestep{'' if count == 1 else 's'}"


def _compared(session: Session) -> str:
    if session.guide is None or session.needed is None:
        return f" (T(n) = {session.game.task.horizon(session.setting.n)})"
    return f" ({session.guide.name} takes {session.needed})"


def _help(session: Session, words: list[str]) -> tuple[Session, Text]:
    rules = RULES.format(gates=" ".join(gate_names(session.game.machine)))
    commands = "\n".join(f"    {name:<9}{short:<3}{what}" for name, (short, what) in COMMANDS.items())
    return session, Text(f"{rules}\nCommands:\n{commands}")


def _hint(session: Session, words: list[str]) -> tuple[Session, Text]:
    if session.guide is None:
        return session, Text(f"there is no program of {session.game.task.name} to ask; --program names one")
    if session.game.stopped:
        return session, Text("the run has ended; undo or restart")
    line, name = session.guide.hint(session.game), session.guide.name
    if line is None:
        return session, Text(f"{name} knows no way on from here; undo leads back")
    return session, Text(f"{name} would do:  {line}")


def _undo(session: Session, words: list[str]) -> tuple[Session, Text]:
    count = _number("undo", " ".join(words)) if words else 1
    after = replace(session, game=session.game.undo(count))
    return after, _reply(after)


def _restart(session: Session, words: list[str]) -> tuple[Session, Text]:
    changes: dict[str, Any] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name.lower() not in _PLACES:
            raise ValueError(f"restart takes n=NUMBER, m=NUMBER and seed=NUMBER, got {shown(word)}")
        changes[_PLACES[name.lower()]] = _number(name, value)
    setting = replace(session.setting, **changes)
    after = replace(session, setting=setting, game=setting.game(session.game.machine))
    return after, _reply(after)


_PLACES = {"n": "n", "m": "memory_size", "seed": "seed"}


def _number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise ValueError(f"{name} takes a whole number, got {shown(text)}")
    return int(text)


_DO: dict[str, Callable[[Session, list[str]], tuple[Session, Text]]] = {
    "help": _help,
    "goal": lambda session, words: (session, Text(session.goal)),
    "table": lambda session, words: (session, table_view(session.game)),
    "hint": _hint,
    "undo": _undo,
    "restart": _restart,
    "quit": lambda session, words: (replace(session, over=True), Text()),
}
