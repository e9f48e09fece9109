"""What all tests share."""

import os
from pathlib import Path

import pytest
import torch

CHECKOUT = Path(__file__).parent.parent

os.environ["SDL_VIDEODRIVER"] = "dummy"  # windows that tests open are seen by nobody, wherever they run


def pytest_report_header() -> str:
    """Say what is tested."""
    return f"tested: the packages in {CHECKOUT}, not what pip installed elsewhere (that: make wheel-test)"


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tests work on small tensors, which one thread computes fastest, whatever else the machine does."""
    torch.set_num_threads(1)
