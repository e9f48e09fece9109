"""What all tests share."""

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> None:
    """Tests work on small tensors, which one thread computes fastest, whatever else the machine does."""
    torch.set_num_threads(1)
