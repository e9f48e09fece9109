"""What all tests share."""

import os
from collections import Counter
from pathlib import Path

import pytest
import torch

CHECKOUT = Path(__file__).parent.parent

os.environ["SDL_VIDEODRIVER"] = "dummy"  # windows that tests open are seen by nobody, wherever they run
os.environ["OMP_NUM_THREADS"] = "1"  # processes that tests start do not take each other's processors


def pytest_report_header() -> str:
    """Say what is tested."""
    return f"tested: the packages in {CHECKOUT}, not what pip installed elsewhere (that: make wheel-test)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of few tests first: those tests are long, and at the end one worker would have them alone."""
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: tests[item.path])


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tests work on small tensors, which one thread computes fastest, whatever else the machine does."""
    torch.set_num_threads(1)
