"""The states of a program as circles, its edges as arrows with letters that name their blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import cos, hypot, pi, sin

from analysis.pictures.svg import CHARACTER, Picture, line, point, words
from analysis.program.program import START, Edge, Program
from analysis.program.text import guard_text

_IN_A_ROW = 5
_STEP_X, _STEP_Y, _RADIUS = 190.0, 150.0, 24.0
_BEND, _PARALLEL_BEND, _LONG_BEND = 34.0, 26.0, 60.0
"""How far an arrow's middle lies off the straight line: at least, more for every parallel arrow, and more for
every state that it passes, so that it passes the loops as well."""
_BETWEEN, _BESIDE = _STEP_X - 2 * _RADIUS, _STEP_X - 10
"""Widest label between two states, and above or below one."""
_LOOP, _LOOP_WIDTH, _FAN = 50.0, 18.0, 0.8 * pi
"""How far a state's loops reach from its middle, how far apart their tips are at least, their whole angle."""


@dataclass(frozen=True)
class _Arrow:
    """A drawn edge: its shape, its label, and where the label's base line starts or is centred."""

    shape: str
    label: str
    x: float
    y: float
    centred: bool = True

    @property
    def left(self) -> float:
        return self.x - (self._width / 2 if self.centred else 0)

    @property
    def right(self) -> float:
        return self.left + self._width

    @property
    def _width(self) -> float:
        return len(self.label) * CHARACTER

    def words(self) -> str:
        return words(self.x, self.y, self.label, "middle label" if self.centred else "label")


def edge_label(number: int) -> str:
    """The letter of an edge: A to Z, then A1, B1, ..."""
    turn, letter = divmod(number, 26)
    return chr(ord("A") + letter) + (str(turn) if turn else "")


def state_picture(program: Program) -> Picture:
    """Draw the states, row by row to and fro, and the edges; an arrow from nowhere points at the first.

    A label names the edge's block, and its guard where there is room for it.
    """
    arrows = list(_arrows(program))
    places = [_place(state) for state in range(len(program.states))]
    margin = _RADIUS + 6
    left = min([places[START][0] - _RADIUS - 34, *(arrow.left for arrow in arrows)])
    right = max([*(x + margin for x, _ in places), *(arrow.right for arrow in arrows)])
    top = min([-margin, *(arrow.y - 14 for arrow in arrows)])
    bottom = max([*(y + margin for _, y in places), *(arrow.y + 6 for arrow in arrows)])
    shapes = [
        _start(),
        *(arrow.shape for arrow in arrows),
        *_states(program),
        *(arrow.words() for arrow in arrows),
    ]
    group = f'<g transform="translate({-left:.1f} {-top:.1f})">{"".join(shapes)}</g>'
    return Picture(right - left, bottom - top, (group,))


def _place(state: int) -> tuple[float, float]:
    row, column = divmod(state, _IN_A_ROW)
    return (column if row % 2 == 0 else _IN_A_ROW - 1 - column) * _STEP_X, row * _STEP_Y


def _start() -> str:
    x, y = _place(START)
    return line(f"M{point(x - _RADIUS - 34, y)} L{point(x - _RADIUS, y)}", "arrow")


def _states(program: Program) -> Iterator[str]:
    for state, name in enumerate(program.states):
        x, y = _place(state)
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_RADIUS:.0f}" class="state"/>'
        yield words(x, y + 4, name[:6], "middle")


def _arrows(program: Program) -> Iterator[_Arrow]:
    names = [register.name for register in program.registers]
    alike = Counter((edge.source, edge.target) for edge in program.edges)
    drawn: Counter[tuple[int, int | None]] = Counter()
    for number, edge in enumerate(program.edges):
        pair = edge.source, edge.target
        parallel, label = drawn[pair], edge_label(number)
        drawn[pair] += 1
        guarded = label if edge.guard.always else f"{label}: {guard_text(edge.guard, names)}"
        if len(guarded) * CHARACTER <= _room(edge, alike[pair]):
            label = guarded
        if edge.target is None:
            yield _stop(edge.source, label, parallel)
        elif edge.target == edge.source:
            yield _loop(edge.source, label, parallel, alike[pair])
        else:
            yield _arrow(edge.source, edge.target, label, parallel)


def _room(edge: Edge, parallel: int) -> float:
    """Widest label of an edge; loops of one state stand too close for more than a letter."""
    if edge.target not in (None, edge.source):
        return _BETWEEN
    return _BESIDE if edge.target is None or parallel == 1 else 0


def _loop(state: int, label: str, parallel: int, count: int) -> _Arrow:
    """One of the `count` loops of a state: they fan out above it, each with its label at its tip."""
    x, y = _place(state)
    apart = min(pi / 5, _FAN / count)
    tip = max(_LOOP, count * _LOOP_WIDTH / _FAN)
    angle = -pi / 2 + (parallel - (count - 1) / 2) * apart

    def at(distance: float, turn: float) -> tuple[float, float]:
        return x + distance * cos(angle + turn), y + distance * sin(angle + turn)

    narrow, wide = min(pi / 6, 0.4 * apart), min(pi / 6, 0.45 * apart) if count > 1 else pi / 6
    reach = (tip - _RADIUS * cos(narrow) / 4) / (0.75 * cos(wide))  # a curve's middle lies on its tip
    start, bend, back, end = at(_RADIUS, -narrow), at(reach, -wide), at(reach, wide), at(_RADIUS, narrow)
    curve = f"M{point(*start)} C{point(*bend)} {point(*back)} {point(*end)}"
    label_x, label_y = at(tip + 12, 0)
    return _Arrow(line(curve, "arrow"), label, label_x, label_y + 4)


def _stop(state: int, label: str, parallel: int) -> _Arrow:
    x, y = _place(state)
    end_x, end_y = x + 30 * parallel, y + _RADIUS + 34 + 18 * parallel
    shape = line(f"M{point(*_towards(x, y, end_x, end_y))} L{point(end_x, end_y - 6)}", "arrow")
    dot = f'<circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="6" class="stop"/>'
    return _Arrow(shape + dot, label, end_x + 11, end_y + 4, centred=False)


def _arrow(source: int, target: int, label: str, parallel: int) -> _Arrow:
    """A curve that leaves to the left of its direction, so that there and back do not meet."""
    (x0, y0), (x1, y1) = _place(source), _place(target)
    length = hypot(x1 - x0, y1 - y0)
    along_x, along_y = (x1 - x0) / length, (y1 - y0) / length
    straight = target == source + 1 and parallel == 0
    bend = 0.0 if straight else _BEND + _PARALLEL_BEND * parallel + _LONG_BEND * (length / _STEP_X - 1)
    middle_x, middle_y = (x0 + x1) / 2 + along_y * bend, (y0 + y1) / 2 - along_x * bend
    top_x, top_y = middle_x + along_y * bend, middle_y - along_x * bend
    start, end = _towards(x0, y0, top_x, top_y), _towards(x1, y1, top_x, top_y)
    curve = f"M{point(*start)} Q{point(top_x, top_y)} {point(*end)}"
    return _Arrow(line(curve, "arrow"), label, middle_x, middle_y - 5)


def _towards(x: float, y: float, to_x: float, to_y: float) -> tuple[float, float]:
    """The point of the circle around (x, y) that looks towards another point."""
    length = hypot(to_x - x, to_y - y)
    return x + (to_x - x) / length * _RADIUS, y + (to_y - y) / length * _RADIUS
