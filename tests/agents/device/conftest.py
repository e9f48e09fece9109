"""Trainers whose engine is that of a GPU, on tensors of the CPU."""

import pytest
import torch

from agents.device.engine import DeviceEngine


@pytest.fixture
def on_a_device(monkeypatch) -> None:
    """All trainers made here compute as on a GPU."""
    monkeypatch.setattr(
        "agents.trainer.make_engine", lambda config, device: DeviceEngine(config, torch.device("cpu"))
    )
