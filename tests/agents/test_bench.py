"""The plain loop that the benchmark compares with computes the same timestep."""

from dataclasses import replace

import pytest
import torch

from agents.bench import (
    Setting,
    arithmetic_limit,
    grid,
    measure,
    measure_training,
    naive_timestep,
    training_config,
)
from analysis.commands.cli import main
from nram_env.machine import MachineConfig, initial_state, timestep


def test_the_plain_loop_equals_the_reference():
    config, generator = MachineConfig(3), torch.Generator().manual_seed(0)
    state = initial_state(config, torch.arange(10).reshape(2, 5) % 5)
    target = torch.randint(5, (2, 5), generator=generator)
    mask = torch.tensor([[True, False, True, True, False]] * 2)
    for _ in range(2):
        logits = torch.randn(2, config.layout.size, generator=generator)
        wanted = timestep(config, state, logits, target=target, mask=mask, backend="reference")
        found = naive_timestep(config, state, logits, target, mask)
        for name in ("registers", "memory", "survival"):
            torch.testing.assert_close(getattr(found.state, name), getattr(wanted.state, name))
        torch.testing.assert_close(found.entropy, wanted.entropy)
        torch.testing.assert_close(found.halting_entropy, wanted.halting_entropy)
        torch.testing.assert_close(found.log_likelihood, wanted.log_likelihood)
        state = found.state


def test_the_grid_has_every_combination_once():
    settings = list(grid())
    assert len(settings) == len(set(settings)) == 32
    assert {setting.device for setting in settings} == {"cpu"}
    assert len(set(grid("cuda"))) == 16


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA GPU here")
def test_without_a_gpu_none_is_measured(capsys):
    assert main(["bench", "--device", "cuda"]) == 2
    assert "there is no CUDA GPU here" in capsys.readouterr().err


def test_a_measurement_leaves_the_number_of_threads_as_it_was():
    before = torch.get_num_threads()
    speed = measure("reference", Setting(memory_size=2, batch_size=1, threads=2))
    assert speed.total == speed.forward + speed.backward > 0
    assert torch.get_num_threads() == before


def test_the_arithmetic_limit_grows_with_the_memory():
    assert arithmetic_limit(Setting(memory_size=64)) > 2 * arithmetic_limit(Setting(memory_size=16))


def test_the_population_that_is_measured_has_the_memory_and_the_horizon_that_are_asked_for():
    config = training_config("increment", 15, memory_slack=0)
    task = config.task_object
    assert (task.smallest_memory_size(15), task.horizon(15), config.machine.num_registers) == (16, 17, 4)
    assert (config.population, config.batch_size, config.hidden_size) == (64, 16, 32)


def test_the_machine_has_a_share_of_an_update():
    config = replace(training_config("access", 3), population=2, batch_size=4)
    speed = measure_training(config, threads=1, updates=3)
    assert 0 <= speed.machine_share < 1
    assert 0 <= speed.median_share < 1
    speed = measure_training(replace(config, backend="reference"), threads=1, updates=1)
    assert speed.machine_share == speed.median_share == 0
