"""Learning to stop: the lessons of the last level, the halting logit anew, and who counts as solved."""

from dataclasses import replace
from math import ceil

import numpy as np
import pytest
import torch

from agents.config import TrainConfig
from agents.controllers import CONTROLLER_KINDS, Controller, ControllerSpec
from agents.curriculum import Lesson, draw_difficulties, draw_lesson
from agents.engine import HostEngine, Moment
from agents.hard import hard_failures
from agents.population import Population, start
from agents.selection import forget_halting
from agents.trainer import Trainer
from nram_env.machine import MachineConfig
from nram_env.tasks import caps, get_task, join

COPY = get_task("copy")
CONFIG = TrainConfig(
    task="copy", population=3, batch_size=20, first_level=2, max_level=5, halting_share=1.0, horizon_slack=2
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def population_at(levels: list[int], config: TrainConfig = CONFIG) -> Population:
    return replace(start(config, len(levels), generator()), level=torch.tensor(levels))


def lessons(levels: list[int], count: int, **changes: object) -> list[Lesson]:
    config, rng = replace(CONFIG, **changes), np.random.default_rng(0)
    return [draw_lesson(rng, COPY, population_at(levels), config) for _ in range(count)]


def by_member(values: np.ndarray) -> np.ndarray:
    return values.reshape(-1, CONFIG.batch_size)


@pytest.mark.parametrize(("task", "easy_share"), [("copy", 0.0), ("permutation", 0.5)])
def test_until_a_member_learns_to_stop_lessons_are_those_without_halting(task, easy_share):
    with_halting = replace(CONFIG, task=task, easy_share=easy_share, horizon_share=0.5)
    drawn = []
    for config in (with_halting, replace(with_halting, halting=False)):
        rng, population = np.random.default_rng(3), population_at([2, 4, 5], config)
        found = [draw_lesson(rng, config.task_object, population, config) for _ in range(10)]
        drawn.append((found, rng.bit_generator.state))
    (first, chance), (second, same_chance) = drawn
    assert chance == same_chance
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.batch.memory, other.batch.memory)
        assert np.array_equal(one.horizon, other.horizon)
        assert not (one.beyond | other.beyond).any()


def test_until_a_member_learns_to_stop_chance_is_used_for_examples_and_their_sizes_alone():
    rng, same = np.random.default_rng(3), np.random.default_rng(3)
    population = population_at([2, 4, 5])
    lesson = draw_lesson(rng, COPY, population, CONFIG)
    difficulty = draw_difficulties(same, population.level.numpy(), CONFIG.batch_size, 1, 5, CONFIG.ahead)
    slack, _ = same.integers([CONFIG.memory_slack, CONFIG.horizon_slack], endpoint=True)
    same.choice([CONFIG.horizon_share, 1.0])
    batch = COPY.sample(same, difficulty.ravel(), COPY.smallest_memory_size(int(difficulty.max())) + slack)
    assert np.array_equal(lesson.batch.memory, batch.memory)
    assert rng.bit_generator.state == same.bit_generator.state


def test_until_a_member_learns_to_stop_training_is_that_without_halting():
    config = replace(
        CONFIG, task="access", batch_size=4, first_level=1, max_level=3, cull_every=7, spare_age=2
    )
    one, other = Trainer(config), Trainer(replace(config, halting=False))
    for _ in range(30):
        one.advance()
        other.advance()
    assert int(one.population.level.max()) <= config.max_level
    for name, values in vars(one.population).items():
        assert torch.equal(values, getattr(other.population, name)), name


def test_horizons_are_longer_for_members_on_the_last_level_and_nobody_else():
    for lesson in lessons([2, 5, 6], 20):
        size, hardest = lesson.batch.memory_size, by_member(lesson.batch.difficulty).max(1)
        horizon = by_member(lesson.horizon)
        assert (horizon == horizon[:, :1]).all()
        extra = horizon[:, 0] - [COPY.horizon(n) for n in hardest.tolist()]
        assert lesson.beyond.tolist() == [False, False, True]
        assert (extra[:2] <= 2).all()
        assert extra[0] == extra[1], "horizon_slack, the same for all"
        assert size <= extra[2] - extra[0] <= 2 * size


def test_a_share_of_the_updates_has_longer_horizons():
    found = lessons([2, 5, 6], 200, halting_share=0.75)
    assert 0.65 < np.mean([bool(lesson.beyond[2]) for lesson in found]) < 0.85
    for lesson in found:
        if not lesson.beyond.any():
            own = [COPY.horizon(n) for n in by_member(lesson.batch.difficulty).max(1).tolist()]
            assert (by_member(lesson.horizon)[:, 0] - own <= 2).all()
    assert not any(bool(lesson.beyond.any()) for lesson in lessons([2, 5, 6], 20, halting_share=0.0))


