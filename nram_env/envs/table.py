"""The paper's table of a machine: what stands in it, for text and HTML alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from nram_env.envs.episode import EpisodeState
from nram_env.envs.frame import Access, Frame
from nram_env.machine import Gate
from nram_env.markup import Mark

SURE = 0.9
"""A distribution whose largest probability is below this is marked with `~`."""


@dataclass(frozen=True)
class Entry:
    """The most probable integer of a cell or register.

    Attributes:
        value: The integer, or what stands in its place.
        doubt: "~" where it is uncertain.
        marks: What the last timestep did to it, and whether it is as wanted.
    """

    value: str
    doubt: str = ""
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Row:
    """A machine at one moment, or what is wanted of its memory.

    Attributes:
        name: Of the row.
        cells: M entries.
        registers: R entries, or none.
        touched: What READ and WRITE do next, in words.
    """

    name: str
    cells: tuple[Entry, ...]
    registers: tuple[Entry, ...] = ()
    touched: tuple[str, ...] = ()


def heading(frame: Frame) -> list[str]:
    """Task and sizes, progress, survival, and whether it is over."""
    state = frame.state
    parts = [
        frame.title,
        f"n = {state.difficulty.item()}",
        f"M = {state.memory_size}",
        f"step {state.elapsed.item()} of {state.horizon.item()}",
        f"survival {state.survival.item():.3f}",
    ]
    return [*parts, "finished"] if state.finished.item() else parts


def rows(frame: Frame) -> Iterator[Row]:
    """The state at the start of the last timestep, if there was one, the state now, and what is wanted."""
    if frame.before is not None:
        yield _moment(frame.before, frame.accesses, ())
    yield _moment(frame.state, (), frame.accesses)
    yield wanted(frame.state, 0)


def _moment(state: EpisodeState, starting: Sequence[Access], ended: Sequence[Access]) -> Row:
    """One state; `starting` are the accesses of the timestep that starts here, `ended` of the one before."""
    touched = tuple(_touch(access) for access in starting)
    read, written = _cells(starting, Gate.READ), _cells(ended, Gate.WRITE)
    name = str(state.elapsed.item() + 1)
    return Row(name, cell_entries(state, 0, read, written), register_entries(state, 0), touched)


def cell_entries(
    state: EpisodeState, row: int, read: frozenset[int] = frozenset(), written: frozenset[int] = frozenset()
) -> tuple[Entry, ...]:
    """The memory of one row of a batch, with its marks."""
    memory, target, mask = (part[row].numpy(force=True) for part in (state.memory, state.target, state.mask))
    right = mask & (memory.argmax(-1) == target)
    return tuple(
        _entry(distribution, _marks(cell in read, cell in written, bool(right[cell])))
        for cell, distribution in enumerate(memory)
    )


def register_entries(state: EpisodeState, row: int) -> tuple[Entry, ...]:
    """The registers of one row of a batch."""
    return tuple(_entry(distribution) for distribution in state.registers[row].numpy(force=True))


def wanted(state: EpisodeState, row: int) -> Row:
    """What is wanted of one row of a batch; a dot stands where nothing is."""
    target, mask = (part[row].tolist() for part in (state.target, state.mask))
    return Row(
        "want", tuple(Entry(str(value) if at else ".") for value, at in zip(target, mask, strict=True))
    )


def _entry(distribution: np.ndarray, marks: tuple[Mark, ...] = ()) -> Entry:
    return Entry(str(distribution.argmax()), _doubt(distribution), marks)


def _doubt(distribution: np.ndarray) -> str:
    return "" if distribution.max() >= SURE else "~"


def _marks(read: bool, written: bool, right: bool) -> tuple[Mark, ...]:
    found: dict[Mark, bool] = {"written": written, "read": read, "as wanted": right}
    return tuple(mark for mark, holds in found.items() if holds)


def _cells(accesses: Sequence[Access], gate: Gate) -> frozenset[int]:
    return frozenset(int(access.pointer.argmax()) for access in accesses if access.gate is gate)


def _touch(access: Access) -> str:
    arrow = "->" if access.gate is Gate.READ else "<-"
    pointer, value = (f"{part.argmax()}{_doubt(part)}" for part in (access.pointer, access.value))
    return f"{access.gate.label} {pointer} {arrow} {value}"
