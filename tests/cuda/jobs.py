"""The small kernels of kernels/faulty.cu and what they are given."""

import ctypes
from pathlib import Path

import torch

SOURCE = Path(__file__).parent / "kernels" / "faulty.cu"
DEFINES = {"SIZE": 64}


class Job(ctypes.Structure):
    """As in the source."""

    _fields_ = (
        ("input", ctypes.c_void_p),
        ("out", ctypes.c_void_p),
        ("numbers", ctypes.c_void_p),
        ("at", ctypes.c_int),
    )


def run(kernels, device, kernel, at=0, threads=64, blocks=1, shared_bytes=256, out=64, start=1.0):
    """What a kernel writes, given the numbers from `start` on."""
    given = torch.arange(blocks * threads, dtype=torch.float32, device=device) + start
    result = torch.zeros(out, dtype=torch.float32, device=device)
    numbers = torch.zeros(8, dtype=torch.int32, device=device)
    record = Job(given.data_ptr(), result.data_ptr(), numbers.data_ptr(), at)
    kernels.launch(kernel, blocks, threads, shared_bytes, record)
    return numbers.tolist() if kernel == "votes" else result.tolist()
