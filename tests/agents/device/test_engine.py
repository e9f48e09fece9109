"""Training as on a GPU, on tensors of the CPU: it learns, repeats itself, and goes on where it stopped."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from agents.config import TrainConfig
from agents.curriculum import Lesson
from agents.device.engine import SYNC_EVERY, DeviceEngine
from agents.device.lesson import Chance
from agents.engine import HostEngine, Moment
from agents.evaluation import evaluate
from agents.fused import Played
from agents.metrics import read_metrics
from agents.population import start
from agents.run import POPULATION_FILE, Budget, resume_run, start_run
from agents.selection import forget_halting
from agents.trainer import Trainer
from nram_env.tasks import TaskBatch
from tests.custom_task import Fill

CPU = torch.device("cpu")
SMALL = TrainConfig(
    task="access", population=3, batch_size=4, max_level=3, first_level=1, evaluate_every=10, cull_every=15
)

pytestmark = pytest.mark.usefixtures("on_a_device")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def moment(age: int = 0, event: int = 1000) -> Moment:
    return Moment(0, age, np.random.default_rng(0), generator(), event)


def advance(trainer: Trainer, updates: int) -> Trainer:
    while trainer.update < updates:
        trainer.advance(updates - trainer.update)
    return trainer


def assert_same(first: Trainer, second: Trainer) -> None:
    assert (first.update, first.attempt) == (second.update, second.attempt)
    assert torch.equal(first.chance.get_state(), second.chance.get_state())
    for name, values in vars(first.population).items():
        assert torch.equal(values, getattr(second.population, name)), name


def test_a_small_population_solves_access_from_examples_alone():
    trainer = Trainer(replace(SMALL, population=8, batch_size=16, num_registers=2, cull_every=100))
    while trainer.update < 300 and not trainer.population.solved.any():
        trainer.advance()
    best = trainer.agents()[0]
    assert best.info["held_out_hard_exact_error"] == 0
    assert evaluate(best, "hard", 20, 50, seed=9).exact_error == 0


@pytest.mark.parametrize("controller", ["lstm", "feedforward"])
def test_the_same_seed_gives_the_same_run_and_another_seed_another(controller):
    config = replace(SMALL, controller=controller)
    first, again, other = (advance(Trainer(replace(config, seed=seed)), 30) for seed in (0, 0, 1))
    assert_same(first, again)
    assert not torch.equal(first.population.parameters, other.population.parameters)


def test_a_population_begins_as_on_the_processor():
    trainer, host = Trainer(SMALL), HostEngine(SMALL)
    population = host.place(start(SMALL, SMALL.population, generator(SMALL.seed)))
    for name, values in vars(population).items():
        assert torch.equal(values, getattr(trainer.population, name)), name


@pytest.mark.parametrize("stop", [7, 20])
@pytest.mark.parametrize(
    "change",
    [
        {"cull_every": 11, "cull_share": 0.7, "spare_age": 5, "rescale_share": 0.5},
        {"generation_every": 11, "generation_noise": 0.1, "first_level": 3, "level_threshold": 2.0},
        {"level_threshold": 2.0, "halting_threshold": 2.0, "level_patience": 2},
        {"attempt_updates": 13, "level_threshold": 0.0},
        {"hardened_cost": 10.0, "level_threshold": 2.0, "level_patience": 2, "cull_every": 10},
    ],
    ids=["selection", "generation", "rises", "attempts", "hardened"],
)
def test_saving_and_loading_in_between_changes_nothing(change, stop, tmp_path):
    config, file = replace(SMALL, **change), tmp_path / "population.safetensors"
    straight = advance(Trainer(config), 30)
    advance(Trainer(config), stop).save(file)
    assert_same(straight, advance(Trainer.load(file), 30))


def test_a_run_goes_on_where_its_updates_ended_and_notes_what_it_did_at_a_time(tmp_path):
    def ignore(*_: object) -> None:
        """Watch nothing."""

    rising = replace(SMALL, level_threshold=2.0, level_patience=2, cull_every=0)
    start_run(tmp_path / "straight", rising, Budget(updates=24), ignore)
    start_run(tmp_path / "halves", rising, Budget(updates=13), ignore)
    saved = (tmp_path / "halves" / POPULATION_FILE).read_bytes()
    resume_run(tmp_path / "halves", Budget(updates=22), ignore)
    (tmp_path / "halves" / POPULATION_FILE).write_bytes(saved)  # as after a kill
    outcome = resume_run(tmp_path / "halves", Budget(updates=24), ignore)
    assert (outcome.reason, outcome.trainer.update) == ("updates", 24)
    files = [(tmp_path / name / POPULATION_FILE).read_bytes() for name in ("straight", "halves")]
    assert files[0] == files[1]
    assert [line["update"] for line in read_metrics(tmp_path / "straight")] == [10, 20, 24]
    assert [line["update"] for line in read_metrics(tmp_path / "halves")] == [10, 13, 20, 24]


def test_a_run_begun_on_a_device_goes_on_on_the_processor_and_back(tmp_path, monkeypatch):
    file = tmp_path / "population.safetensors"
    trainer = advance(Trainer(SMALL), 7)
    trainer.save(file)
    with monkeypatch.context() as patch:
        patch.setattr("agents.trainer.make_engine", lambda config, device: HostEngine(config))
        host = Trainer.load(file)
        assert host.advance().update == 8
        host.save(file)
    back = Trainer.load(file)
    assert back.engine.pause is None, "the processor looks after every update"
    assert back.advance().update == 10


def test_updates_are_done_up_to_the_next_ten_or_the_next_test_or_selection():
    trainer = Trainer(replace(SMALL, evaluate_every=4, cull_every=6, attempt_updates=13))
    ends = [trainer.advance().update for _ in range(8)]
    assert ends == [4, 6, 8, 10, 12, 13, 17, 19]
    assert trainer.attempt == 2, "no member had risen after 13 updates, and ages count from there"


def test_an_update_is_that_of_the_processor_on_the_same_examples(monkeypatch):
    population = start(SMALL, 3, generator())
    population = replace(population, level=torch.tensor([1, 3, 4]))
    device, host = DeviceEngine(SMALL, CPU), HostEngine(SMALL)
    device._highest, device._chance = 4, Chance.of(0, 0, CPU)
    device._broken = torch.zeros(3, dtype=torch.bool)
    lesson = device._lessons.draw(population, 4, device._chance)
    monkeypatch.setattr(device._lessons, "draw", lambda *_: lesson)
    of_device = device.update(device.place(_copy(population)), moment())

    def drawn(rng, task, population, config):
        arrays = {name: values.numpy() for name, values in vars(lesson.batch).items()}
        return Lesson(TaskBatch(**arrays, task="access"), lesson.horizon.numpy(), lesson.beyond)

    monkeypatch.setattr("agents.engine.draw_lesson", drawn)
    of_host = host.update(_copy(population), moment())
    torch.testing.assert_close(of_device.loss, of_host.loss)
    for name, values in vars(of_host.population).items():
        torch.testing.assert_close(values, getattr(of_device.population, name), rtol=1e-4, atol=1e-5)


def _copy(population):
    return replace(population, **{name: values.clone() for name, values in vars(population).items()})


def broken(trainer: Trainer, place: int) -> Trainer:
    """The same trainer, one of whose members will emit logits that are not finite."""
    wild = trainer.population.parameters.clone()
    wild[place] = 3e38
    trainer.population = replace(trainer.population, parameters=wild)
    return trainer


def test_a_member_that_breaks_is_restarted_and_counted_at_the_next_look_and_disturbs_no_other():
    healthy, trainer = (advance(Trainer(SMALL), 3) for _ in range(2))
    broken(trainer, 1)
    healthy.advance()
    progress = trainer.advance()
    assert (progress.update, progress.restarts) == (SYNC_EVERY, 1)
    assert math.isfinite(progress.loss)
    population = trainer.population
    assert population.restarts.tolist() == [0, 1, 0]
    assert population.age.tolist() == [10, 0, 10]
    assert torch.isfinite(population.parameters).all()
    assert torch.isfinite(population.loss).all(), "or the ranking would have no order"
    for name, values in vars(population).items():
        assert torch.equal(values[[0, 2]], getattr(healthy.population, name)[[0, 2]]), name


@pytest.mark.parametrize("stops", [[7], [12, 14], [20]])
def test_a_run_that_stops_while_a_member_is_broken_goes_on_as_if_it_had_not(stops, tmp_path):
    file = tmp_path / "population.safetensors"
    straight = advance(broken(advance(Trainer(SMALL), 5), 1), 11)
    straight = advance(broken(straight, 2), 30)
    trainer = broken(advance(Trainer(SMALL), 5), 1)
    for stop in [*stops, 30]:
        if trainer.update < 11 <= stop:
            trainer = broken(advance(trainer, 11), 2)
        advance(trainer, stop).save(file)
        assert torch.isfinite(trainer.population.parameters).all()
        trainer = Trainer.load(file)
    assert trainer.population.restarts.tolist() == [0, 1, 1]
    assert_same(straight, trainer)


def test_what_stands_in_for_a_broken_member_goes_on_on_the_processor(tmp_path, monkeypatch):
    file = tmp_path / "population.safetensors"
    advance(broken(Trainer(SMALL), 1), 7).save(file)
    monkeypatch.setattr("agents.trainer.make_engine", lambda config, device: HostEngine(config))
    host = Trainer.load(file)
    assert host.population.restarts.tolist() == [0, 1, 0]
    host.advance()
    assert host.population.restarts.tolist() == [0, 1, 0]
    assert host.population.age.tolist() == [8, 1, 8]


def test_members_forget_once_as_they_come_to_the_last_level():
    config = replace(SMALL, level_threshold=2.0, halting_threshold=2.0, level_patience=1, cull_every=0)
    trainer = Trainer(replace(config, evaluate_every=100))
    trainer.population = replace(
        trainer.population, level=torch.tensor([3, 2, 4]), level_age=torch.tensor([9, 0, 9])
    )
    trainer.advance(1)
    weights = trainer.population.parameters[:, config.spec.of_halting][:, :-1]
    assert trainer.population.level.tolist() == [4, 3, 4]
    assert (weights == 0).all(1).tolist() == [True, False, False]


def test_members_that_rise_far_between_two_looks_forget_once_as_well(monkeypatch):
    config = replace(SMALL, level_threshold=2.0, halting_threshold=2.0, level_patience=2, cull_every=0)
    trainer, forgot = Trainer(replace(config, evaluate_every=100)), torch.zeros(3)

    def watched(population, chosen, config, chance):
        forgot.add_(chosen)
        return forget_halting(population, chosen, config, chance)

    monkeypatch.setattr("agents.device.engine.forget_halting", watched)
    progress = trainer.advance()
    assert (progress.update, progress.level, progress.stopping) == (10, 4, 3)
    assert forgot.tolist() == [1, 1, 1]


def test_a_task_of_one_s_own_is_drawn_by_its_own_sampler():
    config = TrainConfig(task=Fill.name, population=2, batch_size=4, max_level=5)
    trainer = advance(Trainer(config), 20)
    assert_same(trainer, advance(Trainer(config), 20))
    assert (trainer.population.age == 20).all()


class _Elsewhere(torch.Generator):
    """A generator of tensors without numbers."""

    device = torch.device("meta")


@pytest.mark.parametrize("task", ["copy", "merge"])
def test_nothing_in_an_update_waits_for_the_device(task, monkeypatch):
    """Tensors without numbers: whatever needs numbers, or is on another device, is refused."""
    config = TrainConfig(task=task, population=20, batch_size=2, max_level=4, first_level=4)
    config = replace(config, easy_share=0.5 if task == "merge" else 0.0)
    place = torch.device("meta")

    def played(controller, rules, examples):
        rows = len(examples.memory)
        weight = controller.parameters.mean(1).repeat_interleave(config.batch_size)
        each = weight.expand(examples.timesteps, rows)
        finite = torch.ones(config.population, dtype=torch.bool, device=place)
        return Played(weight, weight, each, each, examples.memory.bool(), finite)

    monkeypatch.setattr("agents.device.engine.play", played)
    monkeypatch.setattr("agents.selection._of_halting", lambda spec, device: spec.of_halting.to(device))
    chance = Chance(np.random.default_rng(0), _Elsewhere())
    engine = DeviceEngine(config, place)
    engine._highest, engine._chance = 5, chance
    engine._broken = torch.zeros(config.population, dtype=torch.bool, device=place)
    with FakeTensorMode(allow_non_fake_inputs=True):
        step = engine.update(start(config, config.population, chance.device), moment())
    assert all(values.device == place for values in vars(step.population).values())
    assert step.loss.shape == (config.population,)
    assert step.cell_loss.shape == (config.population, config.batch_size)


def test_a_setting_that_there_is_not_is_refused_as_on_the_processor():
    with pytest.raises(ValueError, match="did you mean 'fused'"):
        Trainer(replace(SMALL, backend="fusd"))
