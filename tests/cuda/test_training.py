"""Whole updates of a population by kernels, emulated and on a card where one is at hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from agents import zoo
from agents.config import TrainConfig
from agents.controllers import Controller
from agents.cuda import episodes, hard
from agents.device.engine import DeviceEngine
from agents.device.lesson import Chance
from agents.engine import Engine, HostEngine, Moment
from agents.hard import hard_failures as hard_failures_here
from agents.held_out import staged_errors
from agents.population import Population, start
from agents.trainer import Trainer

CONFIG = TrainConfig(
    task="access",
    population=3,
    batch_size=2,
    num_registers=2,
    hidden_size=4,
    first_level=3,
    max_level=3,
    memory_slack=0,
    halting_share=0.0,
)


def moment(age: int) -> Moment:
    chance = torch.Generator().manual_seed(0)
    return Moment(0, age, np.random.default_rng(0), chance, event=10)


def updated(engine: Engine, updates: int) -> Population:
    population = engine.place(start(CONFIG, CONFIG.population, torch.Generator().manual_seed(0)))
    step, _ = engine.advance(population, moment(0), most=updates)
    return step.population


def test_updates_by_kernels_are_those_by_torch(device, monkeypatch):
    played = []

    def play(*arguments):
        played.append(arguments)
        return episodes.play(*arguments)

    monkeypatch.setattr("agents.device.episodes.kernel", SimpleNamespace(**{**vars(episodes), "play": play}))
    by_kernels = updated(DeviceEngine(CONFIG, device), 3)
    assert len(played) == 3
    by_torch = updated(DeviceEngine(replace(CONFIG, backend="reference"), device), 3)
    for name, values in vars(by_torch).items():
        torch.testing.assert_close(getattr(by_kernels, name), values, rtol=1e-3, atol=1e-5)
    assert len(played) == 3
    assert by_kernels.device.type == device.type


def test_members_are_tested_by_the_kernel_and_then_by_the_processor(device, monkeypatch):
    ran = []

    def hard_failures(*arguments):
        ran.append(arguments)
        return hard.hard_failures(*arguments)

    kernel = SimpleNamespace(**{**vars(hard), "hard_failures": hard_failures})
    monkeypatch.setattr("agents.device.screen.kernel", kernel)
    entry = zoo.find_entry("access-feedforward")
    config = replace(entry.recipe.config, first_level=3, max_level=3, evaluation_factors=(2,))
    config = replace(config, evaluation_examples=2)
    fresh = config.spec.initialise(torch.Generator().manual_seed(0), torch.ones(3))
    stack = Controller(config.spec, torch.cat([entry.agent.controller.parameters, fresh]))
    there = replace(stack, parameters=stack.parameters.to(device))
    errors, steps = DeviceEngine(config, device).held_out_errors(there, np.random.default_rng(0))
    wanted, _ = staged_errors(stack, config, np.random.default_rng(0), hard_failures_here)
    assert len(ran) >= 3
    torch.testing.assert_close(errors[1:, 0], wanted[1:], rtol=0, atol=0.02)
    assert errors[0].tolist() == [0.0, 0.0]
    assert steps[0] > 0


cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA GPU here")


@cuda
@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
@pytest.mark.parametrize("task", ["copy", "merge"])
def test_no_update_on_a_card_makes_the_host_wait(task):
    card = torch.device("cuda:0")
    config = TrainConfig(task=task, population=64, first_level=8, max_level=8, memory_slack=0)
    config = replace(config, easy_share=0.5 if task == "merge" else 0.0)
    engine = DeviceEngine(config, card)
    population = engine.place(start(config, config.population, torch.Generator().manual_seed(0)))
    population = replace(population, level=torch.full_like(population.level, 9))
    step, _ = engine.advance(population, moment(0))  # compiles
    torch.cuda.set_sync_debug_mode("error")
    try:
        for age in range(10, 13):
            engine._chance = Chance.of(0, age, card)
            step = engine.update(step.population, moment(age))
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert step.population.age.tolist() == [13] * 64


@cuda
def test_a_card_learns_repeats_itself_and_goes_on_where_it_stopped(tmp_path):
    config = TrainConfig(
        task="access",
        population=32,
        num_registers=2,
        first_level=1,
        max_level=3,
        evaluate_every=10,
        evaluation_examples=8,
    )
    file = tmp_path / "population.safetensors"
    straight, half = Trainer(config, device="cuda"), Trainer(config, device="cuda")
    while straight.update < 200 and not straight.population.solved.any():
        straight.advance()
    assert straight.population.solved.any()
    while half.update < 33:
        half.advance(33 - half.update)
    half.save(file)
    again = Trainer.load(file, "cuda")
    while again.update < straight.update:
        again.advance(straight.update - again.update)
    for name, values in vars(straight.population).items():
        assert torch.equal(values, getattr(again.population, name)), name
    there = Trainer.load(file)
    assert isinstance(there.engine, HostEngine)
    assert there.advance().update == 34
