"""What a player sees: the machine's reply in the layout of the paper's tables, and what is still wrong."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from analysis.game.game import Game, Turn
from analysis.printing.trace import access_entries, cell_entries, padded
from nram_env.machine import Gate

READ, WRITTEN, RIGHT, WRONG = "cyan", "bold red", "green", "yellow"
"""Styles of a cell that the timestep reads, one that the timestep before wrote, and outputs."""


def table_view(game: Game, rows: int | None = None) -> Text:
    """The paper's table: the machine before every timestep and now, and the wanted output below.

    Brackets stand round what the timestep before wrote. Nothing is told by colour alone.

    Args:
        game: The game.
        rows: How many of the last rows to show; None for all.
    """
    first = 0 if rows is None else max(0, len(game.turns) + 1 - rows)
    size, registers = len(game.memory), game.machine.num_registers
    heading = ["t", *(f"{cell} " for cell in range(size)), *(f"r{r}" for r in range(registers))]
    lines = [[*heading, "READ", "WRITE"]]
    lines += [_entries(game, time) for time in range(first, len(game.turns) + 1)]
    wanted = [f"{game.wanted.get(cell, '.')} " for cell in range(size)]
    lines.append(["want", *wanted, *[""] * (registers + 2)])
    styles = [{}, *(_styles(game, time) for time in range(first, len(game.turns) + 1)), {}]
    bars, left = {1, 1 + size, 1 + size + registers}, {1 + size + registers, 2 + size + registers}
    shown = zip(padded(lines, bars, left), styles, strict=True)
    return Text("\n").join(_styled(pieces, style) for pieces, style in shown)


def _entries(game: Game, time: int) -> list[str]:
    """One row: the state after so many timesteps, and what the next one touches."""
    position, written = game.positions[time], _addresses(game.turns[time - 1 : time], Gate.WRITE)
    cells = cell_entries(position.memory, written)
    accesses = game.turns[time].accesses if time < len(game.turns) else ()
    name = "end" if time == len(game.turns) and game.stopped else str(time + 1)
    return [name, *cells, *map(str, position.registers), *access_entries(accesses)]


def _styles(game: Game, time: int) -> dict[int, str]:
    """Styles by column; a later one of these wins: right or wrong, read, written."""
    memory = game.positions[time].memory
    styles = {1 + cell: RIGHT if memory[cell] == value else WRONG for cell, value in game.wanted.items()}
    styles |= {1 + cell: READ for cell in _addresses(game.turns[time : time + 1], Gate.READ)}
    return styles | {1 + cell: WRITTEN for cell in _addresses(game.turns[time - 1 : time], Gate.WRITE)}


def _addresses(turns: Sequence[Turn], gate: Gate) -> set[int]:
    return {access.address for turn in turns for access in turn.accesses if access.gate is gate}


def _styled(pieces: Sequence[str], styles: dict[int, str]) -> Text:
    text = Text()
    for column, piece in enumerate(pieces):
        text.append(piece, styles.get(column))
    text.rstrip()
    return text


def standing_view(game: Game) -> Text:
    """Which output cells are still wrong."""
    if not game.wrong:
        said = "every output cell is right" + ("" if game.stopped else "; stop ends the run")
        return Text(said, RIGHT)
    cells = ", ".join(map(str, game.wrong))
    word = "cell" if len(game.wrong) == 1 else "cells"
    return Text(f"still wrong: {word} {cells} ({len(game.wrong)} of {len(game.wanted)})", WRONG)
