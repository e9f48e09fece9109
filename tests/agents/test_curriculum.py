"""The curriculum: what is drawn at a level, how a level is measured, and when it rises."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.config import TrainConfig
from agents.curriculum import Lesson, draw_difficulties, draw_lesson, rise
from agents.losses import mastered
from agents.population import UNKNOWN, UNKNOWN_LOSS, Population, start
from agents.rollout import Rollout
from nram_env.tasks import TaskBatch, get_task

CONFIG = TrainConfig(
    task="access", population=3, first_level=2, max_level=5, level_threshold=0.5, level_patience=20
)
BATCH = 4


def population_with(**changes: list) -> Population:
    population = start(CONFIG, 3, torch.Generator().manual_seed(0))
    return replace(population, **{name: torch.tensor(values) for name, values in changes.items()})


def played(
    population: Population,
    wrong: float,
    loss: float,
    above: int = 0,
    beyond: tuple[bool, ...] = (False, False, False),
    unfinished: float = 1.0,
) -> tuple[Lesson, Rollout]:
    """Every member's four examples of three output cells, `above` its level: so many wrong, such losses.

    Where the horizon is the task's, untrained runs reach its end: all `unfinished` says is no error there.
    """
    difficulty = (population.level.clamp_max(CONFIG.max_level) + above).repeat_interleave(BATCH).numpy()
    mask = np.tile([True, True, True, False], (len(difficulty), 1))
    memory = np.zeros(mask.shape, dtype=np.int64)
    first = torch.arange(BATCH).expand(population.size, -1) < wrong * BATCH
    cells = torch.zeros(mask.shape, dtype=torch.bool)
    cells[:, 0] = first.flatten()
    zero = torch.zeros(population.size, BATCH)
    batch = TaskBatch(memory, memory, mask, difficulty)
    lesson = Lesson(batch, np.full(len(difficulty), 4), torch.tensor(beyond))
    return lesson, Rollout(zero - 3 * loss, zero, zero, zero + 4, zero + unfinished, cells)


def test_difficulties_follow_the_shares_of_the_paper():
    drawn = draw_difficulties(np.random.default_rng(0), np.array([4]), 100_000, 1, 50, 46)[0]
    for n, share in ((4, 0.65 * 0.5), (5, 0.65 * 0.25)):
        spread = 0.1 / 50 + 0.25 * sum(0.5**k / (3 + k) for k in range(n - 3, 40))
        assert np.mean(drawn == n) == pytest.approx(share + spread, abs=0.005)


def sizes_drawn(small_share: float) -> tuple[set[int], set[int]]:
    """Memory sizes, and the largest n of lessons, of members that learn to stop."""
    config, rng = replace(CONFIG, task="copy", small_share=small_share), np.random.default_rng(0)
    population = replace(start(config, 3, torch.Generator().manual_seed(0)), level=torch.tensor([6, 6, 6]))
    found = [draw_lesson(rng, config.task_object, population, config).batch for _ in range(150)]
    return {batch.memory_size for batch in found}, {int(batch.difficulty.max()) for batch in found}


def test_small_memories_occur_on_high_levels_if_that_is_asked_for():
    task = get_task("copy")
    assert sizes_drawn(0.0) == (
        set(range(task.smallest_memory_size(5), task.smallest_memory_size(5) + 3)),
        {5},
    )
    assert sizes_drawn(0.5) == (
        set(range(task.smallest_memory_size(1), task.smallest_memory_size(5) + 3)),
        {1, 2, 3, 4, 5},
    )


def test_difficulties_stay_within_what_is_allowed():
    drawn = draw_difficulties(np.random.default_rng(0), np.array([2, 5, 8]), 1000, 2, 8, 1)
    assert drawn.min() == 2
    assert drawn.max(axis=1).tolist() == [3, 6, 8]


def test_a_level_rises_once_patience_has_passed_not_an_update_before():
    population = population_with(level_age=[19, 20, 21], error=[0.1] * 3)
    after = rise(population, *played(population, wrong=0.0, loss=1.0), CONFIG)
    assert after.level.tolist() == [2, 3, 3]
    assert after.level_age.tolist() == [19, 0, 0]


def test_a_level_rises_where_the_running_error_is_below_the_threshold_not_at_it():
    population = population_with(level_age=[99] * 3, error=[0.25, 0.5, 0.75])
    after = rise(population, *played(population, wrong=0.0, loss=1.0, above=1), CONFIG)
    assert after.level.tolist() == [3, 2, 2]


def test_a_member_learns_to_stop_once_its_error_is_below_the_threshold_for_that_as_well():
    config = replace(CONFIG, halting=True, level_threshold=0.5, halting_threshold=0.1)
    population = population_with(level=[config.max_level - 1, config.max_level, config.max_level])
    population = replace(population, level_age=torch.full((3,), 99), error=torch.tensor([0.2, 0.2, 0.01]))
    after = rise(population, *played(population, wrong=0.0, loss=1.0), config)
    assert after.level.tolist() == [config.max_level, config.max_level, config.max_level + 1]
    assert mastered(population, config).tolist() == [False, True, True]


def test_a_member_that_has_yet_to_learn_to_stop_masters_the_sizes_once_patience_has_passed():
    config = replace(CONFIG, halting=True, level_threshold=0.5, level_patience=20)
    population = population_with(level_age=[19, 20, 0], error=[0.2] * 3)
    population = replace(population, level=config.max_level + torch.tensor([0, 0, 1]))
    assert mastered(population, config).tolist() == [False, True, True]


@pytest.mark.parametrize(("halting", "levels"), [(False, [4, 5, 5]), (True, [5, 6, 6])])
def test_no_level_rises_above_the_highest(halting, levels):
    config = replace(CONFIG, halting=halting, halting_threshold=0.5)
    population = population_with(level=[level - 1 for level in levels[:2]] + levels[2:])
    population = replace(population, level_age=torch.full((3,), 99), error=torch.full((3,), 0.1))
    after = rise(population, *played(population, wrong=0.0, loss=1.0), config)
    assert after.level.tolist() == levels


def test_the_level_for_learning_to_stop_is_measured_at_the_largest_size():
    population = population_with(level=[6] * 3, error=[0.8] * 3, loss=[1.0] * 3)
    after = rise(population, *played(population, wrong=0.25, loss=3.0), CONFIG)
    assert after.error.tolist() == pytest.approx([0.9 * 0.8 + 0.1 * 0.25] * 3)
    assert after.loss.tolist() == pytest.approx([0.9 * 1.0 + 0.1 * 3.0] * 3)


@pytest.mark.parametrize(("unfinished", "stops"), [(0.6, False), (0.5, True), (0.0, True)])
def test_a_run_that_reaches_the_end_of_a_longer_horizon_counts_as_wrong(unfinished, stops):
    population = population_with(level=[6, 6, 5], error=[0.8] * 3)
    beyond = (True, False, False)
    lesson, rollout = played(population, wrong=0.25, loss=1.0, beyond=beyond, unfinished=unfinished)
    after = rise(population, lesson, rollout, CONFIG)
    right = 0.9 * 0.8 + 0.1 * 0.25
    assert after.error.tolist() == pytest.approx([right if stops else 0.9 * 0.8 + 0.1, right, right])


def test_what_was_measured_at_a_level_is_unknown_at_the_next():
    population = population_with(level_age=[99, 99, 0], error=[0.1, 0.9, 0.1], loss=[0.2] * 3)
    after = rise(population, *played(population, wrong=0.0, loss=0.2), CONFIG)
    assert after.error.tolist() == pytest.approx([UNKNOWN, 0.9 * 0.9, 0.9 * 0.1])
    assert after.loss.tolist() == pytest.approx([UNKNOWN_LOSS, 0.2, 0.2])


def test_running_error_and_loss_of_a_cell_move_a_tenth_towards_the_update():
    population = population_with(error=[0.8] * 3, loss=[1.0] * 3)
    after = rise(population, *played(population, wrong=0.25, loss=3.0), CONFIG)
    assert after.error.tolist() == pytest.approx([0.9 * 0.8 + 0.1 * 0.25] * 3)
    assert after.loss.tolist() == pytest.approx([0.9 * 1.0 + 0.1 * 3.0] * 3)


@pytest.mark.parametrize("above", [-1, 1])
def test_only_examples_of_exactly_the_level_count(above):
    population = population_with(error=[0.8] * 3, loss=[1.0] * 3)
    after = rise(population, *played(population, wrong=0.25, loss=3.0, above=above), CONFIG)
    assert torch.equal(after.error, population.error)
    assert torch.equal(after.loss, population.loss)


@pytest.mark.parametrize(("above", "counts"), [(-1, True), (0, True), (1, False)])
def test_smaller_examples_count_as_well_where_that_is_asked_for(above, counts):
    """Whoever answers 5 at every size has no error at n = 5."""
    population = population_with(error=[0.8] * 3, loss=[1.0] * 3)
    lesson = played(population, wrong=0.25, loss=3.0, above=above)
    after = rise(population, *lesson, replace(CONFIG, count_smaller=True))
    assert (after.error < 0.8).tolist() == [counts] * 3


def test_a_single_example_at_the_level_is_measured_by_itself():
    population = population_with(error=[0.8] * 3, loss=[1.0] * 3)
    lesson, rollout = played(population, wrong=0.25, loss=3.0)
    difficulty = lesson.batch.difficulty.reshape(3, BATCH) + np.arange(BATCH)
    batch = replace(lesson.batch, difficulty=difficulty.ravel())  # the first alone is at the level
    after = rise(population, replace(lesson, batch=batch), rollout, CONFIG)
    assert after.error.tolist() == pytest.approx([0.9 * 0.8 + 0.1] * 3)
    assert after.loss.tolist() == pytest.approx([0.9 * 1.0 + 0.1 * 3.0] * 3)


def test_the_error_of_this_update_counts_towards_rise_and_mastery():
    population = population_with(level=[4, 5, 5], level_age=[99] * 3, error=[0.52] * 3, easy_share=[0.5] * 3)
    config = replace(CONFIG, halting_threshold=0.5)
    after = rise(population, *played(population, wrong=0.0, loss=1.0), config)
    assert after.level.tolist() == [5, 6, 6]
    assert after.easy_share.tolist() == [0.5, 0.0, 0.0]


@pytest.mark.parametrize("halting", [False, True])
def test_easy_examples_end_with_mastery_of_the_largest_sizes_and_not_before(halting):
    config = replace(CONFIG, task="permutation", easy_share=0.5, halting=halting)
    population = replace(
        start(config, 3, torch.Generator().manual_seed(0)),
        level=torch.tensor([5, 5, 4]),
        error=torch.tensor([0.1, 0.9, 0.1]),
        level_age=torch.tensor([99, 99, 99]),
    )
    after = rise(population, *played(population, wrong=0.0, loss=1.0), config)
    assert after.easy_share.tolist() == [0.0, 0.5, 0.5]


def test_levels_can_rise_at_errors_that_are_no_mastery():
    config = replace(CONFIG, halting=False, level_threshold=0.5, mastery_threshold=0.1)
    population = start(config, 3, torch.Generator().manual_seed(0))
    at_top = replace(
        population,
        level=torch.full_like(population.level, config.max_level),
        level_age=torch.full_like(population.level_age, config.level_patience),
        error=torch.tensor([0.05, 0.3, 0.6]),
    )
    assert mastered(at_top, config).tolist() == [True, False, False]
    assert mastered(at_top, replace(config, mastery_threshold=None)).tolist() == [True, True, False]


def test_noise_is_for_members_at_the_largest_sizes():
    config = replace(CONFIG, sharp_registers=True, noisy_registers=True)
    population = population_with(level=[4, 5, 6])
    lesson = draw_lesson(np.random.default_rng(0), config.task_object, population, config)
    words = lesson.chance.reshape(3, config.batch_size)
    assert (words[0] == 0).all()
    assert len(np.unique(words[1:])) == 2 * config.batch_size
    assert 0 < words[1:].min() <= words[1:].max() < 2**31


def test_whether_there_is_noise_changes_nothing_else_that_is_drawn():
    config = replace(CONFIG, sharp_registers=True)
    population = population_with(level=[4, 5, 6])
    plain, noisy = (
        draw_lesson(np.random.default_rng(0), config.task_object, population, each)
        for each in (config, replace(config, noisy_registers=True))
    )
    assert plain.chance is None
    assert np.array_equal(plain.batch.memory, noisy.batch.memory)
    assert np.array_equal(plain.horizon, noisy.horizon)
