"""Guards: the fewest registers whose zero-bits tell situations apart, and the tests over them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import reduce
from itertools import combinations
from operator import or_
from typing import TypeVar

import numpy as np

from analysis.program.block import Guard

_Class = TypeVar("_Class", bound=Hashable)

MAX_REGISTERS = 12
"""Zero-patterns of more registers than this are not looked through one by one."""

LARGEST_MINIMISED = 8
"""Guards over more registers than this are put together from the shortest cubes as they come."""


def separating_masks(classes: Mapping[int, Hashable], registers: int) -> list[int]:
    """All smallest sets of registers whose zero-bits alone decide the class.

    Args:
        classes: Zero-pattern -> class; patterns that are not there do not matter.
        registers: Bit mask of those to choose from; they decide it together.

    Returns:
        Bit masks of equal size, in increasing order; [0] if there is one class.

    Example:
        >>> separating_masks({0b00: "x", 0b10: "y", 0b11: "y"}, 0b11)
        [2]
    """
    bits = _bits(registers)
    for size in range(len(bits) + 1):
        found = [mask for mask in map(sum, combinations(bits, size)) if decides(mask, classes)]
        if found:
            return sorted(found)
    raise AssertionError("all of them decide it")


def decides(mask: int, classes: Mapping[int, Hashable]) -> bool:
    """Whether patterns that agree on the mask have the same class."""
    seen: dict[int, Hashable] = {}
    return all(seen.setdefault(pattern & mask, label) == label for pattern, label in classes.items())


def guard_of(patterns: Iterable[int], mask: int, free: Iterable[int] = ()) -> Guard:
    """The guard over the registers of the mask that holds on these patterns' projections.

    Args:
        patterns: Zero-patterns.
        mask: The registers that may be tested.
        free: Projections on the mask on which it may hold or not, whichever needs fewer tests. On all
            others it does not hold.

    Example:
        >>> guard_of([0b01, 0b11], 0b11).cubes
        ((1, 1),)
        >>> guard_of([0b01], 0b11, free=[0b11]).cubes
        ((1, 1),)
    """
    minterms, free = {pattern & mask for pattern in patterns}, set(free)
    if free and mask.bit_count() > LARGEST_MINIMISED:
        outside = set(values_on(mask)).difference(minterms, free)
        return Guard(tuple(sorted(smallest_cubes(minterms, outside, mask))))
    primes = _primes({(mask, value) for value in minterms.union(free)})
    cover: list[tuple[int, int]] = []
    missing = set(minterms)
    while missing:
        best = min(primes, key=lambda cube: (-len(_covered(cube, missing)), cube[0].bit_count(), cube))
        cover.append(best)
        missing -= _covered(best, missing)
    return Guard(tuple(sorted(_needed(cover, minterms))))


def partition(
    classes: Mapping[int, _Class], mask: int, impossible: Iterable[int] = ()
) -> dict[_Class, Guard]:
    """Guards of which exactly the one of its class holds on every pattern, and none where none is known.

    On impossible patterns any one of them may hold, or none, whichever makes the guards shorter.

    Args:
        classes: Zero-pattern -> class; patterns that agree on the mask have the same class.
        mask: The registers that may be tested.
        impossible: Values on the registers of the mask that cannot occur; none has a class.

    Example:
        >>> partition({0b01: "x", 0b10: "y"}, 0b11, impossible=[0b11])
        {'x': Guard(cubes=((1, 1),)), 'y': Guard(cubes=((3, 2),))}
    """
    members: dict[_Class, set[int]] = {}
    for pattern, name in classes.items():
        members.setdefault(name, set()).add(pattern & mask)
    order = sorted(members, key=lambda name: (len(members[name]), min(members[name])))
    tried = (_partition(members, mask, impossible, names) for names in (order, order[::-1]))
    return min(tried, key=lambda guards: sum(length(guard) for guard in guards.values()))


def _partition(
    members: Mapping[_Class, set[int]], mask: int, impossible: Iterable[int], order: Sequence[_Class]
) -> dict[_Class, Guard]:
    free = set(impossible)
    guards: dict[_Class, Guard] = {}
    for name in order:
        guards[name] = guard_of(members[name], mask, free)
        free = {value for value in free if not guards[name].matches(value)}
    return guards


def length(guard: Guard) -> int:
    """How long a guard is to read: its tests, and one more for every cube."""
    return sum(1 + tested.bit_count() for tested, _ in guard.cubes)


def smallest_cubes(inside: Iterable[int], outside: Iterable[int], mask: int) -> list[tuple[int, int]]:
    """Cubes of few tests that together have all patterns of one set and none of another.

    Args:
        inside: Zero-patterns.
        outside: Others; none agrees with one of the first on the mask.
        mask: The registers that may be tested.

    Example:
        >>> smallest_cubes([0b011, 0b111], [0b001, 0b110], 0b111)  # registers 0 and 1 are both 0
        [(3, 3)]
    """
    kept, missing = np.array(sorted(outside), dtype=np.int64), np.array(sorted(inside), dtype=np.int64)
    found: list[tuple[int, int]] = []
    for size in range(mask.bit_count() + 1):
        for tested in map(sum, combinations(_bits(mask), size)):
            values = np.setdiff1d(missing & tested, kept & tested)
            found += [(tested, int(value)) for value in values]
            missing = missing[~np.isin(missing & tested, values)]
    return found


def values_on(mask: int) -> set[int]:
    """All values that a pattern can have on the registers of a mask.

    Example:
        >>> sorted(values_on(0b101))
        [0, 1, 4, 5]
    """
    values = {0}
    for bit in _bits(mask):
        values |= {value | bit for value in values}
    return values


def tested_by(guards: Iterable[Guard]) -> int:
    """The registers that some of the guards test, as a bit mask."""
    return reduce(or_, (guard.mask for guard in guards), 0)


def tested_registers(guards: Iterable[Guard]) -> list[int]:
    """The registers that some of the guards test."""
    return [bit.bit_length() - 1 for bit in _bits(tested_by(guards))]


def covers(guards: Sequence[Guard]) -> bool:
    """Whether some guard is found to hold whatever the registers are; False where that is too much to try."""
    tested = tested_by(guards)
    if tested.bit_count() > MAX_REGISTERS:
        return False
    patterns = np.array(sorted(values_on(tested)), dtype=np.int64)
    return bool(np.any([guard.matches(patterns) for guard in guards], axis=0).all())


def mask_of(registers: Iterable[int]) -> int:
    """The bit mask of some registers."""
    return sum(1 << register for register in registers)


def _primes(cubes: set[tuple[int, int]]) -> list[tuple[int, int]]:
    """Prime implicants by merging cubes that differ in one tested bit (Quine and McCluskey)."""
    primes: set[tuple[int, int]] = set()
    while cubes:
        merged, used = set(), set()
        for mask, value in cubes:
            for bit in _bits(mask):
                partner = (mask, value ^ bit)
                if partner in cubes:
                    merged.add((mask & ~bit, value & ~bit))
                    used |= {(mask, value), partner}
        primes |= cubes - used
        cubes = merged
    return sorted(primes)


def _covered(cube: tuple[int, int], minterms: set[int]) -> set[int]:
    return {minterm for minterm in minterms if minterm & cube[0] == cube[1]}


def _needed(cubes: list[tuple[int, int]], minterms: set[int]) -> list[tuple[int, int]]:
    """The cubes without those whose minterms all lie in others; the first that were taken go first."""
    kept = list(cubes)
    for cube in cubes:
        others = [other for other in kept if other != cube]
        if set().union(*(_covered(other, minterms) for other in others)) == minterms:
            kept = others
    return kept


def _bits(mask: int) -> list[int]:
    return [1 << position for position in range(mask.bit_length()) if mask >> position & 1]
