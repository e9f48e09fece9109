"""A drawing order for acyclic graphs: nodes in columns, few crossings, long wires on rows of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SWEEPS = 8
_GAP = 14.0
_HIGHEST = float("-inf")


@dataclass(frozen=True)
class Place:
    """Where a node goes: its column, and the y of its middle."""

    column: int
    y: float


def arrange(
    columns: Mapping[str, int], heights: Mapping[str, float], wires: Sequence[tuple[str, str]]
) -> tuple[dict[str, Place], list[list[str]]]:
    """Place the nodes of a graph.

    Args:
        columns: Column of every node.
        heights: Height of every node.
        wires: (from, to); each leads to a later column.

    Returns:
        The places, also of the points where wires pass through a column, and for every wire the names
        of the points on its way, both ends included.
    """
    routes = [_route(start, end, columns) for start, end in wires]
    column_of = dict(columns)
    for route in routes:
        column_of.update((name, columns[route[0]] + step) for step, name in enumerate(route))
    rows = _in_columns(column_of)
    neighbours = _neighbours(routes, column_of)
    for sweep in range(_SWEEPS):
        _reorder(rows if sweep % 2 == 0 else rows[::-1], neighbours)
    middle = _heights_on_page(rows, neighbours, heights)
    return {name: Place(column_of[name], middle[name]) for name in column_of}, routes


def _route(start: str, end: str, columns: Mapping[str, int]) -> list[str]:
    """Wires from one node share the points that they pass through."""
    between = range(columns[start] + 1, columns[end])
    return [start, *(f"{start} in column {column}" for column in between), end]


def _in_columns(column_of: Mapping[str, int]) -> list[list[str]]:
    rows: list[list[str]] = [[] for _ in range(max(column_of.values(), default=-1) + 1)]
    for name, column in column_of.items():
        rows[column].append(name)
    return rows


def _neighbours(routes: Sequence[Sequence[str]], column_of: Mapping[str, int]) -> dict[str, list[str]]:
    neighbours: dict[str, list[str]] = {name: [] for name in column_of}
    for route in routes:
        for a, b in pairwise(route):
            neighbours[a].append(b)
            neighbours[b].append(a)
    return neighbours


def _reorder(rows: Sequence[list[str]], neighbours: Mapping[str, Sequence[str]]) -> None:
    """Sort every column by the mean position of the neighbours in the column before; nodes without any wire
    come last, so that they stand beside the graph."""
    for before, here in pairwise(rows):
        position = {name: index for index, name in enumerate(before)}
        own = {name: index for index, name in enumerate(here)}

        def wanted(
            name: str, position: Mapping[str, int] = position, own: Mapping[str, int] = own
        ) -> tuple[bool, float]:
            known = [position[other] for other in neighbours[name] if other in position]
            return not neighbours[name], sum(known) / len(known) if known else own[name]

        here.sort(key=wanted)


def _heights_on_page(
    rows: Sequence[Sequence[str]], neighbours: Mapping[str, Sequence[str]], heights: Mapping[str, float]
) -> dict[str, float]:
    """The y of every middle: near the neighbours', in the order of the column, without overlap. Nodes without
    any wire stand right below the others of their column, and a column of such alone in the middle."""
    middle = {name: 0.0 for row in rows for name in row}
    for _ in range(_SWEEPS):
        for row in rows:
            alone = _HIGHEST if any(neighbours[name] for name in row) else _mean(list(middle.values()))
            near = [[middle[other] for other in neighbours[name]] for name in row]
            wanted = [_mean(found) if found else alone for found in near]
            placed, end = [], _HIGHEST
            for name, y in zip(row, wanted, strict=True):
                half = heights.get(name, 0.0) / 2
                placed.append(max(y, end + half))
                end = placed[-1] + half + _GAP
            shift = _mean([y - put for y, put in zip(wanted, placed, strict=True) if y > _HIGHEST])
            middle.update((name, put + shift) for name, put in zip(row, placed, strict=True))
    top = min((y - heights.get(name, 0.0) / 2 for name, y in middle.items()), default=0.0)
    return {name: y - top for name, y in middle.items()}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
