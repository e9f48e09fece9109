"""Guards: the fewest registers whose zero-bits tell situations apart, and the tests over them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from itertools import combinations

from analysis.block import Guard


def separating_masks(classes: Mapping[int, Hashable], num_registers: int) -> list[int]:
    """All smallest sets of registers whose zero-bits alone decide the class.

    Args:
        classes: Zero-pattern -> class; patterns that are not there do not matter.
        num_registers: R.

    Returns:
        Bit masks of equal size, in increasing order; [0] if there is one class.

    Example:
        >>> separating_masks({0b00: "x", 0b10: "y", 0b11: "y"}, 2)
        [2]
    """
    for size in range(num_registers + 1):
        masks = [sum(1 << r for r in chosen) for chosen in combinations(range(num_registers), size)]
        found = [mask for mask in masks if decides(mask, classes)]
        if found:
            return sorted(found)
    raise AssertionError("the full pattern always decides")


def decides(mask: int, classes: Mapping[int, Hashable]) -> bool:
    """Whether patterns that agree on the mask have the same class."""
    seen: dict[int, Hashable] = {}
    return all(seen.setdefault(pattern & mask, label) == label for pattern, label in classes.items())


def guard_of(patterns: Iterable[int], mask: int) -> Guard:
    """The guard over the registers of the mask that holds exactly on these patterns' projections.

    Example:
        >>> guard_of([0b01, 0b11], 0b11).cubes
        ((1, 1),)
    """
    minterms = {(mask, pattern & mask) for pattern in patterns}
    primes = _primes(minterms)
    cover: list[tuple[int, int]] = []
    missing = set(minterms)
    while missing:
        best = min(primes, key=lambda cube: (-len(_covered(cube, missing)), cube[0].bit_count(), cube))
        cover.append(best)
        missing -= _covered(best, missing)
    return Guard(tuple(sorted(cover)))


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


def _covered(cube: tuple[int, int], minterms: set[tuple[int, int]]) -> set[tuple[int, int]]:
    return {minterm for minterm in minterms if minterm[1] & cube[0] == cube[1]}


def _bits(mask: int) -> list[int]:
    return [1 << position for position in range(mask.bit_length()) if mask >> position & 1]