def test_memories_have_the_slack_of_all_lessons():
    found = lessons([2, 5, 6], 100, memory_slack=3)
    needed = [COPY.smallest_memory_size(int(lesson.batch.difficulty.max())) for lesson in found]
    slack = np.array([lesson.batch.memory_size for lesson in found]) - needed
    assert set(slack.tolist()) == {0, 1, 2, 3}


def test_members_that_learn_to_stop_see_a_share_of_sizes_from_all_alike():
    def sizes(spread: float) -> np.ndarray:
        found = lessons([5, 6], 100, halting_spread=spread)
        return np.concatenate([by_member(lesson.batch.difficulty)[1] for lesson in found])

    assert np.bincount(sizes(1.0), minlength=6)[1:] / 2000 == pytest.approx([0.2] * 5, abs=0.04)
    assert np.mean(sizes(0.5) == 5) - np.mean(sizes(0.0) == 5) / 2 == pytest.approx(0.1, abs=0.03)


def test_a_share_of_the_horizon_is_a_share_of_the_task_s_own():
    for lesson in lessons([6], 10, horizon_share=0.5, horizon_slack=0, halting_slack=1.0):
        hardest, size = int(lesson.batch.difficulty.max()), lesson.batch.memory_size
        assert set((lesson.horizon - size).tolist()) <= {
            ceil(0.5 * COPY.horizon(hardest)),
            COPY.horizon(hardest),
        }


@pytest.mark.parametrize("kind", CONTROLLER_KINDS)
def test_forgetting_makes_the_halting_logit_a_constant_and_changes_nothing_else(kind):
    config = replace(CONFIG, controller=kind, population=4)
    population = start(config, 4, generator())
    ones = torch.ones_like(population.parameters)
    population = replace(population, momentum=ones, variance=2 * ones)
    chosen = torch.tensor([True, False, True, False])
    after = forget_halting(population, chosen, config, generator(1))
    spec, halt = config.spec, config.machine.layout.halt
    seen = torch.rand(4, 6, config.machine.num_registers, generator=generator(2))
    state = torch.randn(4, 6, spec.state_size, generator=generator(3))
    before_logits, after_logits = (
        Controller(spec, one.parameters)(seen, state)[0] for one in (population, after)
    )
    assert torch.equal(after_logits[~chosen], before_logits[~chosen])
    torch.testing.assert_close(after_logits[chosen][..., :halt], before_logits[chosen][..., :halt])
    constants = after_logits[chosen][..., halt]
    assert torch.equal(constants, constants[:, :1].expand_as(constants))
    assert ((constants > -5) & (constants < -2)).all()
    assert constants[0, 0] != constants[1, 0]
    changed = chosen[:, None] & spec.of_halting
    assert int(spec.of_halting.sum()) == config.hidden_size + 1
    assert torch.equal(after.parameters[~changed], population.parameters[~changed])
    assert torch.equal(after.momentum, ones.masked_fill(changed, 0.0))
    assert torch.equal(after.variance, (2 * ones).masked_fill(changed, 0.0))
    untouched = set(vars(population)) - {"parameters", "momentum", "variance"}
    assert all(torch.equal(getattr(after, name), getattr(population, name)) for name in untouched)


def test_where_nobody_is_to_forget_no_chance_is_used():
    population, chance = start(CONFIG, 3, generator()), generator(1)
    before, moment = chance.get_state(), Moment(0, 0, np.random.default_rng(0), chance, event=1)
    assert HostEngine(CONFIG).forget(population, torch.zeros(3, dtype=torch.bool), moment) is population
    assert torch.equal(chance.get_state(), before)


def test_members_forget_once_as_they_come_to_the_last_level():
    config = replace(CONFIG, population=3, batch_size=4, level_threshold=2.0, level_patience=1, cull_every=0)
    trainer = Trainer(replace(config, generation_every=0, evaluate_every=100, halting_threshold=2.0))
    trainer.population = replace(
        trainer.population, level=torch.tensor([5, 4, 6]), level_age=torch.tensor([9, 9, 9])
    )
    progress = trainer.advance()
    weights = trainer.population.parameters[:, config.spec.of_halting][:, :-1]
    assert (weights == 0).all(1).tolist() == [True, False, False]
    assert (progress.stopping, progress.level) == (2, 6)


