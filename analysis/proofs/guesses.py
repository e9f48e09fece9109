"""What may always hold at a location: facts that hold in every situation that was met there.

Nothing here has to be right: `analysis.proofs.houdini` takes away whatever does not follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, permutations

import numpy as np

from analysis.proofs.affine import equations
from analysis.proofs.fronts import fronts
from analysis.proofs.rows import NOTHING, Rows
from analysis.proofs.segments import segments
from analysis.proofs.setting import t
from analysis.proofs.view import View
from nram_env.tasks.spec import BEFORE, MEMORY, M, before, mem, n
from nram_env.tasks.terms import Fact, Sum, Term, Variable, any_of, app, implies, term_of

_NEAR, _FAR, _FEWEST = 4, 8, 10
_BOUNDARY_CELLS = (0, 1, 2)


Template = Callable[[View], Iterator[Fact]]


def bit_bounds(view: View) -> Iterator[Fact]:
    """r <= 1, and r >= 1."""
    for register in view.setting.registers:
        if register in view.bits:
            yield register <= 1
        if view.rows.value(register).min() >= 1:
            yield register >= 1


def linear_equations(view: View) -> Iterator[Fact]:
    """Linear equations between t, registers, parameters and M."""
    for sum_of in _linear(view, view.rows):
        yield sum_of.equals(0)


def wrapped_equations(view: View) -> Iterator[Fact]:
    """The same modulo M: what is an equation before any counter passes M, up to one M more or less."""
    size, time, difficulty = (view.rows.value(variable) for variable in (M, t, n))
    early = (time + difficulty + 2 <= size, 2 * (time + difficulty) <= size)
    sums = [
        sum_of for rows in early if rows.sum() > _FEWEST for sum_of in _linear(view, view.rows.chosen(rows))
    ]
    pairs = permutations([*view.numbers, t], 2)
    sums += [left - right - offset for left, right in pairs for offset in (0, 1)]
    for sum_of in sums:
        fact = any_of(sum_of.equals(0), sum_of.equals(M), sum_of.equals(-M))
        if view.rows.holds(fact):
            yield fact


def _linear(view: View, rows: Rows) -> Iterator[Term]:
    setting = view.setting
    counters = reversed(setting.counters)
    variables = [M, *setting.params, *reversed(setting.registers), *counters]
    columns = [np.ones(len(rows), np.int64), *(rows.value(variable) for variable in variables)]
    for constant, *factors in equations(columns):
        terms = zip(factors, variables, strict=True)
        yield sum((factor * variable for factor, variable in terms), term_of(constant))


def differences(view: View) -> Iterator[Fact]:
    """Bounds of differences by small constants."""
    values = np.stack([view.rows.value(base) for base in view.bases])
    for left, right in permutations(range(len(view.bases)), 2):
        difference = values[left] - values[right]
        least = int(difference.min())
        if abs(least) <= _NEAR and difference.max() != least:
            yield view.bases[right] + least <= view.bases[left]


def distinctions(view: View) -> Iterator[Fact]:
    """Registers and parameters that are never equal, though neither is always the larger one."""
    for left, right in combinations([*view.numbers, *view.setting.params], 2):
        difference = view.rows.value(left) - view.rows.value(right)
        if difference.all() and difference.min() < 0 < difference.max():
            yield left.differs(right)


def progress(view: View) -> Iterator[Fact]:
    """Bounds of a (r - bound) - t: how fast a register grows, or falls, with time."""
    time = view.rows.value(t)
    for register in view.numbers:
        for cut in view.setting.spec.cuts:
            done = view.rows.value(register) - view.rows.value(cut)
            if not 0 <= done.min() <= 2:
                continue
            for factor in (1, 2, 3):
                ahead, term = factor * done - time, factor * (register - cut) - t
                least, most = int(ahead.min()), int(ahead.max())
                for slack in (0, 1, 2) if least != most else ():
                    if abs(least) <= _FAR:
                        yield term >= least - slack
                    if abs(most) <= _FAR:
                        yield term <= most + slack


def sides(view: View) -> Iterator[Fact]:
    """On which side of a cut a register is, however far away."""
    for register in view.numbers:
        for cut in view.setting.spec.cuts:
            distance = view.rows.value(register) - view.rows.value(cut)
            if distance.min() >= 0:
                yield cut <= register
            if distance.max() < 0:
                yield register + 1 <= cut


def endings(view: View) -> Iterator[Fact]:
    """How far t is from its bounds, where M may be as far as a register has come."""
    for end in view.ends:
        for final in (end, *(_instead(end, M, register) for register in view.numbers)):
            least = int((view.rows.value(final) - view.rows.value(t)).min())
            for distance in range(0 if final == end else -_FAR, min(least, _FAR) + 1):
                yield t + distance <= final


def entries(view: View) -> Iterator[Fact]:
    """A register or one of the first cells is an entry of a function, or near an entry of a ghost."""
    ghosts = [ghost.name for ghost in view.setting.spec.ghosts]
    targets = [*view.setting.registers, *map(mem, _BOUNDARY_CELLS)]
    wanted = {target: view.rows.value(target) for target in targets}
    reads: list[tuple[Term, np.ndarray]] = []
    for function in (BEFORE, MEMORY, *ghosts):
        table = view.rows.entries(function, view.index_values)
        reads += [(app(function, index), values) for index, values in zip(view.indices, table, strict=True)]
    reads += [
        (app(BEFORE, app(ghost, index) + offset), view.rows.entries(BEFORE, values + offset))
        for ghost in ghosts
        for index, values in zip(view.indices, view.rows.entries(ghost, view.index_values), strict=True)
        for offset in (0, 1, 2)
        if values.min() > NOTHING
    ]
    reads += [
        (app(ghost, index) + 1, values + 1)
        for ghost in ghosts
        for index, values in zip(view.indices, view.rows.entries(ghost, view.index_values), strict=True)
    ]
    for read, values in reads:
        for target, is_value in wanted.items():
            if read != target and np.array_equal(values, is_value) and not _is_dull(target, is_value):
                yield target.equals(read)


def _instead(term: Term, old: Variable, new: Variable) -> Term:
    """A sum with one variable in place of another."""
    factor = dict(term.parts).get(old, 0) if isinstance(term, Sum) else 0
    return term + factor * (new - old)


def boundary_cells(view: View) -> Iterator[Fact]:
    """The cells at the cuts hold what one of the first cells held, or what a register holds."""
    for cut in view.setting.spec.cuts:
        for cell in _BOUNDARY_CELLS:
            fact = implies(cut < M, mem(cut).equals(before(cell)))
            if view.rows.holds(fact):
                yield fact
    for cell in _BOUNDARY_CELLS:
        for register in view.setting.registers:
            if view.rows.holds(mem(cell).equals(register)):
                yield mem(cell).equals(register)


def _is_dull(target: Term, values: np.ndarray) -> bool:
    """Whether a register holds one value throughout, as equations say better."""
    return isinstance(target, Variable) and values.min() == values.max()


TEMPLATES: tuple[Template, ...] = (
    bit_bounds,
    linear_equations,
    wrapped_equations,
    differences,
    distinctions,
    progress,
    sides,
    endings,
    entries,
    boundary_cells,
    segments,
    fronts,
)


def guesses(view: View) -> list[Fact]:
    """Candidates for the invariant of a location, each once."""
    found = dict.fromkeys(fact for template in TEMPLATES for fact in template(view))
    return list(found)
