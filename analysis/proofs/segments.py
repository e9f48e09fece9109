"""Pieces of the memory that are as they were, or as they should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from analysis.proofs.rows import Rows
from analysis.proofs.setting import t
from analysis.proofs.view import View
from nram_env.tasks.spec import BEFORE, MEMORY, M, TaskSpec, before, i, mem
from nram_env.tasks.terms import Fact, ForAll, Number, Term, all_of, forall, implies

_MOST, _LOOKED_AT = 60, 40


def kept(low: Term, high: Term) -> ForAll:
    """Cells low..high - 1 hold what they held before."""
    return forall("i", low, high, mem(i).equals(before(i)), mem(i))


def right(spec: TaskSpec, low: Term, high: Term) -> ForAll:
    """Those of the cells low..high - 1 that are output hold what is wanted."""
    inside = all_of(spec.output[0] <= i, i < spec.output[1])
    return forall("i", low, high, implies(inside, mem(i).equals(spec.want)), mem(i))


def segments(view: View) -> Iterator[Fact]:
    """The largest pieces, and those between cuts."""
    ends = _ends(view)
    low, high = np.array([values for _, values in ends])[:, None], np.array([values for _, values in ends])
    spec = view.setting.spec
    yield from _pieces(view, ends, low, high, _changed(view.rows), kept)
    first, behind = map(view.rows.value, spec.output)
    low, high = np.maximum(low, first), np.minimum(high, behind)
    yield from _pieces(view, ends, low, high, _wrong(view.rows, spec), partial(right, spec))


def _pieces(
    view: View,
    ends: list[tuple[Term, np.ndarray]],
    low: np.ndarray,
    high: np.ndarray,
    wrong: np.ndarray,
    make: Callable[[Term, Term], ForAll],
) -> Iterator[Fact]:
    """The pieces without a cell that is wrong: each once, however its ends are said."""
    fixed = {*view.setting.spec.cuts, Number(0), M}
    total = np.concatenate([np.zeros((len(view.rows), 1), int), np.cumsum(wrong, axis=1)], axis=1)
    rows, width = np.arange(len(view.rows)), total.shape[1]
    counts = total[rows, np.clip(high, 0, width - 1)] - total[rows, np.clip(low, 0, width - 1)]
    empty = high <= low
    good = (empty | (counts == 0)).all(2) & ~empty.all(2)
    pairs = [(int(first), int(end)) for first, end in np.argwhere(good)]
    values = np.broadcast_arrays(low, high)
    once = {values[0][pair].tobytes() + values[1][pair].tobytes(): pair for pair in reversed(pairs)}
    pairs = sorted(once.values())
    for first, end in pairs:
        if ends[first][0] in fixed and ends[end][0] in fixed:
            yield make(ends[first][0], ends[end][0])
    for first, end in _largest(pairs, *values)[:_MOST]:
        yield make(ends[first][0], ends[end][0])


def _ends(view: View) -> list[tuple[Term, np.ndarray]]:
    """Terms for the ends of pieces that lie in 0..M at every row, one for each column of values."""
    near = [base + offset for offset in (0, -1, 1) for base in view.bases]
    near += [cut + t + offset for cut in view.setting.spec.cuts for offset in (-1, 0, 1)]
    near += [
        cut - register + offset
        for cut in view.setting.spec.cuts
        for register in view.numbers
        for offset in (-1, 0, 1, 2)
    ]
    found: dict[bytes, tuple[Term, np.ndarray]] = {}
    size = view.rows.value(M)
    for term in near:
        values = view.rows.value(term)
        if values.min() >= 0 and (values <= size).all():
            found.setdefault(values.tobytes(), (term, values))
    return list(found.values())


def _changed(rows: Rows) -> np.ndarray:
    """(B, W); which cells hold something else than before."""
    width = rows.functions[MEMORY].shape[1]
    return rows.functions[MEMORY] != rows.functions[BEFORE][:, :width]


def _wrong(rows: Rows, spec: TaskSpec) -> np.ndarray:
    """(B, W); which output cells do not hold what is wanted."""
    low, high = map(rows.value, spec.output)
    width = rows.functions[MEMORY].shape[1]
    found = np.zeros((len(rows), width), dtype=bool)
    for cell in range(int(low.min()), min(int(high.max()), width)):
        wanted = rows.with_integer(i.name, np.full(len(rows), cell)).value(spec.want)
        inside = (low <= cell) & (cell < high)
        found[:, cell] = inside & (rows.functions[MEMORY][:, cell] != wanted)
    return found


def _largest(pairs: list[tuple[int, int]], low: np.ndarray, high: np.ndarray) -> list[tuple[int, int]]:
    """The pieces that no other one holds, as far as some of the rows tell."""
    if not pairs:
        return []
    some = slice(None, None, max(1, low.shape[2] // _LOOKED_AT))
    first, end = np.array(pairs).T
    low, high = low[first, end, some], high[first, end, some]
    empty = high <= low
    inside = np.stack(
        [((low[index] <= low) & (high <= high[index]) | empty).all(1) for index in range(len(pairs))]
    )
    strictly = inside & ~inside.T
    return [pair for index, pair in enumerate(pairs) if not strictly[:, index].any()]
