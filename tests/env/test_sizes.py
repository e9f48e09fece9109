"""Sizes to test at: n and the slack of M are drawn apart from each other, for every small group."""

from __future__ import annotations

import numpy as np
import pytest

from nram_env.tasks import (
    SizePlan,
    Task,
    caps,
    draw_plan,
    draw_range_plan,
    get_task,
    grid_plan,
    join,
    task_names,
)
from nram_env.tasks.sizes import DENSE_SLACK, GROUP

TASKS = [get_task(name) for name in ("access", "copy", "merge", "walkbst")]


def slacks(task: Task, plan: SizePlan) -> np.ndarray:
    return plan.memory_size - [task.smallest_memory_size(n) for n in plan.difficulty.tolist()]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
@pytest.mark.parametrize("n", [2, 40])
def test_of_every_24_groups_17_have_the_slacks_to_16_and_the_others_more(task: Task, n: int) -> None:
    drawn = slacks(task, draw_plan(task, np.random.default_rng(0), [n], 24 * 50 * GROUP)).reshape(50, 24)
    needed = task.smallest_memory_size(n)
    for cycle in drawn:
        assert set(cycle.tolist()) >= set(range(DENSE_SLACK + 1))
        assert (cycle > DENSE_SLACK).sum() == (7 if 2 * needed > DENSE_SLACK else 0)
    assert np.bincount(drawn.ravel())[:17].min() >= 50
    assert np.bincount(drawn.ravel())[:17].max() <= 90
    assert drawn.max() <= max(2 * needed, DENSE_SLACK)
    if 2 * needed > DENSE_SLACK:
        assert drawn.max() > 1.8 * needed


def test_slack_does_not_depend_on_n() -> None:
    task, rng = get_task("copy"), np.random.default_rng(0)
    plan = draw_range_plan(task, rng, 9, 30, 8_000 * GROUP)
    dense = slacks(task, plan) <= DENSE_SLACK
    assert abs(np.corrcoef(plan.difficulty[dense], slacks(task, plan)[dense])[0, 1]) < 0.05


def test_every_n_gets_its_examples_in_groups_the_last_of_which_may_be_smaller() -> None:
    plan = draw_plan(get_task("copy"), np.random.default_rng(0), [3, 5], 10)
    assert plan.difficulty.tolist() == [3, 3, 3, 5, 5, 5]
    assert plan.examples.tolist() == [4, 4, 2, 4, 4, 2]


def test_no_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="examples must be at least 1, got 0"):
        draw_plan(get_task("copy"), np.random.default_rng(0), [3], 0)


def test_a_given_memory_size_is_that_of_all_groups() -> None:
    plan = draw_plan(get_task("copy"), np.random.default_rng(0), [3], 10, memory_size=12)
    assert plan.memory_size.tolist() == [12, 12, 12]


def test_a_grid_has_every_slack_at_every_n_and_twice_and_three_times_the_needed_size() -> None:
    task = get_task("merge")
    plan = grid_plan(task, [4, 6], examples=5)
    wanted = {(n, 2 * n + 5 + s) for n in (4, 6) for s in (*range(17), 2 * n + 5, 4 * n + 10)}
    assert set(zip(plan.difficulty.tolist(), plan.memory_size.tolist(), strict=True)) == wanted
    assert plan.pairs == len(plan.difficulty) == len(wanted)


@pytest.mark.parametrize("name", task_names())
def test_mixed_batches_hold_the_examples_of_the_single_ones_row_by_row(name: str) -> None:
    task = get_task(name)
    plan = draw_range_plan(task, np.random.default_rng(0), task.smallest_difficulty, 40, 200)
    single = list(plan.batches(task, np.random.default_rng(1)))
    mixed = list(plan.mixed(task, np.random.default_rng(1)))
    rows = [(batch, row) for batch in single for row in range(batch.batch_size)]
    joined = [(batch, row) for batch in mixed for row in range(batch.batch_size)]
    assert 1 < len(mixed) < len(single)
    for (alone, row), (batch, place) in zip(rows, joined, strict=True):
        size = alone.memory_size
        assert batch.memory_sizes[place] == size
        assert batch.horizon[place] == task.horizon(int(alone.difficulty[row]))
        for field in ("memory", "target", "mask"):
            assert np.array_equal(getattr(batch, field)[place, :size], getattr(alone, field)[row])
            assert not getattr(batch, field)[place, size:].any()


def test_a_mixed_batch_is_never_much_wider_than_its_smallest_memory() -> None:
    plan = draw_range_plan(get_task("copy"), np.random.default_rng(0), 1, 200, 2_000)
    for batch in plan.mixed(get_task("copy"), np.random.default_rng(1)):
        assert batch.memory.shape[1] <= max(64, 2 * batch.memory_sizes.min())
        assert batch.memory.size <= 2**22


def test_joined_batches_stay_in_order() -> None:
    task, rng = get_task("copy"), np.random.default_rng(0)
    batches = [task.sample(rng, n, size, 2) for n, size in ((3, 9), (1, 3), (2, 12))]
    assert join(task, batches).memory_sizes.tolist() == [9, 9, 3, 3, 12, 12]


@pytest.mark.parametrize(
    ("difficulty", "examples", "message"),
    [
        (3, 0, "examples must be at least 1, got 0"),
        (3, -(2**63), "examples must be at least 1, got -9223372036854775808"),
        (0, 4, "difficulty of task copy must be in 1..2147483647, got 0"),
        (2**64, 4, "difficulty of task copy must be in 1..2147483647, got 18446744073709551616"),
    ],
)
def test_sizes_that_there_are_not_are_refused(difficulty, examples, message):
    with pytest.raises(ValueError, match=message):
        draw_plan(get_task("copy"), np.random.default_rng(0), [difficulty], examples)


def test_caps_leave_time_for_a_pointer_to_come_round_in_a_memory_much_larger_than_needed():
    task = get_task("access")
    assert caps(task, np.array([3, 3]), np.array([5, 1000])).tolist() == [
        10 * 4 + 3 * 5 + 50,
        10 * 4 + 3 * 1000 + 50,
    ]
