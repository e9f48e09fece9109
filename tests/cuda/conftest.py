"""Where kernels run in these tests: emulated on the CPU, and on a card where one is at hand."""

import pytest
import torch

from nram_env.machine.backends.cuda import kernels
from tests.cuda.emulator import COMPILER, SHARED_MEMORY, emulated


@pytest.fixture(params=["emulated", "cuda"])
def device(request, monkeypatch):
    """A device whose tensors the wrappers of kernels take."""
    if request.param == "cuda":
        reason = kernels.obstacle(torch.device("cuda:0"))
        if reason is not None:
            pytest.skip(reason)
        return torch.device("cuda:0")
    if COMPILER is None:
        pytest.skip("there is no C++ compiler to emulate kernels with")
    monkeypatch.setattr(kernels, "build", lambda source, defines, device: emulated(source, defines))
    monkeypatch.setattr(kernels, "obstacle", lambda device: None)
    monkeypatch.setattr(kernels, "shared_memory", lambda device: SHARED_MEMORY)
    return torch.device("cpu")