ACCESS = TrainConfig(
    task="access",
    controller="feedforward",
    hidden_size=1,
    num_registers=2,
    population=1,
    first_level=1,
    max_level=3,
    evaluation_factors=(2, 4),
    evaluation_examples=8,
)


def access(halting_bias: float, halting_weight: float) -> Controller:
    """Access, right from the second timestep on: r0 stays 0, and r1 becomes what cell 0 points at.

    While r1 is 0 the hidden unit is, too; then it is 1.
    """
    spec = ControllerSpec("feedforward", MachineConfig(2), 1)
    layout = spec.machine.layout
    read = spec.machine.num_registers + [gate.label for gate in spec.machine.gates].index("READ")
    names = [selector.name for selector in layout.selectors]
    constant = dict.fromkeys(names, 0) | {"gate13.WRITE.a": read, "register1": read}
    later = constant | {"gate0.READ.p": 1, "register1": 1}
    first, second = (
        torch.tensor(layout.one_hot(np.array([choices[name] for name in names])), dtype=torch.float32)
        for choices in (constant, later)
    )
    blocks = {
        "hidden1_weight": torch.tensor([[0.0], [-1.0]]),
        "hidden1_bias": torch.ones(1, 1),
        "hidden2_weight": torch.ones(1, 1),
        "hidden2_bias": torch.zeros(1, 1),
        "head_weight": torch.cat([9 * (second - first), torch.tensor([halting_weight])]),
        "head_bias": torch.cat([9 * first, torch.tensor([halting_bias])]),
    }
    return Controller(spec, torch.cat([blocks[name].flatten() for name in spec.shapes])[None])


STOPS, NEVER_STOPS, STOPS_AT_ONCE = access(-9.0, 18.0), access(-9.0, 0.0), access(9.0, 0.0)


def held_out(controller: Controller, halting: bool) -> tuple[list[float], list[float]]:
    trainer = Trainer(replace(ACCESS, halting=halting))
    errors, steps = trainer.held_out_errors(controller, np.random.default_rng(0))
    return errors[:, 0].tolist(), steps.tolist()


def test_solved_means_to_stop_by_oneself_with_the_right_output():
    assert held_out(STOPS, halting=True) == ([0.0], [2.0])
    assert held_out(NEVER_STOPS, halting=True)[0] == [1.0]
    assert held_out(STOPS_AT_ONCE, halting=True)[0][0] > 2 / 3


def test_without_halting_to_be_right_at_the_horizon_is_enough():
    assert held_out(STOPS, halting=False) == ([0.0], [2.0])
    assert held_out(NEVER_STOPS, halting=False) == ([0.0], [4.0])


def test_members_side_by_side_are_judged_each_by_itself():
    together = replace(STOPS, parameters=torch.cat([NEVER_STOPS.parameters, STOPS.parameters]))
    errors, steps = held_out(together, halting=True)
    assert errors == [1.0, 0.0]
    assert steps == [0.0, 2.0], "who fails at the sizes of the curriculum is not run at larger ones"


@pytest.mark.parametrize("must_stop", [False, True])
def test_failures_and_timesteps_of_hardened_runs(must_stop):
    task, rng = get_task("access"), np.random.default_rng(0)
    batch = join(task, [task.sample(rng, n, size, 3) for n, size in ((1, 3), (3, 9), (5, 7))])
    limit = np.arange(2, 11)
    both = replace(STOPS, parameters=torch.cat([STOPS.parameters, NEVER_STOPS.parameters]))
    failures, steps = hard_failures(both, batch, limit, must_stop)
    assert failures.tolist() == [[False] * 9, [must_stop] * 9]
    assert steps.tolist() == [[2] * 9, limit.tolist()]
    late, _ = hard_failures(STOPS, batch, np.ones(9, dtype=np.int64), must_stop)
    memory = batch.memory[:, 0]
    assert late[0].tolist() == [
        must_stop or bool(first != want) for first, want in zip(memory, batch.target[:, 0], strict=True)
    ]


def test_a_run_has_so_many_timesteps_to_stop_as_the_caps_say(monkeypatch):
    limits = []

    def watched(controller, batch, limit, must_stop):
        limits.append((batch, limit, must_stop))
        return hard_failures(controller, batch, limit, must_stop)

    monkeypatch.setattr("agents.held_out.hard_failures", watched)
    held_out(STOPS, halting=True)
    assert {int(n) for batch, *_ in limits for n in batch.difficulty} == {1, 2, 3, 6, 12}
    for batch, limit, must_stop in limits:
        assert must_stop
        assert np.array_equal(limit, caps(get_task("access"), batch.difficulty, batch.memory_sizes))
