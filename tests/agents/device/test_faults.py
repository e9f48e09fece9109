"""A device that is not there, or too small: one clear error, before anything is trained or written."""

import re
from dataclasses import replace

import pytest
import torch

from agents.config import TrainConfig
from agents.device.memory import GIBIBYTE, check_memory, faults_explained, needed_bytes
from agents.engine import make_engine
from agents.run import Budget, start_run
from agents.trainer import Trainer
from analysis.commands.cli import main
from nram_env.machine.backends.cuda.error import KernelError

CONFIG = TrainConfig(task="copy", population=4096, num_registers=4)
CARD = torch.device("cuda:0")


@pytest.mark.parametrize("device", ["cuda:77", "gpu", "meta"])
def test_a_device_that_is_not_there_is_refused_before_a_folder_is_made(device, tmp_path):
    with pytest.raises(ValueError, match=f"device '{device}' cannot be used here: "):
        start_run(tmp_path / "run", CONFIG, Budget(updates=1), print, device=device)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_the_command_says_in_one_line_that_torch_has_no_gpu(tmp_path, capsys):
    assert main(["train", "copy", "--device", "cuda", "--run", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert re.search(r"^nram: error: device 'cuda' cannot be used here: .+\n\Z", error, re.MULTILINE)
    assert "Traceback" not in error


def test_a_device_of_another_kind_is_refused(monkeypatch):
    monkeypatch.setattr("agents.engine.device_of", torch.device)
    with pytest.raises(ValueError, match="training runs on cpu and cuda devices, got mps"):
        make_engine(CONFIG, "mps")


def test_memory_is_asked_for_by_what_an_update_keeps():
    """The design's prototype took 4.5 GiB with M = 16 and T = 17; what is asked for here is that."""
    config = replace(CONFIG, task="increment", halting=False, max_level=14, memory_slack=1, horizon_slack=1)
    assert config.task_object.smallest_memory_size(14) + 1 == 16
    assert config.task_object.horizon(14) + 1 == 17
    assert 4.2 < needed_bytes(config) / GIBIBYTE < 4.8
    assert needed_bytes(replace(config, population=8192)) == 2 * needed_bytes(config)
    assert needed_bytes(replace(config, batch_size=32)) > 1.6 * needed_bytes(config)
    assert needed_bytes(replace(config, halting=True)) > 2 * needed_bytes(config), "time to stop in"


def test_too_little_memory_is_said_before_training_begins(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (GIBIBYTE // 2, 80 * GIBIBYTE))
    message = (
        r"needs some \d+\.\d GiB of memory, cuda:0 has 0\.5 GiB; lower population, 4096, or batch_size, 16"
    )
    with pytest.raises(ValueError, match=message):
        check_memory(CONFIG, CARD)
    check_memory(replace(CONFIG, population=8), CARD)


def test_memory_that_runs_out_in_training_names_what_to_lower():
    message = "cuda:0 has run out of memory; lower population, 4096, or batch_size, 16"
    with pytest.raises(ValueError, match=message), faults_explained(CONFIG, CARD):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")


def test_a_kernel_that_does_not_start_is_an_error_of_one_line():
    message = "training on cuda:0 cannot go on: the driver is older than the compiler"
    with pytest.raises(ValueError, match=message), faults_explained(CONFIG, CARD):
        raise KernelError("the driver is older than the compiler")


def test_the_device_is_no_hyper_parameter():
    assert "device" not in CONFIG.to_json()
    small = replace(CONFIG, population=1, batch_size=1)
    assert Trainer(small, device="cpu").saved.config == small
