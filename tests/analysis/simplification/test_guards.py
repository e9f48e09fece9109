"""Guards: they hold on what they were made for and on nothing else, with as few tests as there can be."""

from itertools import combinations, product

import numpy as np
import pytest

from analysis.program.block import Guard
from analysis.simplification.guards import guard_of, separating_masks

PATTERNS = range(8)


def holds_on(guard: Guard) -> set[int]:
    return {pattern for pattern in PATTERNS if guard.matches(pattern)}


@pytest.mark.parametrize("mask", PATTERNS)
def test_a_guard_holds_on_exactly_the_patterns_that_agree_with_one_of_its_own_on_the_mask(mask):
    for chosen in product([False, True], repeat=8):
        patterns = [pattern for pattern in PATTERNS if chosen[pattern]]
        seen = {pattern & mask for pattern in patterns}
        guard = guard_of(patterns, mask)
        assert holds_on(guard) == {pattern for pattern in PATTERNS if pattern & mask in seen}
        assert guard_of(reversed(patterns), mask) == guard, "the order of the patterns does not matter"


def test_no_test_of_a_guard_can_be_left_out_and_no_cube():
    for chosen in product([False, True], repeat=8):
        guard = guard_of([pattern for pattern in PATTERNS if chosen[pattern]], 0b111)
        for place, (mask, value) in enumerate(guard.cubes):
            others = (*guard.cubes[:place], *guard.cubes[place + 1 :])
            assert holds_on(Guard(others)) != holds_on(guard)
            for bit in (1, 2, 4):
                if mask & bit:
                    shorter = Guard((*others, (mask & ~bit, value & ~bit)))
                    assert holds_on(shorter) != holds_on(guard)


@pytest.mark.parametrize(
    ("patterns", "cubes"),
    [
        (PATTERNS, ((0, 0),)),
        ([1, 2, 3, 4, 5, 6, 7], ((1, 1), (2, 2), (4, 4))),
        ([0, 1, 3, 7], ((3, 3), (6, 0))),  # not (5, 1), which holds on two as well, but leaves two over
        ([2, 3, 5, 7], ((5, 5), (6, 2))),  # though (3, 3), as good as these, was taken first
        ([0, 1, 2, 6], ((3, 2), (6, 0))),
        ([0, 3, 5, 6], ((7, 0), (7, 3), (7, 5), (7, 6))),
        ([0, 1, 2, 3, 7], ((3, 3), (4, 0))),
    ],
)
def test_a_guard_has_few_cubes_and_they_come_in_order(patterns, cubes):
    assert guard_of(patterns, 0b111).cubes == cubes


def decides(mask: int, classes: dict[int, str]) -> bool:
    return all(
        classes[one] == classes[other]
        for one, other in combinations(classes, 2)
        if one & mask == other & mask
    )


def test_all_smallest_masks_that_tell_the_classes_apart_are_found_in_order():
    rng = np.random.default_rng(0)
    for _ in range(300):
        known = [pattern for pattern in PATTERNS if rng.random() < 0.7]
        classes = {pattern: "abc"[rng.integers(3 if rng.random() < 0.5 else 2)] for pattern in known}
        fitting = [mask for mask in PATTERNS if decides(mask, classes)]
        fewest = min(mask.bit_count() for mask in fitting)
        assert separating_masks(classes, 0b111) == [mask for mask in fitting if mask.bit_count() == fewest]
