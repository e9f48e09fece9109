"""Lessons drawn on a device have the distribution of those drawn on the processor."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from agents.config import TrainConfig
from agents.curriculum import draw_lesson
from agents.device.lesson import Chance, DeviceLesson, Lessons
from agents.population import Population, start
from nram_env.tasks import get_task

CPU = torch.device("cpu")
COPY = get_task("copy")
CONFIG = TrainConfig(
    task="copy",
    population=4,
    batch_size=60,
    first_level=2,
    max_level=6,
    horizon_slack=2,
    horizon_share=0.5,
    halting_share=0.6,
    halting_spread=0.4,
)
LESSONS = 250


def population_at(levels: list[int], config: TrainConfig = CONFIG, **changes: list) -> Population:
    population = start(config, len(levels), torch.Generator().manual_seed(0))
    tensors = {name: torch.tensor(values) for name, values in changes.items()}
    return replace(population, level=torch.tensor(levels), **tensors)


def on_the_device(population: Population, count: int, config: TrainConfig = CONFIG) -> list[DeviceLesson]:
    lessons, highest = Lessons(config, CPU), int(population.level.max())
    return [lessons.draw(population, highest, Chance.of(0, age, CPU)) for age in range(count)]


def on_the_processor(population: Population, count: int, config: TrainConfig = CONFIG):
    rng = np.random.default_rng(0)
    return [draw_lesson(rng, config.task_object, population, config) for _ in range(count)]


def figures(lessons) -> dict[str, np.ndarray]:
    """By member shares of difficulties, horizons and longer ones, and these in tens; shares of M."""
    difficulty = np.concatenate([np.asarray(lesson.batch.difficulty).reshape(4, -1) for lesson in lessons], 1)
    horizon = np.stack([np.asarray(lesson.horizon).reshape(4, -1)[:, 0] for lesson in lessons], 1)
    sizes = np.array([lesson.batch.memory.shape[1] for lesson in lessons])
    beyond = np.stack([np.asarray(lesson.beyond) for lesson in lessons], 1)
    usual = np.where(beyond, 0, horizon)
    return {
        "difficulty": np.stack([(difficulty == n).mean(1) for n in range(1, 8)]),
        "size": np.array([(sizes == size).mean() for size in range(30)]),
        "horizon": np.stack([(usual == steps).mean(1) for steps in range(20)]),
        "beyond": beyond.mean(1),
        "waiting": np.where(beyond, horizon, 0).sum(1) / np.maximum(beyond.sum(1), 1) / 10,
    }


@pytest.mark.parametrize("small", [0.0, 0.5])
@pytest.mark.parametrize("levels", [[2, 2, 3, 4], [2, 6, 6, 5], [3, 6, 7, 7]], ids=["low", "top", "stopping"])
def test_difficulties_sizes_and_horizons_are_as_often_drawn_as_on_the_processor(levels, small):
    population, config = population_at(levels), replace(CONFIG, small_share=small)
    found = figures(on_the_device(population, LESSONS, config))
    wanted = figures(on_the_processor(population, LESSONS, config))
    for name, share in wanted.items():
        tolerance = 0.02 if name == "difficulty" and not small else 0.13
        assert np.abs(found[name] - share).max() < tolerance, name
        if name in ("difficulty", "size"):
            assert np.array_equal(found[name] > 0, share > 0), name


def test_noise_is_for_members_at_the_largest_sizes():
    config = replace(CONFIG, sharp_registers=True, noisy_registers=True)
    (lesson,) = on_the_device(population_at([3, 5, 6, 7]), 1, config)
    words = lesson.chance.view(4, config.batch_size)
    assert (words[:2] == 0).all()
    assert len(words[2:].unique()) == 2 * config.batch_size
    assert 0 < words[2:].min() <= words[2:].max() < 2**31
    assert on_the_device(population_at([3, 5, 6, 7]), 1)[0].chance is None


def test_all_members_that_learn_to_stop_and_nobody_else_have_longer_horizons_in_a_share_of_lessons():
    found = on_the_device(population_at([3, 6, 7, 7]), LESSONS)
    waits = {tuple(lesson.beyond.tolist()) for lesson in found}
    assert waits == {(False,) * 4, (False, False, True, True)}
    for lesson in found:
        size = lesson.batch.memory.shape[1]
        horizon = lesson.horizon.view(4, -1)
        assert (horizon == horizon[:, :1]).all()
        if lesson.beyond.any():
            assert (horizon[2:, 0] >= size + 3).all()
            assert (horizon[2:, 0] <= 2 * size + COPY.horizon(6) + 2).all()
        assert (horizon[:2, 0] <= COPY.horizon(6) + 2).all()


@pytest.mark.parametrize("levels", [[2, 2, 3, 4], [3, 6, 7, 7]])
def test_the_host_knows_a_bound_on_the_timesteps_that_is_reached(levels):
    found = on_the_device(population_at(levels), 50)
    assert all(int(lesson.horizon.max()) <= lesson.timesteps for lesson in found)
    assert any(int(lesson.horizon.max()) == lesson.timesteps for lesson in found)


def test_a_member_that_has_risen_since_the_host_looked_is_held_to_what_it_saw():
    population, lessons = population_at([2, 7, 5, 4]), Lessons(CONFIG, CPU)
    for age in range(50):
        lesson = lessons.draw(population, 3, Chance.of(0, age, CPU))
        assert int(lesson.batch.difficulty.max()) == 4
        assert lesson.batch.memory.shape[1] in lessons.memory_sizes(3)
        assert int(lesson.horizon.max()) <= lesson.timesteps <= COPY.horizon(4) + 2
        assert not lesson.beyond.any()


def test_the_sizes_that_may_come_are_those_of_this_level_and_then_of_the_next():
    assert Lessons(CONFIG, CPU).memory_sizes(3) == [9, 10, 11, 12, 13]
    assert Lessons(CONFIG, CPU).memory_sizes(7) == [13, 14, 15]
    drawn = {lesson.batch.memory.shape[1] for lesson in on_the_device(population_at([2, 2, 2, 3]), 50)}
    assert drawn == {9, 10, 11}


def test_where_small_sizes_still_occur_all_memory_sizes_below_may_come():
    config = replace(CONFIG, small_share=0.5)
    assert sorted(Lessons(config, CPU).memory_sizes(3)) == list(range(5, 14))
    found = on_the_device(population_at([2, 2, 2, 3], config), 200, config)
    assert {lesson.batch.memory.shape[1] for lesson in found} == set(range(3, 12))


def test_members_have_their_own_shares_of_easy_examples():
    config = replace(CONFIG, task="permutation", easy_share=0.5, first_level=5)
    population = population_at([5, 5, 5, 5], config, easy_share=[0.0, 1.0, 0.5, 0.2])
    easy, of_size = torch.zeros(4), torch.zeros(4)
    for lesson in on_the_device(population, 20, config):
        chosen = lesson.batch.difficulty == 5
        unmoved = chosen & (lesson.batch.memory[:, 1:6] == torch.arange(5)).all(1)
        easy, of_size = easy + unmoved.view(4, -1).sum(1), of_size + chosen.view(4, -1).sum(1)
    torch.testing.assert_close(easy / of_size, torch.tensor([0.0, 1.0, 0.5, 0.2]), rtol=0, atol=0.06)


def test_a_lesson_is_a_function_of_seed_and_age():
    population, lessons = population_at([2, 3, 6, 7]), Lessons(CONFIG, CPU)
    first, again, later, other = (
        lessons.draw(population, 7, Chance.of(seed, age, CPU))
        for seed, age in ((1, 5), (1, 5), (1, 6), (2, 5))
    )
    assert torch.equal(first.batch.memory, again.batch.memory)
    assert torch.equal(first.horizon, again.horizon)
    for lesson in (later, other):
        assert not torch.equal(first.batch.difficulty, lesson.batch.difficulty)
